/** At whatever moment the screen stands, its numbers are those of `replay` up to that moment. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUTCOME_NAMES, OUTCOMES } from '@vhostscope/model';
import {
  engineOf,
  extentOf,
  findStorms,
  completenessOf,
  readSpanOptions,
  replayTrace,
  WRONG_COUNTS,
  runResult,
  stormsResult,
  type Replayed,
  type RunResult,
} from '@vhostscope/replay';
import { openTrace, type OpenTrace } from '@vhostscope/trace';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, DashboardView } from '../src/dashboard.ts';
import { design, fileSession } from './driven-session.ts';
import { totalsOf } from './replayed-totals.ts';
import { temporaryFolder, textOf, TRACES } from './traces.ts';

const folder = temporaryFolder();

/** What `replay run --design NAME --to TIME` finds. */
function replay(
  trace: OpenTrace,
  name: string,
  to: bigint,
): { replayed: Replayed; result: RunResult } {
  const span = readSpanOptions({ to: String(to) });
  const replayed = replayTrace(trace, design(name), { order: 'auto' }, span, WRONG_COUNTS);
  const basis = { smap: undefined, calibrated: undefined };
  return {
    replayed,
    result: runResult(trace, replayed, completenessOf(trace), basis, undefined),
  };
}

const NOTHING = totalsOf({ accesses: 0, hits: 0, fallbacks: 0, iotlb: 0, ambiguous: 0 });

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

/** The numbers that both have, by virtqueue. */
function shown(view: DashboardView) {
  const { queue } = view;
  const counts = new Map(view.recording.counts);
  return {
    rounds: counts.get('round') ?? 0,
    ranges: (counts.get('range_start') ?? 0) + (counts.get('core_range_start') ?? 0),
    attempts: queue && Object.fromEntries(queue.attempts),
    invalidations: sum(view.causes.map(({ ranges }) => ranges)),
    byPid: byPid(view.causes.map(({ pid, ranges }) => [pid, ranges])),
    design: view.design,
    totals: totalsOf(view.total.total),
    virtqueues: view.virtqueues.map(({ vq, chosen }) => ({ id: vq, ...totalsOf(chosen.total) })),
    estimated: view.virtqueues.map(({ chosen }) => chosen.total.isEstimated),
    accessors: queue?.accessors.map(({ name, decided: of }) => ({ name, ...totalsOf(of) })),
    order: view.recording.order,
    costReason: view.costReason ?? null,
  };
}

function byPid(counts: readonly (readonly [pid: number, count: number])[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [pid, count] of counts) found[pid] = (found[pid] ?? 0) + count;
  return found;
}

function expectedOf({ replayed, result }: ReturnType<typeof replay>, vq: number | undefined) {
  const one = result.virtqueues.find(({ id }) => id === vq);
  const { prefetch } = replayed.engine.tallies;
  const attempts = OUTCOME_NAMES.map(
    (name, outcome) =>
      [name === 'hit' ? 'built' : name, prefetch[OUTCOMES * (vq ?? 0) + outcome] ?? 0] as const,
  );
  return {
    rounds: result.rounds,
    ranges: result.ranges.start,
    attempts: one && Object.fromEntries(attempts.filter(([, count]) => count > 0)),
    invalidations: result.makers.invalidations,
    byPid: byPid(result.makers.processes.map(({ pid, invalidations }) => [pid, invalidations])),
    design: result.design,
    totals: totalsOf(result.totals),
    virtqueues: result.virtqueues.map(({ id, totals }) => ({ id, ...totalsOf(totals) })),
    estimated: result.virtqueues.map(({ totals }) => totals.counts === 'estimated'),
    accessors:
      one && Object.entries(one.accessors).map(([name, totals]) => ({ name, ...totalsOf(totals) })),
    order: `${result.order}: ${result.order_reason}`,
    costReason: result.cost.reason,
  };
}

const KINDS = ['event', 'round', 'invalidation', 'storm'] as const;

const command: fc.Arbitrary<
  Command | { do: 'wait'; ms: number } | { do: 'seek part'; part: number }
> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('seek part' as const),
      part: fc.double({ min: 0, max: 1.01, noNaN: true }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      kind: fc.constantFrom(...KINDS),
      by: fc.constantFrom(1 as const, -1 as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('design' as const),
      name: fc.constantFrom('merged', 'fixes-v5', 'vmap-v3', 'copy'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('beside' as const),
      name: fc.constantFrom(undefined, 'fixes-v5', 'rework'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 1, max: 400 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('look at' as const),
      vq: fc.constantFrom(undefined, 0, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('speed' as const),
      speed: fc.constantFrom(0.1, 1, 3, 'max' as const),
    }),
  },
);

describe.each(['u1', 's3', 'stock'] as const)('a random walk through %s', (name) => {
  test('shows what replay run finds up to the moment', { timeout: 240_000 }, async () => {
    const trace = await openTrace(TRACES[name]);
    const { first, last } = extentOf(trace);
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 12 }), async (commands) => {
        const session = await fileSession(TRACES[name]);
        let view = session.settle();
        expect(view.clock.at).toBe(Number(last - first) + 1);
        for (const one of commands) {
          if (one.do === 'wait') {
            session.tell({ do: 'play' });
            session.settle();
            session.pass(one.ms);
            session.tell({ do: 'pause' });
          } else if (one.do === 'seek part')
            session.tell({ do: 'seek', at: one.part * Number(last - first) });
          else session.tell(one);
          view = session.settle();
          const to = first + BigInt(view.clock.at);
          const vq = view.queue?.vq;
          if (view.clock.at === 0) {
            expect(shown(view).totals).toEqual(NOTHING);
            continue;
          }
          const expected = expectedOf(replay(trace, view.design, to), vq);
          const { virtqueues, estimated, ...others } = shown(view);
          expect({ at: view.clock.at, virtqueues, estimated, ...others }).toEqual({
            at: view.clock.at,
            ...expected,
          });
          if (view.beside !== undefined && view.besideTotal !== undefined)
            expect(totalsOf(view.besideTotal.total)).toEqual(
              totalsOf(replay(trace, view.beside, to).result.totals),
            );
        }
        await session.close();
      }),
      { numRuns: 12, interruptAfterTimeLimit: 120_000 },
    );
    trace.close();
  });
});

test('an accessor that may have been used is told, even where it is estimated that it was not', async () => {
  const trace = await openTrace(TRACES.stock);
  const { first } = extentOf(trace);
  const session = await fileSession(TRACES.stock);
  session.settle();
  let maybe = 0;
  for (const vq of [0, 1]) {
    session.tell({ do: 'look at', vq });
    session.tell({ do: 'seek', at: 0 });
    session.settle();
    // The first rounds begin, and end.
    for (let step = 0; step < 60; step++) {
      session.tell({ do: 'step', kind: 'event', by: 1 });
      const view = session.settle();
      const { accessors } = shown(view);
      const replayed = replay(trace, view.design, first + BigInt(view.clock.at));
      expect(accessors).toEqual(expectedOf(replayed, vq).accessors);
      maybe += accessors?.filter(({ accesses }) => accesses === 0).length ?? 0;
    }
  }
  expect(maybe).toBeGreaterThan(0);
  await session.close();
  trace.close();
});

/** What `replay storms` finds, in the words of the view. */
function stormsOf(trace: OpenTrace, name: string) {
  const { last, first } = extentOf(trace);
  const { replayed, result } = replay(trace, name, last + 1n);
  const transmits = result.cost.virtqueues;
  const found = findStorms(trace, 100, engineOf(replayed), new Set(transmits));
  const completeness = completenessOf(trace);
  const { cost } = result;
  const { storms } = stormsResult(trace, replayed, completeness, found, 100, cost, first, []);
  return storms.map((storm) => ({
    number: storm.number,
    dev: storm.dev,
    begin: Number(BigInt(storm.begin) - first),
    end: Number(BigInt(storm.end) - first),
    ranges: storm.ranges,
    by: storm.by,
    causes: Object.entries(storm.classes ?? storm.causes),
    processes: storm.processes,
    virtqueues: new Map(storm.virtqueues.map(({ id, ranges }) => [id, ranges])),
    decided: totalsOf(storm),
    lost: storm.rates[0]?.lost,
  }));
}

function shownStorms(view: DashboardView) {
  return view.storms
    .map(({ number, dev, begin, end, ranges, by, causes, processes, lost, ...counts }) => ({
      number,
      dev,
      begin,
      end,
      ranges,
      by,
      causes,
      processes,
      lost,
      virtqueues: new Map(counts.virtqueues),
      decided: totalsOf(counts.decided),
    }))
    .toReversed();
}

