/** `replay export --format perfetto`: well-formed, and true to what the engine knows. */
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INVALIDATION_CLASSES } from '@vhostscope/model';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  writeOwnEvent,
} from '@vhostscope/trace';
import { describe, expect, it } from 'vitest';
import { explainResultSchema } from '../src/explain-result.ts';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { stormsResultSchema } from '../src/storms-result.ts';
import { shell } from './child-process.ts';
import { replay } from './in-process.ts';
import { readPerfettoTrace, type PerfettoTrace, type Slice } from './perfetto-trace.ts';
import { temporaryFolder, textOf, trace, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const STOCK = join(import.meta.dirname, 'golden/stock/storm-q256.arrows.gz');

async function exported(input: string, ...options: string[]): Promise<PerfettoTrace> {
  const output = join(folder, 'out.pftrace');
  const { code, out, err } = await replay('export', '-o', output, ...options, input);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).not.toMatch(/unexpected/);
  return readPerfettoTrace(output);
}

async function run(...args: string[]): Promise<RunResult> {
  return runResultSchema.parse(JSON.parse((await replay('run', '--json', ...args)).out));
}

/** What is on the tracks whose path ends so. */
function on<Value>(
  perfetto: PerfettoTrace,
  lists: ReadonlyMap<string, readonly Value[]>,
  ending: string,
): Value[] {
  return [...lists].flatMap(([uuid, list]) => (perfetto.path(uuid).endsWith(ending) ? list : []));
}

/** What a rate adds up to: it stands from one value to the next. */
function integral(values: readonly { at: bigint; value: number }[]): number {
  let sum = 0;
  for (const [i, { at, value }] of values.entries()) {
    const next = values[i + 1];
    if (next === undefined) expect(value).toBe(0);
    else sum += (value * Number(next.at - at)) / 1e9;
  }
  return Math.round(sum);
}

const CASES = TRACES.flatMap(({ name, path, design }) =>
  [
    ['--order', 'auto'],
    ['--order', 'ranges'],
    ['--design', 'copy'],
  ].map(
    (options) => [`${name} ${options.join(' ')}`, path, ['--design', design, ...options]] as const,
  ),
);

describe.each([...CASES, ['a stock host', STOCK, []] as const])('%s', (_name, path, options) => {
  it('is well-formed, and its rates and slices add up to what replay run counts', async () => {
    const perfetto = await exported(path, ...options);
    const { counters, slices, tracks } = perfetto;
    const { totals, rounds, virtqueues, ranges } = await run(...options, path);
    const root = [...tracks.values()].find(({ name }) => name === 'vhost');
    expect(root).toBeDefined();
    expect(integral(on(perfetto, counters, 'vhost/accesses/s'))).toBe(totals.accesses);
    for (const { id, totals: of, rounds: howMany } of virtqueues) {
      expect(integral(on(perfetto, counters, `/vq ${id}/accesses/s`))).toBe(of.accesses);
      const found = on(perfetto, slices, `/vq ${id}/rounds`);
      expect(found).toHaveLength(howMany);
    }
    const all = on(perfetto, slices, '/rounds');
    expect(all).toHaveLength(rounds);
    // Those that were made in no round are not in any.
    const inRounds = all.reduce((sum, { annotations }) => sum + Number(annotations['accesses']), 0);
    expect(inRounds).toBeLessThanOrEqual(totals.accesses);
    expect(inRounds).toBeGreaterThan(0.9 * totals.accesses);
    if (ranges.start > 0) expect(on(perfetto, slices, '/invalidations')).toHaveLength(ranges.start);
    for (const { value } of on(perfetto, counters, ' %')) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(100);
    }
  });
});

/** Slices of one track do not overlap, and leave nothing out from the first to the last. */
function expectSequence(slices: readonly Slice[]): void {
  for (const [i, { begin }] of slices.entries()) if (i > 0) expect(begin).toBe(slices[i - 1]?.end);
}

const NAMES: Readonly<Record<string, string>> = {
  hit: 'mapped',
  ambiguous: 'unknown',
  iotlb: 'device IOTLB',
};

