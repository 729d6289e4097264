/** Storms against an oracle that looks at the whole list for every moment. */
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStorms, type StormOptions } from '../src/storms/storms.ts';
import type { Storm } from '../src/storms/storm.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

const MS = 1_000_000n;
const SECOND = 1000n * MS;
const LIMIT = 100n * MS;
const RING = 0x10_0000n;

interface Range {
  readonly begin: bigint;
  readonly end: bigint;
}

/** Ranges of one device as events; no two at the same time. */
function eventsOf(ranges: readonly Range[]): EventRecord[] {
  const setUp: EventRecord[] = [
    { event: 'recording', time: 0n, cpu: 0, note: '' },
    { event: 'virtqueue', time: 0n, cpu: 0, vq: 0, dev: 7 },
    { event: 'addresses', time: 0n, cpu: 0, vq: 0, area: 0, address: RING, size: 4096n },
  ];
  const events = ranges.flatMap(({ begin, end }, pid): EventRecord[] => {
    const common = { cpu: 0, dev: 7, start: RING, end: RING + 16n, cause: 1, blockable: 1, pid };
    return [
      { ...common, event: 'range_start', time: begin, comm: 'ksmd\\x00' },
      { ...common, event: 'range_end', time: end, comm: 'ksmd\\x00' },
    ];
  });
  return [...setUp, ...events.toSorted((a, b) => (a.time < b.time ? -1 : 1))];
}

function stormsOf(events: readonly EventRecord[], options: Partial<StormOptions> = {}): Storm[] {
  const found: Storm[] = [];
  const storms = createStorms({
    host: 'direct-map',
    onOver: (storm) => found.push(storm),
    ...options,
  });
  for (const { batch, from, to } of batchesOf(events))
    for (let i = from; i < to; i++) if (storms.wants[batch.kind[i]] === 1) storms.consume(batch, i);
  storms.finish();
  return found;
}

/** Time between two moments in which a range was under way. */
function downIn(ranges: readonly Range[], from: bigint, to: bigint): bigint {
  const parts = ranges
    .map(({ begin, end }) => ({
      begin: begin > from ? begin : from,
      end: end < to ? end : to,
    }))
    .filter(({ begin, end }) => begin < end)
    .toSorted((a, b) => (a.begin < b.begin ? -1 : 1));
  let down = 0n;
  let covered = from;
  for (const { begin, end } of parts) {
    const since = begin > covered ? begin : covered;
    if (end > since) down += end - since;
    if (end > covered) covered = end;
  }
  return down;
}

/** When ranges are under way without gap. */
function unionsOf(ranges: readonly Range[]): Range[] {
  const unions: { begin: bigint; end: bigint }[] = [];
  for (const { begin, end } of ranges.toSorted((a, b) => (a.begin < b.begin ? -1 : 1))) {
    const last = unions.at(-1);
    if (last !== undefined && begin < last.end) last.end = end > last.end ? end : last.end;
    else unions.push({ begin, end });
  }
  return unions;
}

interface Told {
  readonly begin: bigint;
  readonly end: bigint;
  readonly ranges: number;
  readonly down: bigint;
}

function oracle(ranges: readonly Range[], rate: number): Told[] {
  const isStormy = (at: bigint): boolean =>
    ranges.filter(({ begin }) => begin > at - SECOND && begin <= at).length >= rate ||
    downIn(ranges, at - SECOND, at) > LIMIT;
  const underWay = unionsOf(ranges).flatMap(({ begin, end }) => {
    const moments: bigint[] = [];
    for (let at = begin + LIMIT; at < end; at += SECOND / 2n) moments.push(at);
    return moments;
  });
  const moments = [
    ...ranges.flatMap(({ begin, end }) => [begin, end]).filter(isStormy),
    ...underWay,
  ].toSorted((a, b) => (a < b ? -1 : 1));
  const told: Told[] = [];
  let taken = new Set<Range>();
  for (let at = 0; at < moments.length;) {
    let last = at;
    while (last + 1 < moments.length && moments[last + 1] - moments[last] <= SECOND) last++;
    const [from, to] = [moments[at], moments[last]];
    const of = ranges.filter(
      (range) => !taken.has(range) && range.begin <= to && range.end > from - SECOND,
    );
    taken = new Set([...taken, ...of]);
    const begin = of.map((range) => range.begin).reduce((a, b) => (a < b ? a : b));
    told.push({ begin, end: to, ranges: of.length, down: downIn(ranges, begin, to) });
    at = last + 1;
  }
  return told;
}

