/** `replay export --anonymise`: nothing that identifies a host is in it, and all that figures are made of is. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  writeLoss,
  writeOwnEvent,
  type TraceHeader,
} from '@vhostscope/trace';
import { beforeAll, describe, expect, it } from 'vitest';
import { ndjsonLineSchema } from '../src/export/ndjson-schema.ts';
import { query } from './duckdb.ts';
import { CASES } from './export-cases.ts';
import { replay } from './in-process.ts';
import { readPerfettoTrace } from './perfetto-trace.ts';
import { temporaryFolder } from './traces.ts';

const folder = temporaryFolder();

type Line = Readonly<Record<string, unknown>> & { readonly kind: string; readonly time: string };

async function written(input: string, name: string, ...options: string[]): Promise<string> {
  const output = join(folder, name);
  const { code, out } = await replay('export', '-o', output, ...options, input);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  return output;
}

function linesOf(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

const ADDRESSES = ['address', 'start', 'end', 'iova'] as const;
/** All that an anonymised line may have otherwise. */
const CHANGED = [
  'time',
  'pid',
  'owner',
  'comm',
  'note',
  'judged',
  'stack',
  'pointer',
  ...ADDRESSES,
];
const WHOLE = String((1n << 64n) - 1n);

function rest(line: Line): object {
  return Object.fromEntries(Object.entries(line).filter(([key]) => !CHANGED.includes(key)));
}

/** What may stand nowhere: names, addresses and times. Numbers of processes are told apart by their fields only. */
function secretsOf(lines: readonly Line[]): { words: Set<string>; numbers: Set<string> } {
  const words = new Set<string>();
  const numbers = new Set<string>();
  for (const line of lines) {
    if (typeof line['comm'] === 'string') words.add(line['comm']);
    if (line.time !== '0') numbers.add(line.time);
    for (const field of ADDRESSES) {
      const value = line[field];
      if (typeof value === 'string' && value !== '0' && value !== WHOLE) numbers.add(value);
    }
  }
  return { words, numbers };
}

/** Secrets in a text, in decimal or hex. */
function found(text: string, { words, numbers }: ReturnType<typeof secretsOf>): string[] {
  const inHex = new Set([...numbers].map((number) => BigInt(number).toString(16)));
  return [
    ...[...words].filter((word) => new RegExp(`(?<![\\w ])${escaped(word)}(?!\\w)`).test(text)),
    ...(text.match(/\d+/g) ?? []).filter((number) => numbers.has(number)),
    ...(text.match(/[0-9a-f]{6,}/g) ?? []).filter((number) => inHex.has(number)),
  ];
}

const escaped = (word: string): string => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** What is in an export, as text. */
async function textOfParquet(path: string): Promise<string> {
  const rows = await query(`select * from '${path}' where kind != 'access'`);
  const footer = await query(
    `select decode(key) k, decode(value) v from parquet_kv_metadata('${path}')`,
  );
  return JSON.stringify([rows, footer]);
}