test.each([
  ['s3', 'merged'],
  ['s3', 'fixes-v5'],
  ['u1', 'merged'],
  ['stock', 'merged'],
] as const)(
  'the storms of %s by %s are those of replay storms, and their bars add up',
  async (name, by) => {
    const trace = await openTrace(TRACES[name]);
    const session = await fileSession(TRACES[name], { design: design(by) });
    const view = session.settle();
    const all = stormsOf(trace, by);
    expect(shownStorms(view)).toEqual(all);
    for (const { perSecond, ranges } of view.storms)
      if (view.storms.length === 1) expect(sum(perSecond)).toBeGreaterThanOrEqual(ranges);
    // Where one begins it is not known yet, so one comes to where it is; over for a second it is as it stays.
    for (const storm of all) {
      session.tell({ do: 'seek storm', number: storm.number });
      const met = session.settle();
      expect(met.clock.at).toBeGreaterThan(storm.begin);
      expect(met.clock.at).toBeLessThanOrEqual(storm.end);
      expect(shownStorms(met)).toMatchObject([{ begin: storm.begin }]);
      session.tell({ do: 'seek', at: storm.end + 1.5e9 });
      const later = session.settle();
      if (later.clock.at === storm.end + 1.5e9)
        expect(shownStorms(later).filter(({ number }) => number === storm.number)).toEqual([storm]);
    }
    await session.close();
    trace.close();
  },
);

test('accesses through the device IOTLB have no price, as little as replay run gives them one', async () => {
  const lines = textOf(TRACES.s3).split(/(?<=\n)/);
  const middle = Math.floor(lines.length / 2);
  const time = /^\w+ (\d+)/.exec(lines[middle] ?? '')?.[1] ?? '';
  const virtqueues = new Set(lines.flatMap((line) => /^U \d+ \d+ (\w+)/.exec(line)?.[1] ?? []));
  const set = [...virtqueues].map((vq) => `I ${time} 0 ${vq} 1\n`);
  const path = join(folder, 'iotlb.txt');
  writeFileSync(path, [...lines.slice(0, middle), ...set, ...lines.slice(middle)].join(''));
  const trace = await openTrace(path);
  const { first, last } = extentOf(trace);
  const session = await fileSession(path);
  const all = session.settle();
  const { cost } = replay(trace, 'merged', last + 1n).result;
  expect(cost.reason).toMatch(/device IOTLB/);
  expect(all.costReason).toBe(cost.reason);
  expect(all.virtqueues.map(({ gained }) => gained)).toEqual([undefined, undefined]);
  expect(all.storms.map(({ lost }) => lost)).toEqual([undefined]);
  // Up to the moment at which it is set there are prices.
  session.tell({ do: 'seek', at: Number(BigInt(time) - first) });
  const before = session.settle();
  expect(before.costReason).toBeUndefined();
  expect(before.virtqueues.filter(({ gained }) => gained !== undefined)).toHaveLength(1);
  expect(before.storms.map(({ lost }) => lost)).not.toContain(undefined);
  await session.close();
  trace.close();
});

test('a design that maps nothing gains nothing, and loses nothing in a storm', async () => {
  const cost = { smap: undefined, calibrated: { before: 5, after: 6 } };
  const session = await fileSession(TRACES.s3, { design: design('copy'), cost });
  const { virtqueues, storms } = session.settle();
  expect(virtqueues.flatMap(({ gained }) => (gained === undefined ? [] : [gained]))).toEqual([
    [0, 0],
  ]);
  expect(storms.map(({ lost }) => lost)).toEqual([undefined]);
  await session.close();
});

/** What a design makes of a virtqueue, apart from what the other one is. */
const judgementsOf = (view: DashboardView, which: 'chosen' | 'beside') =>
  view.virtqueues.map((one) => ({ vq: one.vq, judgement: one[which] }));

test.each([
  ['s3', 'merged', 'fixes-v5'],
  ['u1', 'fixes-v5', 'copy'],
  ['stock', 'merged', 'vmap-v3'],
] as const)(
  '%s: beside %s, %s has the numbers that it has alone, of each virtqueue, in all and in the window',
  async (name, chosen, beside) => {
    const both = await fileSession(TRACES[name], {
      design: design(chosen),
      beside: design(beside),
      window: 0.2e9,
    });
    const alone = await fileSession(TRACES[name], { design: design(beside), window: 0.2e9 });
    const { end } = both.settle().clock;
    alone.settle();
    for (const part of [1.01, 0.1, 0.37, 0.8, 0.5]) {
      for (const session of [both, alone]) session.tell({ do: 'seek', at: part * end });
      const [two, one] = [both.settle(), alone.settle()];
      expect(two.clock.at).toBe(one.clock.at);
      expect(two.besideTotal).toEqual(one.total);
      expect(judgementsOf(two, 'beside')).toEqual(judgementsOf(one, 'chosen'));
      expect(two.virtqueues.length).toBeGreaterThan(0);
      // The two are not the same by chance.
      if (part > 1) expect(two.besideTotal?.total).not.toEqual(two.total.total);
    }
    await both.close();
    await alone.close();
  },
);
