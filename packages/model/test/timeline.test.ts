/** The time line against an oracle that keeps every event's counts and puts them into bins at the end. */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { expect, it } from 'vitest';
import { DESIGNS, findDesign } from '../src/designs.ts';
import { INVALIDATION_CLASSES } from '../src/invalidation-classes.ts';
import { decisionOf, type Decision } from '../src/outcome.ts';
import { createEngine, type EngineOptions } from '../src/replay-engine.ts';
import { ACCESSORS, AREA_COUNT, AREA_OF_ACCESSOR } from '../src/ring.ts';
import { accessOutcomes } from '../src/tallies.ts';
import { TIMELINE_LIMITS, withTimeline, type TimelineLimits } from '../src/timeline.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';
import { simulateKernel } from './kernel-simulator.ts';

const DECISIONS: readonly Decision[] = ['hit', 'fallback', 'iotlb', 'ambiguous'];
const WITHOUT_TIME = new Set(['recording', 'virtqueue', 'lost', 'recording_end']);

interface Count {
  /** ns on the line. */
  readonly position: number;
  readonly series: string;
  readonly count: number;
}

/** Events that are counted: from one place in the list to before another. */
type Span = readonly [from: number, to: number];

/** All that is counted, event by event, by the name of its series. */
function oracleOf(
  events: readonly EventRecord[],
  options: EngineOptions,
  [spanFrom, spanTo]: Span,
): Count[] {
  const engine = createEngine(options);
  const counts: Count[] = [];
  let origin = 0;
  let reached = 0;
  let first: bigint | undefined;
  const before = new Map<string, number>();
  for (const { batch, from, to } of batchesOf(events)) {
    for (let i = from; i < to; i++) {
      const { event, time, cause } = events[i];
      if (event === 'recording') {
        origin = reached;
        first = undefined;
      } else if (!WITHOUT_TIME.has(event) && i >= spanFrom && i < spanTo) {
        first ??= time;
        reached = Math.max(reached, origin + Number(time - first));
      }
      engine.consume(batch, i, i + 1);
      const isInside = i >= spanFrom && i < spanTo;
      for (const [series, total] of totalsOf(engine.tallies)) {
        const count = total - (before.get(series) ?? 0);
        before.set(series, total);
        if (count !== 0 && isInside) counts.push({ position: reached, series, count });
      }
      if (!isInside) continue;
      if (event === (options.host === 'stock' ? 'core_range_start' : 'range_start'))
        counts.push({ position: reached, series: `cause ${Number(cause)}`, count: 1 });
    }
  }
  return counts;
}

function totalsOf(tallies: ReturnType<typeof createEngine>['tallies']): Map<string, number> {
  const totals = new Map<string, number>([['over rings', tallies.ranges.overlapping]]);
  for (let vq = 0; vq < tallies.rounds.length; vq++) {
    for (const accessor of ACCESSORS.keys()) {
      for (const [outcome, count] of accessOutcomes(tallies, vq, accessor).entries()) {
        const series = `${vq} ${AREA_OF_ACCESSOR[accessor]} ${decisionOf(outcome)}`;
        if (count > 0) totals.set(series, (totals.get(series) ?? 0) + count);
      }
    }
  }
  return totals;
}

/** The time line of the events, by name of series. */
function timelineOf(
  events: readonly EventRecord[],
  options: EngineOptions,
  limits: TimelineLimits,
  virtqueues: number,
  [spanFrom, spanTo]: Span = [0, events.length],
) {
  const engine = withTimeline(createEngine(options), limits);
  for (const { batch, from, to } of batchesOf(events)) {
    let begun = from;
    for (let i = from; i < to; i++) {
      if (i !== spanTo && (i !== 0 || spanFrom === 0) && i !== spanFrom) continue;
      engine.consume(batch, begun, i);
      begun = i;
      engine.count(i >= spanFrom && i < spanTo);
    }
    engine.consume(batch, begun, to);
  }
  engine.finish();
  const { timeline } = engine;
  const series = new Map<string, readonly number[]>([['over rings', [...timeline.overRings()]]]);
  for (const [cause, counts] of timeline.byCause().entries())
    series.set(`cause ${cause}`, [...counts]);
  for (let vq = 0; vq < virtqueues; vq++) {
    for (let area = 0; area < AREA_COUNT; area++) {
      for (const decision of DECISIONS)
        series.set(`${vq} ${area} ${decision}`, [...timeline.accesses(vq, area, decision)]);
    }
  }
  return { timeline, series, engine };
}

const limits = constantFrom<TimelineLimits>(
  TIMELINE_LIMITS,
  { mostBins: 8, mostCounts: 2 ** 19, leastBins: 2, firstWidth: 1 },
  { mostBins: 64, mostCounts: 200, leastBins: 4, firstWidth: 16 },
  { mostBins: 2, mostCounts: 1, leastBins: 2, firstWidth: 3 },
);
const sizes = integer({ min: 0, max: 700 });