function textOfPerfetto(path: string): string {
  const { tracks, slices, instants, counters } = readPerfettoTrace(path);
  return JSON.stringify(
    [...tracks.values(), ...slices.values(), ...instants.values(), ...counters.values()],
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
}

/** By the kernel's own test: an end that is where the area begins is over it. */
function overlaps(lines: readonly Line[]): number[] {
  const areas = new Map<string, readonly [bigint, bigint]>();
  const big = (value: unknown): bigint => BigInt(value as string);
  const counts: number[] = [];
  for (const line of lines) {
    if (line.kind === 'addresses' && line['size'] !== '0')
      areas.set(`${String(line['vq'])} ${String(line['area'])}`, [
        big(line['address']),
        big(line['address']) + big(line['size']),
      ]);
    if (line['start'] === undefined) continue;
    const [start, end] = [big(line['start']), big(line['end'])];
    counts.push([...areas.values()].filter(([from, to]) => end >= from && start < to).length);
  }
  return counts;
}

/** Pairs of what stands for what; throws where one thing stands for two, or two for one. */
function pairing(what: string): (from: unknown, to: unknown) => void {
  const there = new Map<unknown, unknown>();
  const back = new Map<unknown, unknown>();
  return (from, to) => {
    if (there.has(from) && there.get(from) !== to)
      throw new Error(`${what}: ${String(from)} is two`);
    if (back.has(to) && back.get(to) !== from) throw new Error(`${what}: ${String(to)} is of two`);
    there.set(from, to);
    back.set(to, from);
  };
}

function expectSameButNames(before: readonly Line[], after: readonly Line[]): void {
  expect(after.map(rest)).toEqual(before.map(rest));
  const pid = pairing('pid');
  const comm = pairing('comm');
  const time = pairing('time');
  const distances = new Map<unknown, Set<bigint>>();
  const numbers = new Set<unknown>();
  for (const [at, line] of before.entries()) {
    const told = after[at] ?? line;
    expect(Object.keys(told)).toEqual(Object.keys(line).filter((key) => key !== 'pointer'));
    time(line['recording'], BigInt(line.time) - BigInt(told.time));
    for (const field of ['pid', 'owner'] as const)
      if (line[field] !== undefined) {
        pid(line[field], told[field]);
        numbers.add(told[field]);
      }
    const { comm: name } = line;
    if (typeof name === 'string') comm(`${String(line['pid'])} ${name}`, told['comm']);
    for (const field of ADDRESSES) {
      const value = line[field];
      if (value === undefined || value === '0' || value === WHOLE) continue;
      const of = distances.get(line['owner']) ?? new Set<bigint>();
      distances.set(line['owner'], of);
      of.add(BigInt(told[field] as string) - BigInt(value as string));
    }
  }
  // As small as they can be.
  for (const number of numbers) expect(Number(number)).toBeLessThanOrEqual(numbers.size);
  for (const of of distances.values()) {
    expect(of.size).toBe(1);
    for (const distance of of) expect(distance % (1n << 21n)).toBe(0n);
  }
  expect(overlaps(after)).toEqual(overlaps(before));
}

/** Of accesses, nearly all lines, only the time may change; they have neither names nor addresses. */
function withoutAccesses(path: string): { rest: Line[]; accesses: string[]; times: bigint[] } {
  const all = readFileSync(path, 'utf8').trimEnd().split('\n');
  const isAccess = (line: string): boolean => line.includes('"kind":"access"');
  const accesses = all.filter(isAccess);
  return {
    rest: all.filter((line) => !isAccess(line)).map((line) => JSON.parse(line) as Line),
    accesses: accesses.map((line) => line.replace(TIME, '')),
    times: accesses.map((line) => BigInt(TIME.exec(line)?.[1] ?? 0)),
  };
}
const TIME = /"time":"(\d+)"/;

// Which design decides changes nothing of what is left out.
const OWN_DESIGN = CASES.filter(([, , options]) => !options.includes('copy'));

describe.each(OWN_DESIGN)('%s', (_name, path, options) => {
  it('all else is the same, and nothing of the host is left', { timeout: 60_000 }, async () => {
    const before = withoutAccesses(await written(path, 'plain.ndjson', ...options));
    const output = await written(path, 'told.ndjson', ...options, '--anonymise');
    const after = withoutAccesses(output);
    expectSameButNames(before.rest, after.rest);
    expect(after.accesses.join('\n') === before.accesses.join('\n')).toBe(true);
    const base = BigInt(before.rest[0]?.time ?? 0) - BigInt(after.rest[0]?.time ?? 0);
    expect(base).toBeGreaterThan(0n);
    expect(after.times.every((time, at) => time + base === before.times[at])).toBe(true);
    const secrets = secretsOf(before.rest);
    expect(secrets.words.size).toBeGreaterThan(0);
    // The search would find what is there.
    expect(found(JSON.stringify(before.rest), secrets)).not.toEqual([]);
    const parquet = await written(path, 'told.parquet', ...options, '--anonymise');
    const perfetto = await written(path, 'told.pftrace', ...options, '--anonymise');
    for (const told of [
      JSON.stringify(after.rest),
      await textOfParquet(parquet),
      textOfPerfetto(perfetto),
    ]) {
      expect(found(told, secrets)).toEqual([]);
      expect(told).not.toContain(path);
    }
    const [times] = await query(`select min(time)::text f, max(time)::text l from '${parquet}'`);
    expect(BigInt(times?.['f'] as string)).toBe(0n);
    expect(BigInt(times?.['l'] as string)).toBeLessThan(base);
  });
});

const SECRETS = ['/home/alice', 'web1', '6.1.0-99-secret', 'Xeon of Alice', 'qemu-of-alice'];
const VQ = 'ffff888100000100';
const OTHER_VQ = 'ffff888200000100';

describe('a live recording of two processes', () => {
  const path = join(folder, 'web1.arrows');
  const header: TraceHeader = {
    sources: ['/home/alice/web1.txt'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: true,
    preemption: 'voluntary',
    host: { kernel: '6.1.0-99-secret', architecture: 'x86_64', cpu: 'Xeon of Alice', numaNodes: 2 },
    program: '// web1',
  };
  const range = (owner: number, is: number, time: number, start: string, end: string): string =>
    `K ${time} 0 ${owner} ${is} ${start} ${end} 1 1 ${owner} 7 qemu-of-alice`;
  const text = [
    '# vhostscope 1',
    `V 9000000000001 0 ${VQ} ffff888100000000 4242 0 1`,
    `V 9000000000002 0 ${OTHER_VQ} ffff888200000000 5252 0 1`,
    `U 9000000000003 0 ${VQ} 0 7fef24a07000 4096 -`,
    `U 9000000000004 0 ${OTHER_VQ} 0 7fef24a07000 4096 -`,
    range(4242, 1, 9000000000005, '7fef24a07000', '7fef24a08000'),
    range(4242, 0, 9000000000006, '7fef24a07000', '7fef24a08000'),
    range(5252, 1, 9000000000007, '0', 'ffffffffffffffff'),
    range(5252, 0, 9000000000008, '0', 'ffffffffffffffff'),
    `K 9000000000009 0 4242 1 7fef24a07000 7fef24a08000 1 1 4343 7 vhost-4242`,
    `K 9000000000010 0 4242 0 7fef24a07000 7fef24a08000 1 1 4343 7 vhost-4242`,
    `K 9000000000011 0 4242 1 7fef24a07000 7fef24a08000 1 1 4242 7 CPU 0/KVM`,
    `K 9000000000012 0 4242 0 7fef24a07000 7fef24a08000 1 1 4242 7 CPU 0/KVM`,
    '',
  ];

  beforeAll(() => {
    const fd = openSync(path, 'w');
    const writer = createTraceWriter(fd, header);
    const importer = createTextImporter(writer, createImportReport());
    importer.push(Buffer.from(text.join('\n')));
    writeLoss(writer, 3n, 'web1 of /home/alice', 0);
    writeOwnEvent(writer, 0, {
      event: 'stack',
      time: 9000000000020n,
      values: {
        stack: 7n,
        class: 0,
        note: 'try_to_unmap ffffffffc0de1234 0xffffffff81000000 rmap',
      },
    });
    importer.end();
    closeTrace(writer);
    closeSync(fd);
  });

  it('has numbers for processes, and each address space a distance of its own', async () => {
    const lines = linesOf(await written(path, 'told.ndjson', '--anonymise'));
    for (const line of lines) expect(ndjsonLineSchema.parse(line)).toEqual(line);
    expect(lines.some((line) => 'pointer' in line)).toBe(false);
    const ranges = lines.filter(({ kind }) => kind === 'core_range_start');
    expect(ranges.map(({ owner, pid, comm }) => [owner, pid, comm])).toEqual([
      [1, 1, 'process 1'],
      [2, 2, 'process 2'],
      [1, 3, 'vhost worker 1'],
      [1, 1, 'process 1, name 2'],
    ]);
    const [one, other] = lines.filter(({ kind }) => kind === 'addresses');
    expect(one?.['address']).not.toBe(other?.['address']);
    expect(BigInt(one?.['address'] as string) % 0x200000n).toBe(0x7fef24a07000n % 0x200000n);
    expect(ranges[0]?.['start']).toBe(one?.['address']);
    // What is over all of memory is so still, and does not tell by how much the rest was moved.
    expect([ranges[1]?.['start'], ranges[1]?.['end']]).toEqual(['0', WHOLE]);
    expect(lines.find(({ kind }) => kind === 'stack')?.['note']).toBe(
      'try_to_unmap unnamed unnamed rmap',
    );
    expect(lines.find(({ kind }) => kind === 'lost')?.['note']).toBe('others');
    expect(lines[0]?.['judged']).toMatchObject({
      trace: 'anonymised',
      live_since: '0',
      lost: { others: '3' },
    });
  });

  it('moves addresses by another distance each time', async () => {
    const ringOf = async (): Promise<unknown> =>
      linesOf(await written(path, 'told.ndjson', '--anonymise')).find(
        ({ kind }) => kind === 'addresses',
      )?.['address'];
    expect(await ringOf()).not.toBe(await ringOf());
  });

  it('has nothing of the host, in any format', async () => {
    const ndjson = await written(path, 'told.ndjson', '--anonymise');
    const parquet = await written(path, 'told.parquet', '--anonymise');
    const perfetto = await written(path, 'told.pftrace', '--anonymise');
    const bytes = [ndjson, parquet, perfetto].map((file) => readFileSync(file, 'latin1'));
    const read = [await textOfParquet(parquet), textOfPerfetto(perfetto)];
    for (const told of [...bytes, ...read]) {
      for (const secret of [...SECRETS, 'CPU 0', 'vhost-4242', 'c0de1234', '90000000000'])
        expect(told).not.toContain(secret);
      expect(told).not.toContain('888100000100');
    }
    expect(read[0]).not.toMatch(/\b(4242|4343|5252)\b/);
    expect(read[1]).not.toMatch(/\b(4242|4343|5252)\b/);
    expect(bytes[0]).not.toMatch(/\b(4242|4343|5252)\b/);
    expect(
      [...readPerfettoTrace(perfetto).tracks.values()].flatMap((track) => track.process?.pid ?? []),
    ).toEqual([1, 2]);
  });

  it('says what it left in, and that --json is not part of it', async () => {
    const output = join(folder, 'told.ndjson');
    const { err } = await replay('export', '-o', output, '--anonymise', path);
    expect(err).toContain('; anonymised: what goes on when');
    const { out } = await replay('export', '-o', output, '--anonymise', '--json', path);
    expect(JSON.parse(out)).toMatchObject({ anonymised: true, trace: path });
    const plain = await replay('export', '-o', output, '--json', path);
    expect(JSON.parse(plain.out)).toMatchObject({ anonymised: false });
  });
});

it('the words of damage stay behind, their number does not', async () => {
  const path = join(folder, 'of alice.txt');
  writeFileSync(path, `# vhost-oracle 1\nM 50 0 ${VQ}\nM alice 0 ${VQ}\nM 60 0 ${VQ}\n`);
  const [first] = linesOf(await written(path, 'told.ndjson', '--anonymise'));
  expect(first?.['judged']).toMatchObject({
    damage: ['1 problem of the input, of which nothing is told here'],
  });
});

it('rings of which nobody knows the device move with the ranges that may be over them', async () => {
  const path = join(folder, 'no device.txt');
  const lines = [
    '# vhost-oracle 1',
    `U 50 0 ${VQ} 0 7fef24a07000 4096 0`,
    'R 60 0 ffff888300000000 1 7fef24a07000 7fef24a08000 1 1 42 load',
    '',
  ];
  writeFileSync(path, lines.join('\n'));
  const told = linesOf(await written(path, 'told.ndjson', '--anonymise'));
  const [ring] = told.filter(({ kind }) => kind === 'addresses');
  const [range] = told.filter(({ kind }) => kind === 'range_start');
  expect(range?.['start']).toBe(ring?.['address']);
});
