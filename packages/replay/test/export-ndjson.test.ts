/** `replay export --format ndjson`: every event is there, and the decisions add up to those of `replay run`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportResultSchema } from '../src/export/export-result.ts';
import { ndjsonLineSchema } from '../src/export/ndjson-schema.ts';
import { infoResultSchema } from '../src/info-result.ts';
import type { RunResult } from '../src/run-result.ts';
import { BIN, shell } from './child-process.ts';
import { CASES, run, STOCK } from './export-cases.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const folder = temporaryFolder();

interface Line {
  readonly [field: string]: unknown;
  readonly kind: string;
  readonly time: string;
  readonly n?: number;
  readonly decision?: string;
  readonly reason?: string;
  readonly accesses?: readonly { readonly n: number; readonly decision: string; least: number }[];
}

function linesOf(path: string): Line[] {
  const text = readFileSync(path, 'latin1');
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

async function exported(input: string, ...options: string[]): Promise<Line[]> {
  const output = join(folder, 'out.ndjson');
  const { code, out } = await replay('export', '-o', output, ...options, input);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  return linesOf(output);
}

/** Accesses by decision. */
function sumOf(lines: readonly Line[]): Record<string, number> {
  const sums: Record<string, number> = { hit: 0, fallback: 0, iotlb: 0, ambiguous: 0 };
  const add = (decision: string | undefined, n = 0): void => {
    if (decision !== undefined) sums[decision] = (sums[decision] ?? 0) + n;
  };
  for (const { kind, decision, n, accesses } of lines) {
    if (kind === 'access') add(decision, n);
    for (const derived of accesses ?? []) add(derived.decision, derived.n);
  }
  return sums;
}

const totalsOf = ({ totals }: RunResult): Record<string, number> => ({
  hit: totals.hits,
  fallback: totals.fallbacks,
  iotlb: totals.iotlb,
  ambiguous: totals.ambiguous,
});

describe.each(CASES)('%s', (_name, path, options) => {
  it('decides every access as replay run does', async () => {
    const lines = await exported(path, ...options);
    const result = await run(...options, path);
    expect(sumOf(lines)).toEqual(totalsOf(result));
    const reasons: Record<string, number> = {};
    for (const { decision, reason, n = 0 } of lines)
      if (decision === 'fallback' && reason !== undefined)
        reasons[reason] = (reasons[reason] ?? 0) + n;
    if (result.host === 'direct-map') expect(reasons).toEqual(result.totals.reasons);
  });
});

it.each([
  ['u5', trace('u5').path, []],
  ['s3', trace('s3').path, ['--order', 'ranges']],
  ['a stock host', STOCK, []],
])('%s: lines are as their schema says', async (_name, path, options) => {
  const seen: Record<string, number> = {};
  for (const line of await exported(path, ...options)) {
    const what = `${line.kind} ${line.decision}`;
    seen[what] = (seen[what] ?? 0) + 1;
    // Of a kind, some are enough.
    if (seen[what] <= 50) expect(ndjsonLineSchema.parse(line)).toEqual(line);
  }
  expect(Object.keys(seen).length).toBeGreaterThan(5);
});

it('the schema of a line refuses what no line holds', async () => {
  const [line = {}] = await exported(trace('u5').path);
  expect(ndjsonLineSchema.safeParse({ ...line, kind: 'event' }).success).toBe(false);
  expect(ndjsonLineSchema.safeParse({ ...line, vq: 'first' }).success).toBe(false);
  const { out } = await replay('schema', 'ndjson');
  expect(JSON.parse(out)).toHaveProperty('anyOf');
});

it('has all events, with the fields and the words of the table', async () => {
  const lines = await exported(trace('u5').path);
  const info = infoResultSchema.parse(
    JSON.parse((await replay('info', '--json', trace('u5').path)).out),
  );
  const counts: Record<string, number> = {};
  for (const { kind } of lines) counts[kind] = (counts[kind] ?? 0) + 1;
  expect(counts).toMatchObject(info.recordings[0]?.events ?? {});
  expect(lines[0]).toMatchObject({
    kind: 'recording',
    judged: { design: 'merged', order: 'effects' },
  });
  expect(lines.find(({ kind }) => kind === 'range_start')).toEqual({
    recording: 0,
    time: '93938092117',
    cpu: 0,
    line: 490,
    kind: 'range_start',
    dev: 0,
    start: '93964840091648',
    end: '93964840095744',
    cause: 'protection_page',
    blockable: 1,
    pid: 444,
    comm: 'vload',
  });
});