describe.each([
  ['s3', 'effects'],
  ['s3', 'ranges'],
  ['u5', 'effects'],
  ['p1', 'ranges'],
])('the maps of %s in %s order', (name, order) => {
  it('are at any moment as explain tells', async () => {
    const options = ['--order', order];
    const perfetto = await exported(trace(name).path, ...options);
    for (const area of ['desc', 'avail', 'used']) {
      for (const [uuid, list] of perfetto.slices)
        if (perfetto.path(uuid).endsWith(`/${area}`)) expectSequence(list);
    }
    const first = on(perfetto, perfetto.slices, '/desc')[0]?.begin ?? 0n;
    const last = on(perfetto, perfetto.slices, '/desc').at(-1)?.end ?? 0n;
    for (let part = 1n; part < 12n; part++) {
      const at = first + ((last - first) * part) / 12n;
      const { out } = await replay(
        'explain',
        '--json',
        '--at',
        String(at),
        ...options,
        trace(name).path,
      );
      const { vq, event, after } = explainResultSchema.parse(JSON.parse(out));
      const time = BigInt(event.time);
      for (const { area, map, reason } of after.areas) {
        const list = on(perfetto, perfetto.slices, `/vq ${vq}/${area}`);
        // Of several that begin at the same time the last counts.
        const slice = list.findLast(({ begin }) => begin <= time);
        expect({ name: slice?.name, reason: slice?.annotations['reason'] }).toEqual({
          name: NAMES[map] ?? 'not mapped',
          reason,
        });
      }
    }
  });
});

it('overlapping invalidations are on tracks of their own, with all that is known of them', async () => {
  const perfetto = await exported(trace('s1').path);
  const lanes = [...perfetto.slices].filter(([uuid]) =>
    perfetto.path(uuid).endsWith('/invalidations'),
  );
  expect(lanes.length).toBeGreaterThan(1);
  for (const [, list] of lanes)
    for (const [i, { begin }] of list.entries())
      if (i > 0) expect(begin).toBeGreaterThanOrEqual(list[i - 1]?.end ?? 0n);
  const [found] = on(perfetto, perfetto.slices, '/invalidations');
  expect(found?.annotations).toMatchObject({ blockable: '1', comm: expect.any(String) as string });
  expect(Object.keys(found?.annotations ?? {})).toEqual(
    expect.arrayContaining(['start', 'end', 'cause', 'pid', 'line']),
  );
});

/** A recording of a stock host with one ring of process 42; stack 7 is of ksm, and is told after the ranges that name it. */
function stockTrace(name: string, lines: readonly string[], end: bigint): string {
  const path = join(folder, name);
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  const importer = createTextImporter(writer, createImportReport());
  const vq = 'ffff888100000100';
  const head = ['# vhostscope 1', `V 1000 0 ${vq} ffff888100000000 42 0 1`];
  importer.push(Buffer.from([...head, ...lines, ''].join('\n')));
  const ksm = INVALIDATION_CLASSES.indexOf('ksm');
  writeOwnEvent(writer, 0, {
    event: 'stack',
    time: end,
    values: { stack: 7n, class: ksm, note: 'try_to_merge_one_page' },
  });
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return path;
}

const RANGE = '7f0000000000 7f0000001000 1 1 42';

it('a stock host has processes, and invalidations by who makes them', async () => {
  const path = stockTrace(
    'stock.arrows',
    [
      'M 2000 0 ffff888100000100',
      `K 3000 0 42 1 ${RANGE} 7 ksmd`,
      `K 3500 1 42 1 ${RANGE} 8 other`,
      `K 4000 0 42 0 ${RANGE} 7 ksmd`,
      `F 4500 0 42 7f0000000000 7f0000001000 42 - ksmd`,
    ],
    5000n,
  );
  const perfetto = await exported(path);
  expect([...perfetto.slices.keys()].map((uuid) => perfetto.path(uuid))).toContain(
    'pid 42/vhost dev 0/vq 0/desc',
  );
  expect(
    on(perfetto, perfetto.slices, 'pid 42/invalidations').map(({ name, begin, end }) => [
      name,
      begin,
      end,
    ]),
  ).toEqual([
    ['ksm', 3000n, 4000n],
    ['clear', 3500n, 5000n],
  ]);
  expect(on(perfetto, perfetto.instants, 'pid 42/TLB flushes')).toMatchObject([
    { name: 'TLB flush', begin: 4500n, annotations: { start: '139637976727552', comm: 'ksmd' } },
  ]);
});

/** A thousand ranges a second over the ring, for half a second. */
const stockStorm = (): string =>
  stockTrace(
    'stock-storm.arrows',
    [
      'U 2000 0 ffff888100000100 0 7f0000000000 4096 -',
      ...Array.from({ length: 500 }, (_, i) => [
        `K ${1_000_000 * (i + 1)} 0 42 1 ${RANGE} ${i % 5 === 0 ? 8 : 7} ksmd`,
        `K ${1_000_000 * (i + 1) + 1000} 0 42 0 ${RANGE} ${i % 5 === 0 ? 8 : 7} ksmd`,
      ]).flat(),
    ],
    600_000_000n,
  );