const gaps = constantFrom(0, 1, 5, 20, 60, 90, 150, 400, 900, 990, 1000, 1010, 1500, 2500);
const lengths = constantFrom(0, 1, 5, 30, 60, 95, 105, 150, 700, 3000);
const lists = array(record({ gap: gaps, length: lengths }), { maxLength: 60 });

function rangesOf(list: readonly { gap: number; length: number }[]): Range[] {
  let time = 10n * SECOND;
  return list.map(({ gap, length }, index) => {
    time += BigInt(gap) * MS;
    const begin = time + BigInt(2 * index);
    return { begin, end: begin + BigInt(length) * MS + 1n };
  });
}

describe('storms', () => {
  it('count a range once where both the call and the callback are told, by the kind of host', () => {
    const ranges = rangesOf(Array.from({ length: 20 }, () => ({ gap: 20, length: 1 })));
    const [setUp, told] = [eventsOf([]), eventsOf(ranges).slice(eventsOf([]).length)];
    const twice = told.flatMap((event): EventRecord[] => [
      event,
      {
        ...event,
        event: event.event === 'range_start' ? 'core_range_start' : 'core_range_end',
        owner: 42,
      },
    ]);
    const events = [
      ...setUp.map((event) => (event.event === 'virtqueue' ? { ...event, owner: 42 } : event)),
      ...twice,
    ];
    for (const host of ['direct-map', 'stock'] as const)
      expect(stormsOf(events, { rate: 5, host }).map(({ ranges: count }) => count)).toEqual([20]);
    expect(stormsOf(events, { rate: 21, host: 'direct-map' })).toEqual([]);
  });

  it('are those of an oracle, however ranges come', () => {
    assert(
      property(lists, integer({ min: 1, max: 8 }), (list, rate) => {
        const ranges = rangesOf(list);
        const found = stormsOf(eventsOf(ranges), { rate });
        const told = oracle(ranges, rate);
        expect(
          found.map(({ begin, end, ranges: count, down }) => ({ begin, end, ranges: count, down })),
        ).toEqual(told);
        expect(found.map(({ number }) => number)).toEqual(told.map((_, at) => at + 1));
        expect(found.every(({ isOver }) => isOver)).toBe(true);
      }),
      { numRuns: 500, seed: 5 },
    );
  });

  it('can be read at any moment, and reading changes nothing', () => {
    assert(
      property(lists, integer({ min: 1, max: 8 }), (list, rate) => {
        const events = eventsOf(rangesOf(list));
        const found: Storm[] = [];
        const storms = createStorms({
          host: 'direct-map',
          rate,
          onOver: (storm) => found.push(storm),
        });
        for (const { batch, from, to } of batchesOf(events)) {
          for (let i = from; i < to; i++) {
            storms.consume(batch, i);
            for (const storm of storms.active(events[i].time)) {
              expect(storm.isOver).toBe(false);
              expect(storm.end).toBeLessThanOrEqual(events[i].time);
              expect(storm.ranges).toBeGreaterThan(0);
            }
          }
        }
        storms.finish();
        expect(found).toEqual(stormsOf(events, { rate }));
      }),
      { numRuns: 100, seed: 6 },
    );
  });

  it('say who, why and where, and by which events', () => {
    const ranges = Array.from({ length: 100 }, (_, at) => {
      const begin = SECOND + BigInt(at) * 9n * MS;
      return { begin, end: begin + 10n };
    });
    const events = eventsOf(ranges);
    const [storm, ...others] = stormsOf(events, {
      sample: (virtqueues) => [10 * virtqueues.size],
    });
    expect(others).toEqual([]);
    expect(storm).toMatchObject({
      dev: 7,
      ranges: 100,
      isByRate: true,
      isByDown: false,
      down: 1000n,
      first: { time: ranges[0].begin, line: 4 },
      last: { time: ranges[99].end, line: events.length },
    });
    expect([...storm.causes]).toEqual([[1, 100]]);
    expect([...storm.virtqueues]).toEqual([[0, 100]]);
    expect(storm.culprits.size).toBe(32);
    expect(storm.culprits.get('0 ksmd')).toEqual({ pid: 0, comm: 'ksmd', ranges: 1 });
    expect(storm.otherCulprits).toBe(68);
    expect(storm.counted).toEqual([0]);
    expect(stormsOf(eventsOf(ranges.slice(1)))).toEqual([]);
  });

  it('have what was counted between their events, and ask for it once at each event', () => {
    const ranges = Array.from({ length: 12 }, (_, at) => {
      const begin = SECOND + BigInt(at) * 50n * MS;
      return { begin, end: begin + 1000n };
    });
    const events = eventsOf(ranges);
    let seen = 0;
    let asked = 0;
    const over: Storm[] = [];
    const storms = createStorms({
      host: 'direct-map',
      rate: 5,
      sample: () => {
        asked++;
        return [seen, 2 * seen];
      },
      onOver: (storm) => over.push(storm),
    });
    const { batch } = batchesOf(events)[0];
    for (let i = 0; i < events.length; i++, seen++) {
      asked = 0;
      storms.consume(batch, i);
      expect(asked).toBeLessThanOrEqual(1);
      // The screen asks in between; what was counted up to an event does not change by that.
      for (const storm of storms.active(events[i].time)) {
        const first = events.findIndex(({ time }) => time === storm.begin);
        expect(storm.counted).toEqual([i - first, 2 * (i - first)]);
      }
    }
    storms.finish();
    expect(over).toHaveLength(1);
  });

  it('know the class of a stack whenever it is told', () => {
    const ranges = rangesOf(Array.from({ length: 9 }, () => ({ gap: 1, length: 1 })));
    const events = eventsOf(ranges).map((event) =>
      'pid' in event ? { ...event, stack: 77n } : event,
    );
    const told = { event: 'stack', cpu: 0, time: SECOND, stack: 77n, class: 6, note: '' } as const;
    const found: Storm[] = [];
    const storms = createStorms({
      host: 'direct-map',
      rate: 5,
      onOver: (storm) => found.push(storm),
    });
    for (const { batch, from, to } of batchesOf([...events, told]))
      for (let i = from; i < to; i++) storms.consume(batch, i);
    storms.finish();
    expect([...found[0].stacks]).toEqual([[77n, 9]]);
    expect(storms.classOf(0, 77n)).toBe(6);
    expect(storms.classOf(0, 78n)).toBeUndefined();
  });

  it('do not go by ranges beside the rings, or that must not block', () => {
    const ranges = rangesOf(Array.from({ length: 300 }, () => ({ gap: 1, length: 1 })));
    const events = eventsOf(ranges);
    const beside = events.map((event) =>
      'pid' in event ? { ...event, end: RING - 1n, start: 0n } : event,
    );
    const nonBlockable = events.map((event) =>
      'pid' in event ? { ...event, blockable: 0 } : event,
    );
    expect(stormsOf(events)).toHaveLength(1);
    expect(stormsOf(beside)).toEqual([]);
    expect(stormsOf(nonBlockable)).toEqual([]);
  });

  it('do not wait for ends that were lost, or that no callback tells', () => {
    const [setUp, begun] = [eventsOf([]), eventsOf([{ begin: SECOND, end: 99n * SECOND }])[3]];
    const later = { ...begun, pid: 99, time: 9n * SECOND };
    const registered = { event: 'notifier', cpu: 0, dev: 7, registered: 0, error: 0 } as const;
    const whole = stormsOf([...setUp, begun, later]);
    expect(whole).toMatchObject([{ begin: SECOND, end: 9n * SECOND, ranges: 2, isByDown: true }]);
    const stop = { ...registered, time: SECOND + 20n * MS };
    expect(stormsOf([...setUp, begun, stop, later])).toEqual([]);
    const lost = { event: 'lost', cpu: 0, time: SECOND, lost: 1n, note: '' } as const;
    expect(stormsOf([...setUp, begun, lost, later])).toEqual([]);
  });
});