it('an ambiguous access says why, as explain does', async () => {
  const lines = await exported(trace('s3').path, '--order', 'ranges');
  const at = lines
    .filter(({ kind }) => kind === 'access')
    .findIndex(({ decision }) => decision === 'ambiguous');
  expect(at).toBeGreaterThan(0);
  const args = ['explain', '--json', '--order', 'ranges', '--access', String(at + 1)];
  const { predicted } = JSON.parse((await replay(...args, trace('s3').path)).out) as {
    predicted: { reason: string };
  };
  const found = lines.filter(({ kind }) => kind === 'access')[at];
  expect(found?.reason).toBe(predicted.reason);
});

describe('a stock host recorded in more detail than rounds', () => {
  const vq = 'ffff8cc54f964ab0';
  const head = [
    '# vhostscope 1',
    `V 40453849958 0 ${vq} ffff8cc54f960000 214 1 1`,
    `U 40453887747 0 ${vq} 0 7fef24a07000 4096 -`,
  ];
  const end = `E 40458732263 0 ${vq} 2 256 1 4000000000000 4002e002e002e`;

  it('calls: what grew in a round is told with its end, what grew outside with the counters', async () => {
    const path = textFile(
      'calls.txt',
      ...head,
      `C 40458132200 0 ${vq} 2 0 0 0 0 0 0 0 0 0`,
      `M 40458132263 0 ${vq}`,
      `C 40458732200 0 ${vq} 5 46 1 0 0 92 0 1 2 1`,
      end,
      '',
    );
    const lines = await exported(path);
    expect(sumOf(lines)).toEqual(totalsOf(await run(path)));
    const counted = lines.filter(({ kind }) => kind === 'counted');
    expect(counted.map(({ accesses }) => accesses?.map(({ n }) => n))).toEqual([[2], undefined]);
    expect(counted[0]?.accesses?.[0]).toMatchObject({
      accessor: 'get_avail_idx',
      decision: 'ambiguous',
      reason: 'made outside of any round, and when is not in the trace',
    });
    const [round] = lines.filter(({ kind }) => kind === 'round_end');
    expect(round?.accesses?.map(({ n }) => n)).toEqual([3, 46, 1, 92, 1, 2, 1]);
  });

  it('accesses: one within a round is decided when it ends', async () => {
    const path = textFile(
      'accesses.txt',
      ...head,
      `A 40458132000 0 ${vq} 5 - 1`,
      `M 40458132263 0 ${vq}`,
      `A 40458132264 0 ${vq} 9 - 1`,
      `A 40458132265 0 ${vq} 1 - 1`,
      end,
      '',
    );
    const lines = await exported(path);
    expect(sumOf(lines)).toEqual(totalsOf(await run(path)));
    const accesses = lines.filter(({ kind }) => kind === 'access');
    expect(accesses.map(({ decision }) => decision !== undefined)).toEqual([true, false, false]);
    const [round] = lines.filter(({ kind }) => kind === 'round_end');
    expect(round?.accesses?.reduce((sum, { n }) => sum + n, 0)).toBe(2);
  });
});

it('times and addresses keep all their bits', async () => {
  const lines = await exported(
    textFile(
      'wide.txt',
      '# vhost-oracle 1',
      'U 1152921504606846977 0 ffff888100000100 0 ffffffffffffffff 1 0',
      '',
    ),
  );
  expect(lines.find(({ kind }) => kind === 'addresses')).toMatchObject({
    time: '1152921504606846977',
    address: '18446744073709551615',
  });
});

it('a hostile name is text in a string, and ends where the kernel ended it', async () => {
  const name = 'a"\\x1b[2J\\x0a{}\\x00left over';
  const lines = await exported(
    textFile(
      'hostile.txt',
      ...textOf('s3')
        .split('\n')
        .map((line) => line.replace(/vload(\\x00)*$/, () => name)),
    ),
  );
  const names = new Set(lines.flatMap(({ comm }) => (typeof comm === 'string' ? [comm] : [])));
  expect([...names]).toContain('a"\\x1b[2J\\x0a{}');
});

function textFile(name: string, ...lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n'), 'latin1');
  return path;
}

