/** `replay export --format perfetto`: well-formed, and true to what the engine knows. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainResultSchema } from '../src/explain-result.ts';
import { shell } from './child-process.ts';
import { CASES, run } from './export-cases.ts';
import { replay } from './in-process.ts';
import { exportedPerfetto } from './exported-perfetto.ts';
import { on, type PerfettoTrace, type Slice } from './perfetto-trace.ts';
import { RANGE, writeStockTrace } from './stock-trace.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const folder = temporaryFolder();

const exported = async (input: string, ...options: string[]): Promise<PerfettoTrace> =>
  exportedPerfetto(folder, input, ...options);

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

describe.each(CASES)('%s', (_name, path, options) => {
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

it('a stock host has processes, and invalidations by who makes them', async () => {
  const path = join(folder, 'stock.arrows');
  writeStockTrace(
    path,
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