const twoRecordings = (): string => {
  const both = join(folder, 'storms.arrows');
  writeTrace(both, [textOf('s3'), textOf('s1')]);
  return both;
};

it.each([
  ['s1', () => trace('s1').path],
  ['two recordings', twoRecordings],
  ['a stock host', stockStorm],
])('storms of %s are those that replay storms lists', async (_name, pathOf) => {
  const path = pathOf();
  const { slices, tracks, path: pathTo } = await exported(path);
  const { out } = await replay('storms', '--json', path);
  const listed = stormsResultSchema.parse(JSON.parse(out)).storms;
  expect(listed.length).toBeGreaterThan(0);
  const found = [...slices].flatMap(([uuid, list]) =>
    pathTo(uuid).endsWith('/storms') ? list.map((slice) => ({ ...slice, uuid })) : [],
  );
  const byNumber = found.toSorted(
    (a, b) => Number(a.annotations['number']) - Number(b.annotations['number']),
  );
  expect(byNumber.map(({ name, begin, end }) => [name, begin, end])).toEqual(
    listed.map(({ number, begin, end }) => [`storm ${number}`, BigInt(begin), BigInt(end)]),
  );
  for (const [i, { uuid, annotations }] of byNumber.entries()) {
    const { dev, ranges, by, causes, classes, virtqueues, processes } = listed[i] ?? {};
    expect(tracks.get(tracks.get(uuid)?.parent_uuid ?? '')?.name).toContain(`vhost dev ${dev}`);
    expect(annotations).toMatchObject({ ranges: String(ranges), by: by?.join(', ') });
    const noted = (prefix: string): Record<string, number> =>
      Object.fromEntries(
        Object.entries(annotations).flatMap(([key, value]) =>
          key.startsWith(prefix) ? [[key.slice(prefix.length), Number(value)]] : [],
        ),
      );
    expect(noted('causes.')).toEqual(causes);
    expect(noted('classes.')).toEqual(classes ?? {});
    expect(noted('virtqueues.')).toEqual(
      Object.fromEntries(virtqueues?.map(({ id, ranges: over }) => [id, over]) ?? []),
    );
    for (const { comm, pid } of processes ?? [])
      expect(annotations['processes']).toContain(`${comm} (pid ${pid}): `);
  }
});

it('several recordings stand apart, whatever their clocks say', async () => {
  const both = join(folder, 'both.arrows');
  writeTrace(both, [textOf('s3'), textOf('s3')]);
  const perfetto = await exported(both);
  const single = await run(trace('s3').path);
  for (const number of [0, 1]) {
    const rates = on(perfetto, perfetto.counters, `vhost, recording ${number}/accesses/s`);
    expect(integral(rates)).toBe(single.totals.accesses);
  }
});

it('what is lost ends what is under way, and an end alone is said to be one', async () => {
  const lines = textOf('s3').split('\n');
  const start = lines.findIndex((line) => /^R \d+ \d+ \w+ 1 /.test(line));
  const without = [...lines.slice(0, start), 'Lost 5 events', ...lines.slice(start + 1)];
  const path = join(folder, 'lost.txt');
  writeFileSync(path, without.join('\n'), 'latin1');
  const perfetto = await exported(path);
  const notes = on(perfetto, perfetto.instants, '/invalidations').map(
    ({ annotations }) => annotations['note'],
  );
  expect(notes).toContain('its start is not in the trace');
  expect(on(perfetto, perfetto.instants, 'vhost').map(({ name }) => name)).toContain('events lost');
});

it('a hostile name is shown, not obeyed', async () => {
  const path = join(folder, 'hostile.txt');
  const name = '<b>\\x1b[2J"';
  writeFileSync(
    path,
    textOf('s3').replaceAll(/vload(\\x00)*$/gm, () => name),
    'latin1',
  );
  const perfetto = await exported(path);
  const names = on(perfetto, perfetto.slices, '/invalidations').map(
    ({ annotations }) => annotations['comm'],
  );
  expect(names).toContain(name);
});

it('a torn trace gives a whole file', async () => {
  const torn = join(folder, 'torn.arrows');
  writeTrace(torn, [textOf('d1')]);
  truncateSync(torn, readFileSync(torn).length >> 1);
  const perfetto = await exported(torn);
  const { totals } = await run(torn);
  expect(integral(on(perfetto, perfetto.counters, 'vhost/accesses/s'))).toBe(totals.accesses);
});

it('goes through a pipe, and a reader that leaves is no error', async () => {
  const { err } = await shell(
    `{ $REPLAY export -o - --format perfetto '${trace('f1').path}'; echo "exit $?" >&2; } | head -c 10 | wc -c`,
  );
  expect(err).toBe('exit 0\n');
});