describe('the output', () => {
  it('is told by --json, on its schema', async () => {
    const output = join(folder, 'told.jsonl');
    const { out, err } = await replay('export', '--json', '-o', output, trace('u5').path);
    expect(err).toBe('');
    const result = exportResultSchema.parse(JSON.parse(out));
    expect(result).toMatchObject({ format: 'ndjson', output, complete: null, order: 'effects' });
    expect(result.events + result.marks).toBe(linesOf(output).length);
    const told = await replay('info', '--json', trace('u5').path);
    const info = infoResultSchema.parse(JSON.parse(told.out));
    const counts = Object.values(info.recordings[0]?.events ?? {});
    expect(result.events).toBe(counts.reduce((sum, count) => sum + count, 0));
    // Where it begins and ends, and two virtqueues, each of them with its device and then with its place.
    expect(result.marks).toBe(6);
    const words = await replay('export', '-o', output, trace('u5').path);
    expect(words.err).toContain('4,813 events and 6 marks of recordings and virtqueues, ');
    expect(result.bytes).toBe(readFileSync(output).length);
  });

  it.each([
    [['-o', 'x.unknown'], /which format\? .*\nreplay: --format takes ndjson/],
    [
      ['-o', '/does/not/exist/x.ndjson'],
      /cannot write \/does\/not\/exist\/x\.ndjson: its folder does not exist/,
    ],
    [['-o', '/tmp', '--format', 'ndjson'], /cannot write \/tmp: is a directory/],
    [
      ['-o', '/dev/full', '--format', 'ndjson'],
      /cannot write \/dev\/full: no space left on the device/,
    ],
    [['-o', '-', '--format', 'ndjson', '--json'], /both go to standard output/],
    [['--format', 'ndjson'], /required option '-o, --output <file>'/],
    [['-o', 'x.ndjson', '--design', 'none'], /no design is called "none"/],
    [['-o', trace('u5').path, '--format', 'ndjson'], /is the trace that is exported/],
  ])('%j is refused in a sentence', async (options, said) => {
    const { code, out, err } = await replay('export', ...options, trace('u5').path);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
    expect(err).not.toMatch(/unexpected|^ +at /m);
  });

  it('replaces a file only when the export is whole, and leaves nothing behind', async () => {
    const output = join(folder, 'kept.ndjson');
    writeFileSync(output, 'before');
    const empty = join(folder, 'empty.txt');
    writeFileSync(empty, '');
    expect((await replay('export', '-o', output, empty)).err).toMatch(/empty\.txt is empty/);
    expect(readFileSync(output, 'utf8')).toBe('before');
    await replay('export', '-o', output, trace('u5').path);
    expect(readFileSync(output).length).toBeGreaterThan(100_000);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('of a torn trace holds what can be read, and --strict says so', async () => {
    const torn = join(folder, 'torn.arrows');
    writeTrace(torn, [textOf('d1')]);
    truncateSync(torn, readFileSync(torn).length >> 1);
    const output = join(folder, 'torn.ndjson');
    const { code, err } = await replay('export', '--strict', '-o', output, torn);
    expect(code).toBe(1);
    expect(err).toMatch(/torn\.arrows: the last \d+ bytes/);
    expect(sumOf(linesOf(output))).toEqual(totalsOf(await run(torn)));
  });
});

describe.concurrent('a process', () => {
  it.each([['| head -1'], ['| head -c 100000 | wc -c'], ['| true']])(
    'whose reader goes away ends quietly: %s',
    async (reader) => {
      const { err } = await shell(
        `{ $REPLAY export -o - --format ndjson '${trace('d1').path}'; echo "exit $?" >&2; } ${reader}`,
      );
      expect(err).toBe('exit 0\n');
    },
  );

  it('on a full disk says so', async () => {
    const { code, err } = await shell(
      `$REPLAY export -o - --format ndjson '${trace('d1').path}' > /dev/full`,
    );
    expect(code).toBe(2);
    expect(err).toMatch(/^replay: cannot write .*no space left on/);
    expect(err).not.toMatch(/ at /);
  });

  it('Ctrl-C: exit 130, a word, and no file', async () => {
    const big = join(folder, 'big.txt');
    writeFileSync(big, textOf('d1').repeat(20), 'latin1');
    const output = join(folder, 'never.ndjson');
    const child = spawn(process.execPath, [BIN, 'export', '-o', output, big]);
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const begun = (): boolean => readdirSync(folder).some((name) => name.endsWith('.part'));
    while (!begun()) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, err }).toEqual({ code: 130, err: 'replay: interrupted, nothing was written\n' });
    expect(existsSync(output)).toBe(false);
    expect(begun()).toBe(false);
  });
});
