/** Reads OpenMetrics text by its grammar and its rules (1.0.0); throws where text is none. */

export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^\n"\\]|\\["n\\])*"`;
const NUMBER = String.raw`[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)?\\})? (${NUMBER})$`);
const DESCRIPTION = new RegExp(String.raw`^# (TYPE|UNIT|HELP) (${NAME}) ((?:[^\n"\\]|\\["n\\])*)$`);

const SUFFIX: Readonly<Record<string, string>> = {
  counter: '_total',
  gauge: '',
  info: '_info',
  stateset: '',
};

export function readOpenMetrics(text: string): ReadFamily[] {
  if (!text.endsWith('\n# EOF\n') && text !== '# EOF\n')
    throw new Error('it does not end in # EOF');
  const families: ReadFamily[] = [];
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const described = DESCRIPTION.exec(line);
    if (described === null) readSample(families.at(-1), line);
    else describe(families, described[1] ?? '', described[2] ?? '', described[3] ?? '');
  }
  for (const family of families) check(family);
  if (new Set(families.map(({ name }) => name)).size < families.length)
    throw new Error('a family is told twice');
  return families;
}

function describe(families: ReadFamily[], what: string, name: string, words: string): void {
  let family = families.at(-1);
  if (family?.name !== name || family.samples.length > 0) {
    family = { name, type: '', unit: '', help: '', samples: [] };
    families.push(family);
  }
  const key = what.toLowerCase() as 'type' | 'unit' | 'help';
  if (family[key] !== '') throw new Error(`${what} of ${name} is told twice`);
  families[families.length - 1] = { ...family, [key]: unescaped(words) };
}

function readSample(family: ReadFamily | undefined, line: string): void {
  const [, name = '', labels = '', value] = SAMPLE.exec(line) ?? [];
  if (family === undefined || value === undefined) throw new Error(`no sample: ${line}`);
  const suffix = SUFFIX[family.type];
  if (suffix === undefined) throw new Error(`${family.name} is of no known type`);
  if (name !== family.name + suffix) throw new Error(`${name} is not of ${family.name}`);
  const pairs = [...labels.matchAll(new RegExp(LABEL, 'g'))].map(([pair]): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), unescaped(pair.slice(at + 2, -1))];
  });
  if (new Set(pairs.map(([label]) => label)).size < pairs.length)
    throw new Error(`a label is told twice: ${line}`);
  family.samples.push({ name, labels: Object.fromEntries(pairs), value: Number(value) });
}

function check({ name, type, unit, samples }: ReadFamily): void {
  if (unit !== '' && !name.endsWith(`_${unit}`)) throw new Error(`${name} does not end in ${unit}`);
  if (unit !== '' && (type === 'info' || type === 'stateset'))
    throw new Error(`${name} has a unit, as ${type}`);
  if (/_(?:total|info|created|bucket|count|sum)$/.test(name))
    throw new Error(`${name} ends as samples do`);
  for (const { labels, value } of samples) {
    if (type === 'counter' && !(value >= 0)) throw new Error(`${name} counts ${value}`);
    if (type === 'info' && value !== 1) throw new Error(`${name} is ${value}`);
    if (type === 'stateset' && ((value !== 0 && value !== 1) || labels[name] === undefined))
      throw new Error(`${name} is no state`);
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
}
