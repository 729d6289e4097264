/** Runs statements of the recording program in the test's own process, on a virtqueue that does not exist. */
import type { Statement } from '../src/recording-program/program-text.ts';

/** What the statements see of the host. Memory is by address, two or eight bytes at once. */
export interface PretendedVirtqueue {
  readonly address: bigint;
  /** Members of struct vhost_virtqueue. */
  readonly members: Readonly<Record<string, bigint>>;
  readonly memory: ReadonlyMap<bigint, bigint>;
}

/** A number of 64 bits, or a tuple of them. */
type Value = bigint | readonly bigint[];

/** A line that was printed: its tag, and its other columns but for those that are always the same. */
export interface PrintedLine {
  readonly tag: string;
  readonly values: readonly bigint[];
}

/** Maps of the program, by name and key, and what it has printed. */
export interface ProgramState {
  readonly maps: Map<string, Value>;
  readonly printed: PrintedLine[];
  /** printfs so far. */
  prints: number;
  /** Reads and writes of maps. */
  mapOperations: number;
  /** Where the statements run, and when. */
  cpu: bigint;
  now: bigint;
}

export function createProgramState(): ProgramState {
  return { maps: new Map(), printed: [], prints: 0, mapOperations: 0, cpu: 0n, now: 0n };
}

type Run = (
  vq: PretendedVirtqueue,
  args: readonly bigint[],
  state: ProgramState,
  run: typeof RUN,
) => void;

/** What translated statements call. */
const RUN = {
  wrap: (value: Value): Value =>
    typeof value === 'bigint'
      ? BigInt.asUintN(64, value)
      : value.map((part) => BigInt.asUintN(64, part)),
  /** Of a tuple; what a map does not hold is 0 in all its parts. */
  part: (value: Value, index: number): bigint =>
    typeof value === 'bigint' ? value : (value[index] ?? 0n),
  read: (state: ProgramState, name: string, key: bigint): Value => {
    state.mapOperations++;
    return state.maps.get(`${name} ${key}`) ?? 0n;
  },
  write: (state: ProgramState, name: string, key: bigint, value: Value): void => {
    state.mapOperations++;
    state.maps.set(`${name} ${key}`, RUN.wrap(value));
  },
  print: (state: ProgramState, format: string, values: readonly bigint[]): void => {
    state.prints++;
    let taken = 0;
    for (const line of format.split('\n').slice(0, -1)) {
      const count = line.split('%').length - 1;
      state.printed.push({
        tag: line.split(' ')[0] ?? '',
        values: values.slice(taken, taken + count),
      });
      taken += count;
    }
  },
  remove: (state: ProgramState, name: string, key: bigint): void => {
    state.mapOperations++;
    state.maps.delete(`${name} ${key}`);
  },
  member: ({ members }: PretendedVirtqueue, name: string): bigint => {
    const value = members[name];
    if (value === undefined) throw new Error(`no member ${name}`);
    return value;
  },
  memory: ({ memory }: PretendedVirtqueue, address: bigint): bigint => memory.get(address) ?? 0n,
};

const MAP = /@(\w+)\[([^\]]+)\]/;

function expression(text: string): string {
  return text
    .replaceAll(/\((?:uint64|struct vhost_virtqueue \*)\)/g, '')
    .replaceAll(/\*\(uint(?:16|64) \*\)uptr\(/g, 'run.memory(vq, ')
    .replaceAll(/\$vq->([\w.]+)/g, "run.member(vq, '$1')")
    .replaceAll(/(?<![\w'])(?:0x[\da-f]+|\d+)\b/g, '$&n')
    .replaceAll(new RegExp(MAP, 'g'), "run.read(state, '$1', $2)")
    .replaceAll(/\barg(\d)\b/g, 'args[$1]')
    .replaceAll(/(\$\w+)\.(\d)n?\b/g, 'run.part($1, $2)')
    .replaceAll(/\bnsecs\b/g, 'state.now')
    .replaceAll(/\bcpu\b/g, 'state.cpu');
}

/** `(a, b)` is a tuple, `(a)` is not. */
function isTuple(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '(') depth++;
    else if (sign === ')') depth--;
    else if (sign === ',' && depth === 1) return true;
    if (depth === 0 && at < text.length - 1) return false;
  }
  return false;
}

function statement(text: string): string {
  const [, turns] = /^unroll\((\d+)\) \{$/.exec(text) ?? [];
  if (turns !== undefined) return `for (let turn = 0; turn < ${turns}; turn++) {`;
  const [, condition] = /^if \((.*)\) \{$/.exec(text) ?? [];
  if (condition !== undefined) return `if (${expression(condition)}) {`;
  if (text === '}' || text === '} else {') return text;
  const [, format, values] = /^printf\("([^"]*)", (.*)\);$/.exec(text) ?? [];
  if (values !== undefined) return `run.print(state, "${format}", [${expression(values)}]);`;
  const [, removed] = /^delete\((.*)\);$/.exec(text) ?? [];
  const [, target = '', sign, value] = /^(\S+) ([+|]?)= (.*);$/.exec(text) ??
    /^(\S+?)(\+)\+(?=(;))/.exec(text) ?? [undefined, removed, undefined, undefined];
  const [, name, key = ''] = MAP.exec(target) ?? [];
  if (removed !== undefined) return `run.remove(state, '${name ?? ''}', ${expression(key)});`;
  if (value === undefined) throw new Error(`not understood: ${text}`);
  const given = isTuple(value)
    ? `[${expression(value.slice(1, -1))}]`
    : expression(value === ';' ? '1' : value);
  const result = sign === '' ? given : `${expression(target)} ${sign ?? ''} (${given})`;
  return name === undefined
    ? `${target} = run.wrap(${result});`
    : `run.write(state, '${name}', ${expression(key)}, ${result});`;
}

function lines(statements: readonly Statement[]): string[] {
  return statements.flatMap((each) => (typeof each === 'string' ? statement(each) : lines(each)));
}

/** Statements that may be run again and again. */
export function translated(
  statements: readonly Statement[],
): (vq: PretendedVirtqueue, args: readonly bigint[], state: ProgramState) => void {
  const text = lines(statements).join('\n');
  const variables = [...new Set(text.match(/\$\w+/g))].map((name) => `${name} = 0n`);
  // oxlint-disable-next-line no-implied-eval -- the statements of the program, and nothing else
  const run = new Function(
    'vq',
    'args',
    'state',
    'run',
    `${variables.length === 0 ? '' : `let ${variables.join(', ')};`}\n${text}`,
  ) as Run;
  return (vq, args, state) => run(vq, args, state, RUN);
}