it('has in every bin what an oracle counts there', { timeout: 120_000 }, () => {
  assert(
    property(
      nat(),
      sizes,
      constantFrom(...DESIGNS),
      constantFrom('effects', 'ranges'),
      limits,
      constantFrom<readonly [number, number]>([0, 1], [0, 0.6], [0.3, 0.8], [0.5, 1], [0.4, 0.4]),
      (seed, steps, design, order, limit, [begin, end]) => {
        const one = simulateKernel({ seed, steps, design: 'merged', preempt: 'voluntary' }).events;
        // Of a second recording, the clock begins anew.
        const mark = { event: 'recording', time: 0n, cpu: 0, note: '' } as const;
        const events = [mark, ...one, mark, ...one.slice(0, Math.floor(one.length / 3))];
        const options = { design, order } as const;
        const at = (share: number): number => Math.round(share * events.length);
        const span = [at(begin), at(end)] as const;
        const { timeline, series } = timelineOf(events, options, limit, 8, span);
        const width = timeline.binWidth();
        const bins = timeline.bins();
        expect(bins).toBeLessThanOrEqual(Math.max(limit.mostBins, limit.leastBins));
        const expected = new Map<string, number[]>();
        for (const { position, series: name, count } of oracleOf(events, options, span)) {
          const counts = expected.get(name) ?? Array.from({ length: bins }, () => 0);
          counts[Math.floor(position / width)] += count;
          expected.set(name, counts);
        }
        for (const [name, counts] of series)
          expect([name, counts]).toEqual([
            name,
            expected.get(name) ?? Array.from({ length: bins }, () => 0),
          ]);
        for (const name of expected.keys()) expect(series.has(name)).toBe(true);
      },
    ),
    { numRuns: 40 },
  );
});

it('doubles the width no sooner than the bins are used up', () => {
  const design = findDesign('merged')!;
  const limit = { mostBins: 8, mostCounts: 1e6, leastBins: 2, firstWidth: 10 };
  const at = (time: bigint): EventRecord => ({ event: 'round', time, cpu: 0, vq: 0n });
  const widthAfter = (...times: bigint[]): number =>
    timelineOf(times.map(at), { design, order: 'ranges' }, limit, 1).timeline.binWidth();
  expect(widthAfter(5n, 84n)).toBe(10);
  expect(widthAfter(5n, 85n)).toBe(20);
  expect(widthAfter(5n, 164n)).toBe(20);
  expect(widthAfter(5n, 165n)).toBe(40);
  // The greatest time that a trace can hold.
  expect(widthAfter(0n, 2n ** 63n - 1n)).toBeGreaterThan(2 ** 59);
});

it('has fewer bins where there are more virtqueues, and loses none', () => {
  const design = findDesign('copy')!;
  const limit = { mostBins: 256, mostCounts: 12 * 256, leastBins: 4, firstWidth: 1 };
  const events = Array.from({ length: 200 }, (_, index): EventRecord => ({
    event: 'access',
    time: BigInt(index),
    cpu: 0,
    vq: BigInt(index % 50),
    accessor: 1,
    n: 1,
  }));
  const { timeline, engine } = timelineOf(events, { design, order: 'ranges' }, limit, 50);
  expect(timeline.bins()).toBe(4);
  let sum = 0;
  for (let vq = 0; vq < 64; vq++)
    for (const count of timeline.accesses(vq, 1, 'fallback')) sum += count;
  expect(sum).toBe(200);
  expect(timeline.accesses(10_000, 0, 'hit')).toEqual(new Float64Array(4));
  expect(engine.tallies.accesses.reduce((all, count) => all + count, 0)).toBe(200);
});

it('knows the class of an invalidation by the stack that it names', () => {
  const design = findDesign('merged')!;
  const range = (time: bigint, stack?: bigint): EventRecord => ({
    event: 'core_range_start',
    time,
    cpu: 0,
    owner: 1,
    start: 0n,
    end: 4096n,
    cause: 1,
    blockable: 1,
    pid: 1,
    comm: 'ksmd',
    ...(stack !== undefined && { stack }),
  });
  const ksm = INVALIDATION_CLASSES.indexOf('ksm');
  const events: EventRecord[] = [
    { event: 'recording', time: 0n, cpu: 0, note: '' },
    {
      event: 'stack',
      time: 1n,
      cpu: 0,
      stack: 2n ** 33n + 7n,
      class: ksm,
      note: 'ksm_scan_thread',
    },
    range(2n, 2n ** 33n + 7n),
    range(3n),
    range(4n, 7n),
    { event: 'recording', time: 0n, cpu: 0, note: '' },
    // A number of another recording's.
    range(2n, 2n ** 33n + 7n),
  ];
  const options: EngineOptions = { design, order: 'ranges', host: 'stock' };
  const { timeline } = timelineOf(events, options, TIMELINE_LIMITS, 1);
  const totals = timeline.byClass().map((counts) => counts.reduce((sum, count) => sum + count, 0));
  expect(totals[ksm]).toBe(1);
  expect(totals[INVALIDATION_CLASSES.indexOf('unknown')]).toBe(3);
  expect(timeline.recordings()).toEqual([
    { at: 0, first: 1n },
    { at: 3, first: 2n },
  ]);
  expect(timeline.span()).toBe(3);
});

it('counts a range once where both the call and the callback that it runs were recorded', () => {
  const range = { cpu: 0, start: 0n, end: 4096n, cause: 1, blockable: 1, pid: 1, comm: 'ksmd' };
  const events: EventRecord[] = [
    { event: 'recording', time: 0n, cpu: 0, note: '' },
    { ...range, event: 'core_range_start', time: 1n, owner: 1 },
    { ...range, event: 'range_start', time: 2n, dev: 0 },
  ];
  for (const host of ['direct-map', 'stock'] as const) {
    const design = findDesign('merged')!;
    const { timeline } = timelineOf(events, { design, order: 'ranges', host }, TIMELINE_LIMITS, 1);
    const told = timeline.byCause().reduce((all, counts) => counts.reduce((a, b) => a + b, all), 0);
    expect(told).toBe(1);
  }
});
