/** `--design-file`: a user's own rows of the table of designs, as JSON, or as `replay designs --json` prints them. */
import { readFileSync } from 'node:fs';
import {
  DESIGNS,
  findDesign,
  mechanismOf,
  sharesCallbacks,
  type Design,
  type DesignSwitches,
} from '@vhostscope/model';
import { EXIT, printable, ProgramError, say } from '@vhostscope/terminal';
import { z } from 'zod';
import { wrapped } from './text-parts.js';

const rate = z.number().positive();
const change = z.strictObject({ before: rate, after: rate });

/** What each switch may be. */
export const SWITCHES = {
  maps: z.enum(['round', 'ioctl', 'never']),
  faultsPagesIn: z.boolean(),
  needsContiguousPages: z.boolean(),
  filtersMemory: z.boolean(),
  counter: z.enum(['virtqueue', 'mm', 'none']),
  resetsCountOnSetup: z.boolean(),
  overlap: z.enum(['inclusive-end', 'start-only', 'always']),
  clears: z.enum(['start', 'start-at-unlock', 'range-at-unlock', 'never']),
  refusesNonBlockable: z.enum(['always', 'overlap', 'never']),
  keepsRangesOnFailedSetup: z.boolean(),
  dropsMapsOn: z.enum(['setup', 'successful-setup', 'addr', 'never']),
  needsPlainCaches: z.boolean(),
  dirties: z.enum(['never', 'round-end', 'clear', 'clear-and-teardown']),
} satisfies { [Name in keyof DesignSwitches]: z.ZodType<DesignSwitches[Name]> };

export const SWITCH_NAMES = Object.keys(SWITCHES) as readonly (keyof DesignSwitches)[];

const row = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]{1,40}$/, 'has to be up to 40 letters, digits, dots, dashes or underscores')
    .refine((name) => name !== 'all', 'cannot be "all", which --designs takes for all of them'),
  /** The row whose switches it has where it names none itself. */
  like: z.enum(DESIGNS.map(({ name }) => name)).optional(),
  title: z.string().max(200).optional(),
  source: z.string().max(200).optional(),
  publishedRates: z.strictObject({ smapOn: change, smapOff: change }).partial().optional(),
  ...z.object(SWITCHES).partial().shape,
});
type Row = z.infer<typeof row>;

/** What `replay designs --json` prints. Published rates are of the design as it was, so a changed one has none. */
const told = z.looseObject({
  designs: z.array(
    z.looseObject({
      name: z.unknown(),
      title: z.unknown(),
      source: z.unknown(),
      switches: z.record(z.string(), z.unknown()),
      published_rates: z.looseObject({ smap_on: z.unknown(), smap_off: z.unknown() }).nullish(),
    }),
  ),
});
type Told = z.infer<typeof told>['designs'][number];

/**
 * The designs of a file: one row, a list of rows, or what `replay designs --json` has told; of that, rows which are as
 * they were told are the designs of the table themselves.
 *
 * @throws ProgramError that names the file, the row, the switch, and what it may be
 */
export function readDesignFile(path: string): readonly Design[] {
  const unusable = (message: string): ProgramError => {
    const [first = '', ...rest] = wrapped('', message, '  ');
    const advice = `a row has a name, "like" (a design to begin from, else merged) and switches: ${SWITCH_NAMES.join(', ')}`;
    return new ProgramError(`${printable(path)}: ${first}`, {
      details: [...rest, ...wrapped('', advice, '  ')],
      exitCode: EXIT.unusable,
    });
  };
  const json = readJson(path, unusable);
  const document = told.safeParse(json);
  const rows: unknown[] = document.success
    ? document.data.designs.map(({ name, title, source, switches }) => ({
        name,
        title,
        source,
        ...switches,
      }))
    : Array.isArray(json)
      ? json
      : [json];
  if (rows.length === 0) throw unusable('there is no row in it');
  const designs = rows.map((one: unknown, at) => {
    const where = rows.length === 1 ? '' : `row ${at + 1}: `;
    const parsed = row.safeParse(one);
    if (!parsed.success) throw unusable(where + sentenceOf(parsed.error.issues[0]));
    const known = document.success ? findDesign(parsed.data.name) : undefined;
    if (known !== undefined && SWITCH_NAMES.every((name) => parsed.data[name] === known[name]))
      return known;
    const design = designOf(parsed.data);
    if (document.success) sayOfRates(design, document.data.designs[at]);
    const problem = problemOf(design);
    if (problem !== undefined) throw unusable(where + problem);
    return design;
  });
  const names = [...new Set([...DESIGNS, ...designs])].map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw unusable(`name: there is a design called "${twice}" already; give yours another`);
  return designs;
}

