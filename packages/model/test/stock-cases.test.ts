/** Small recordings of stock hosts, event by event, in which an answer could be too sure of itself. */
import { describe, expect, it } from 'vitest';
import { COUNTER_FIELDS } from '../src/event-fields.ts';
import { ACCESSORS, AREA_COUNT } from '../src/ring.ts';
import { accessOutcomes } from '../src/tallies.ts';
import type { EventRecord } from './event-record.ts';
import {
  AVAIL,
  USED,
  PUT_USED_FLAGS,
  GET_USED_IDX,
  GET_AVAIL_IDX,
  OWNER,
  WORKER,
  CLEAR,
  PROTECTION_VMA,
  DELAYS,
  PLACES,
  USED_PAGE,
  event,
  begin,
  round,
  call,
  judged,
  byRound,
} from './stock-events.ts';

it('knows a ring that nothing disturbs', () => {
  const events = [...begin(PLACES), ...round(1_000, 1), ...round(2_000, 2), ...round(3_000, 3)];
  for (let area = 0; area < AREA_COUNT; area++)
    expect(byRound(events, area)).toEqual(['ambiguous', 'hit', 'hit']);
});

describe('the TLB', () => {
  const disturbed = [
    ...begin(PLACES),
    ...round(1_000, 1),
    ...call(2_000, 'start', USED_PAGE, PROTECTION_VMA),
    ...call(2_100, 'end', USED_PAGE, PROTECTION_VMA),
  ];

  it('may still let a copy through that get_user_pages would not', () => {
    const events = [...disturbed, ...round(3_000, 2), ...round(4_000, 3)];
    expect(byRound(events, USED)).toEqual(['ambiguous', 'ambiguous', 'ambiguous']);
    // When it was flushed, copies show the page table.
    const later = [...disturbed, ...round(20_000, 2), ...round(21_000, 3)];
    expect(byRound(later, USED)).toEqual(['ambiguous', 'ambiguous', 'hit']);
  });

  it.each([
    ['that ends where the area begins', [0x10_3000n, 0x10_4000n]],
    ['over the area, which may be a reclaim', USED_PAGE],
  ] as const)('is not flushed by a range of the worker %s', (_, range) => {
    const worker: [number, string] = [WORKER, `vhost-${OWNER}`];
    const events = [
      ...disturbed,
      ...call(2_200, 'start', range, CLEAR, worker),
      ...call(2_300, 'end', range, CLEAR, worker),
      ...round(3_000, 2),
      ...round(4_000, 3),
    ];
    expect(byRound(events, USED)[2]).toBe('ambiguous');
  });
});

describe('an access outside any round', () => {
  const access = (time: number, accessor: number): EventRecord =>
    event('access', time, { vq: 0, accessor, n: 1, entries: 1 });
  const known = [...begin(PLACES), ...round(1_000, 1), ...round(2_000, 2)];

  it('is told before it is made: a range may come in between', () => {
    const events = [
      ...known,
      access(3_000, PUT_USED_FLAGS),
      access(3_001, GET_USED_IDX),
      ...call(3_002, 'start', USED_PAGE, CLEAR),
    ];
    const { accesses, engine } = judged(events);
    expect(accesses).toEqual(['ambiguous', 'ambiguous']);
    expect(engine.tallies.derived?.doubts[11]).toBe(2);
  });

  it('falls back where there is no map, and none can come while it holds the virtqueue', () => {
    const events = [...begin(PLACES), access(500, PUT_USED_FLAGS), access(501, GET_USED_IDX)];
    expect(judged(events).accesses).toEqual(['fallback', 'fallback']);
  });

  it('of somebody who may not hold it can meet the map of a round to come', () => {
    const events = [...begin(PLACES), access(500, GET_AVAIL_IDX)];
    expect(judged(events).accesses).toEqual(['ambiguous']);
  });
});

it('does not take the return of a range that must not block for that of an equal one that may', () => {
  const qemu: [number, string] = [OWNER, 'qemu'];
  const [start] = call(3_000, 'start', USED_PAGE, CLEAR);
  const events = [
    ...begin(PLACES),
    ...round(1_000, 1),
    ...round(2_000, 2),
    { ...start, cpu: 1 },
    ...call(3_010, 'start', USED_PAGE, CLEAR, qemu, 0),
    ...call(3_020, 'end', USED_PAGE, CLEAR, qemu, 0),
    ...round(4_000, 3),
  ];
  // The first start has not returned: it may be about to remove the map.
  expect(byRound(events, USED)).toEqual(['ambiguous', 'hit', 'ambiguous']);
});

it('does not know invalidate_count after an end whose beginning was not told', () => {
  const events = [
    ...begin(PLACES),
    ...call(1_000, 'end', USED_PAGE, CLEAR),
    ...round(20_000, 1),
    ...round(21_000, 2),
  ];
  expect(byRound(events, USED)).toEqual(['ambiguous', 'ambiguous']);
  expect(byRound(events, AVAIL)).toEqual(['ambiguous', 'ambiguous']);
});

it('counts anew where a virtqueue was given up, as the recording program does', () => {
  const counted = (time: number, n: number): EventRecord =>
    event('counted', time, {
      vq: 0,
      ...Object.fromEntries(COUNTER_FIELDS.map((field) => [field, n])),
    });
  /** A round in which the counters come to `n`. */
  const countedRound = (time: number, n: number): EventRecord[] => {
    const [first, last] = round(time, 1);
    return [first, counted(time + 50, n), last];
  };
  const events = [
    ...begin(PLACES),
    ...countedRound(1_000, 7),
    event('unmap', 2_000, { vq: 0 }),
    event('reset', 2_000, { vq: 0 }),
    ...begin(PLACES).map((again) => ({ ...again, time: again.time + 3_000n })),
    // Another ring that comes to the same address in the kernel has made fewer so far.
    ...countedRound(4_000, 2),
  ];
  const { tallies } = judged(events, DELAYS, 'counted').engine;
  for (const accessor of ACCESSORS.keys()) {
    const accesses = accessOutcomes(tallies, 0, accessor).reduce((sum, count) => sum + count, 0);
    expect(accesses).toBe(accessor === 0 ? 0 : 9);
  }
});
