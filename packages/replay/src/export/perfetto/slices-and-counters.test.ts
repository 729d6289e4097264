/** What goes onto a track, without the bytes. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PacketSequence } from './packet-sequence.ts';
import { createRangeLanes } from './range-lanes.ts';
import { createRateCounters, stepWidth } from './rate-counters.ts';
import { createRoundSlices } from './round-slices.ts';

type Call = readonly [what: string, ...details: unknown[]];

/** Notes what is written; tracks are numbered from 0. */
function recorder(): {
  readonly sequence: PacketSequence;
  readonly calls: Call[];
  tracks: string[];
} {
  const calls: Call[] = [];
  const tracks: string[] = [];
  return {
    calls,
    tracks,
    sequence: {
      track: ({ name }) => tracks.push(name) - 1,
      begin: (time, track, name, annotations) =>
        calls.push(['begin', time, track, name, annotations]),
      end: (time, track, annotations) =>
        calls.push(['end', time, track, ...(annotations === undefined ? [] : [annotations])]),
      instant: (time, track, name, annotations) =>
        calls.push(['instant', time, track, name, annotations]),
      count: (time, track, value) => calls.push(['count', Number(time), track, value]),
    },
  };
}

describe('range lanes', () => {
  it('overlapping ranges are on different tracks; a track is used again', () => {
    const { sequence, calls, tracks } = recorder();
    const lanes = createRangeLanes(sequence, 9, 0);
    lanes.start(1, 'a', 'clear', {});
    lanes.start(2, 'b', 'unmap', {});
    lanes.end(3, 'a', 'clear');
    lanes.start(4, 'c', 'clear', {});
    lanes.end(5, 'b', 'unmap');
    lanes.end(6, 'c', 'clear');
    expect(calls).toEqual([
      ['begin', 1, 0, 'clear', {}],
      ['begin', 2, 1, 'unmap', {}],
      ['end', 3, 0],
      ['begin', 4, 0, 'clear', {}],
      ['end', 5, 1],
      ['end', 6, 0],
    ]);
    expect(tracks).toEqual(['invalidations', 'invalidations']);
  });

  it('of several alike the first to begin is the first to end; what has not ended says so', () => {
    const { sequence, calls } = recorder();
    const lanes = createRangeLanes(sequence, 9, 0);
    lanes.start(1, 'a', 'clear', {});
    lanes.start(2, 'a', 'clear', {});
    lanes.end(3, 'a', 'clear');
    lanes.abandon(4);
    lanes.end(5, 'a', 'clear');
    expect(calls.slice(2)).toEqual([
      ['end', 3, 0],
      ['end', 4, 1, { note: 'its end is not in the trace' }],
      ['instant', 5, expect.any(Number), 'clear', { note: 'its start is not in the trace' }],
    ]);
  });

  it('however many do not end, tracks are bounded and slices nest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 2000 })), {
          maxLength: 3000,
          size: 'max',
        }),
        (events) => {
          const { sequence, calls, tracks } = recorder();
          const lanes = createRangeLanes(sequence, 9, 0);
          for (const [time, [isStart, key]] of events.entries()) {
            if (isStart) lanes.start(time, String(key), 'clear', {});
            else lanes.end(time, String(key), 'clear');
          }
          lanes.abandon(events.length);
          expect(tracks.length).toBeLessThanOrEqual(256);
          const open = new Set<unknown>();
          for (const [what, , track] of calls) {
            if (what === 'instant') continue;
            expect(open.has(track)).toBe(what === 'end');
            if (what === 'begin') open.add(track);
            else open.delete(track);
          }
          expect(open.size).toBe(0);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('rate counters', () => {
  it('hold what happened in their step; a pause is one zero', () => {
    const { sequence, calls } = recorder();
    const counters = createRateCounters(sequence, 1000n, 100);
    const add = counters.rate('accesses/s', 9, 0);
    for (const time of [1000, 1099, 1100, 5050]) {
      counters.reach(time);
      add(1);
    }
    counters.end();
    expect(calls).toEqual([
      ['count', 1000, 0, 2e7],
      ['count', 1100, 0, 1e7],
      ['count', 1200, 0, 0],
      ['count', 5000, 0, 1e7],
      ['count', 5100, 0, 0],
    ]);
  });

  it('say what is not known only when something is not', () => {
    const { sequence, calls, tracks } = recorder();
    const counters = createRateCounters(sequence, 0n, 100);
    const add = counters.ratios(9, 0);
    counters.reach(0);
    add(4, 3, 0);
    counters.reach(100);
    add(4, 1, 2);
    counters.reach(200);
    counters.end();
    expect(tracks).toEqual(['hits %', 'not known %']);
    expect(calls).toEqual([
      ['count', 0, 0, 75],
      ['count', 100, 0, 25],
      ['count', 100, 1, 50],
    ]);
  });

  it('add up to what was counted, whatever the times', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 61n),
        fc.integer({ min: 1, max: 1e6 }),
        fc.array(fc.record({ after: fc.nat(5e6), count: fc.nat(1000) }), { minLength: 1 }),
        (first, width, events) => {
          const { sequence, calls } = recorder();
          const values: { at: bigint; value: number }[] = [];
          const counters = createRateCounters(
            { ...sequence, count: (at, _track, value) => values.push({ at: BigInt(at), value }) },
            first,
            width,
          );
          const add = counters.rate('accesses/s', 9, 0);
          let time = first;
          for (const { after, count } of events) {
            time += BigInt(after);
            counters.reach(time);
            add(count);
          }
          counters.end();
          const sum = values.reduce((all, { at, value }, i) => {
            const next = values[i + 1]?.at ?? at;
            return all + (value * Number(next - at)) / 1e9;
          }, 0);
          expect(Math.round(sum)).toBe(events.reduce((all, { count }) => all + count, 0));
          expect(calls).toEqual([]);
          for (const [i, { at }] of values.entries())
            if (i > 0) expect(at).toBeGreaterThan(values[i - 1]?.at ?? 0n);
        },
      ),
    );
  });

  it.each([
    [0, 1e6],
    [1e9, 1e6],
    [1.5e9, 2e6],
    [4e9, 5e6],
    [60e9, 1e8],
    [3600e9, 5e9],
    [Infinity, 2e16],
    [-5, 1e6],
  ])('a span of %i ns has steps of %i ns', (span, width) => {
    expect(stepWidth(span)).toBe(width);
  });
});

describe('round slices', () => {
  it('end where they are said to, or with the last that they did', () => {
    const { sequence, calls } = recorder();
    const rounds = createRoundSlices(sequence, 9, 0);
    rounds.act(1);
    rounds.begin(2);
    rounds.act(3);
    rounds.count(4, 3, 1);
    rounds.begin(10);
    rounds.end(12);
    rounds.act(13);
    rounds.end();
    expect(calls).toEqual([
      ['begin', 2, 0, 'round', { accesses: 4, hits: 3, ambiguous: 1 }],
      ['end', 3, 0],
      ['begin', 10, 0, 'round', { accesses: 0, hits: 0 }],
      ['end', 12, 0],
    ]);
  });
});