const saidOf = new Set<string>();

/** What was published was measured of the design as it was. Told once, however often the file is read. */
function sayOfRates({ name }: Design, was: Told | undefined): void {
  const { smap_on: on, smap_off: off } = was?.published_rates ?? {};
  if ((on ?? off ?? null) === null || saidOf.has(name)) return;
  saidOf.add(name);
  say(
    'replay',
    `${name}: its published_rates are left out: they were measured of the design that it was made from; ` +
      '--calibrate takes your own two',
  );
}

function readJson(path: string, unusable: (message: string) => ProgramError): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw unusable(code === 'ENOENT' ? 'no such file' : `cannot be read (${code ?? 'unknown'})`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw unusable('is not JSON');
  }
}

/** What zod found, with what would be right. */
function sentenceOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is no row of the table of designs';
  const where = issue.path.length === 0 ? '' : `${printable(issue.path.join('.'))}: `;
  if (issue.code === 'unrecognized_keys')
    return `${where}there is no switch called "${printable(issue.keys[0] ?? '')}"`;
  if (issue.code === 'invalid_value')
    return `${where}has to be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type')
    return `${where}${where === '' ? 'a row ' : ''}has to be ${WORDS[issue.expected] ?? issue.expected}`;
  return where + issue.message;
}

const WORDS: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  object: 'an object',
  string: 'a string',
  number: 'a number',
};

function designOf({ name, like, title, source, publishedRates, ...switches }: Row): Design {
  const { callbackRules: _, publishedRates: __, ratesNote: ___, ...base } = rowNamed(like);
  const given = Object.fromEntries(
    Object.entries(switches).filter(([, value]) => value !== undefined),
  ) as Partial<DesignSwitches>;
  const design = {
    ...base,
    ...given,
    name,
    title: title ?? `like ${base.name}, with switches of one's own`,
    source: source ?? 'a design file',
    publishedRates,
    differs: [],
  };
  return { ...design, callbackRules: sharesCallbacks(design) ? 'direct-map' : 'none' };
}

function rowNamed(name = 'merged'): Design {
  const design = findDesign(name);
  if (design === undefined) throw new Error(`no design ${name}`);
  return design;
}

type Value = string | boolean;

/** Which values of which switches go with the others: what the engine replays, and no more. */
const TOGETHER: Readonly<
  Record<
    string,
    { readonly when: string; readonly allowed: Readonly<Record<string, readonly Value[]>> }
  >
> = {
  virtqueue: {
    when: 'maps is "round" and counter is "virtqueue"',
    allowed: {
      filtersMemory: [false],
      overlap: ['inclusive-end'],
      clears: ['start'],
      refusesNonBlockable: ['always', 'overlap'],
      dropsMapsOn: ['setup'],
    },
  },
  mm: {
    when: 'maps is "round" and counter is "mm"',
    allowed: {
      filtersMemory: [false],
      resetsCountOnSetup: [false],
      overlap: ['always'],
      clears: ['start'],
      refusesNonBlockable: ['always'],
      keepsRangesOnFailedSetup: [false],
      dropsMapsOn: ['never'],
    },
  },
  none: {
    when: 'maps is "round" and counter is "none"',
    allowed: {
      faultsPagesIn: [true],
      needsContiguousPages: [false],
      resetsCountOnSetup: [false],
      overlap: ['inclusive-end', 'start-only'],
      clears: ['start-at-unlock', 'range-at-unlock'],
      keepsRangesOnFailedSetup: [true],
      dropsMapsOn: ['successful-setup', 'addr'],
    },
  },
  fixed: {
    when: 'maps is "ioctl" or "never"',
    allowed: { clears: ['never'] },
  },
};

/** Why a row cannot be replayed, naming the switch; undefined when it can. */
function problemOf(design: Design): string | undefined {
  const { when, allowed } =
    TOGETHER[mechanismOf(design) === 'fixed' ? 'fixed' : design.counter] ?? {};
  for (const [name, values] of Object.entries(allowed ?? {})) {
    const value = design[name as keyof DesignSwitches];
    if (!values.includes(value))
      return `${name} is ${JSON.stringify(value)}; it has to be ${values.map((one) => JSON.stringify(one)).join(' or ')} where ${when}`;
  }
  return undefined;
}
