/** Small recordings of stock hosts, event by event, in which an answer could be too sure of itself. */
import { describe, expect, it } from 'vitest';
import { findDesign } from '../src/designs.ts';
import type { RoundAccesses } from '../src/engine-state.ts';
import { COUNTER_FIELDS, HANDLERS } from '../src/event-fields.ts';
import { createRingWord, ringWord } from '../src/ring-word.ts';
import { ACCESSORS, AREA_COUNT } from '../src/ring.ts';
import { decisionOf } from '../src/outcome.ts';
import { NO_DELAYS, USUAL_DELAYS } from '../src/stock-host/page-evidence.ts';
import { accessOutcomes } from '../src/tallies.ts';
import type { EventRecord } from './event-record.ts';
import { stockVerdicts, type StockVerdicts } from './stock-verdicts.ts';

const MERGED = findDesign('merged')!;
const [DESC, AVAIL, USED] = [0, 1, 2];
const [PUT_USED_FLAGS, GET_USED_IDX, GET_AVAIL_IDX] = [9, 5, 1];
const [OWNER, WORKER] = [214, 215];
const [CLEAR, PROTECTION_VMA] = [1, 2];
const DELAYS = { flush: 10_000, forkFlush: 10_000, look: 0, setUp: 0, calls: true };

/** A ring of 256 entries, each area on a page of its own. */
const PLACES = [
  [0x10_0000n, 4096n],
  [0x10_2000n, 518n],
  [0x10_4000n, 2054n],
] as const;
const USED_PAGE = [0x10_4000n, 0x10_5000n] as const;

function event(
  name: EventRecord['event'],
  time: number,
  fields: Omit<EventRecord, 'event' | 'time' | 'cpu'> = {},
): EventRecord {
  return { event: name, time: BigInt(time), cpu: 0, ...fields };
}

function setUp(time: number, places: readonly (readonly [bigint, bigint])[]): EventRecord[] {
  return [
    event('notifier', time, { dev: 0, registered: 0, error: 0 }),
    event('unmap', time, { vq: 0 }),
    ...places.map(([address, size], area) =>
      event('addresses', time, { vq: 0, area, address, size }),
    ),
    event('notifier', time, { dev: 0, registered: 1, error: 0 }),
  ];
}

function begin(places: readonly (readonly [bigint, bigint])[]): EventRecord[] {
  return [
    event('virtqueue', 0, { vq: 0, dev: 0, owner: OWNER }),
    ...setUp(1, places),
    event('iotlb', 1, { vq: 0, enabled: 0 }),
  ];
}

function wordOf(index: number, iotlb = false): bigint {
  return ringWord({
    ...createRingWord(),
    lastAvailIdx: index,
    availIdx: index,
    lastUsedIdx: index,
    noNotify: false,
    signalledUsedValid: true,
    callEventfd: true,
    eventIdx: true,
    notifyOnEmpty: false,
    iotlb,
    inOrder: false,
  });
}

/** Of a round that goes by the device IOTLB. */
const IOTLB_WORD = wordOf(2, true);

/** One packet, sent after the `number` before it. */
function round(time: number, number: number, num = 256): EventRecord[] {
  const ring = { ringBefore: wordOf(number), ringAfter: wordOf(number + 1) };
  return [
    event('round', time, { vq: 0 }),
    event('round_end', time + 100, {
      vq: 0,
      handler: HANDLERS.indexOf('net_tx'),
      num,
      chain: 1,
      ...ring,
    }),
  ];
}

/** A call of the notifiers, and its return. */
function call(
  time: number,
  which: 'start' | 'end',
  [start, end]: readonly [bigint, bigint],
  cause: number,
  [pid, comm] = [OWNER, 'qemu'],
  blockable = 1,
): EventRecord[] {
  const range = { owner: OWNER, start, end, cause, blockable, pid, comm };
  return [
    event(`core_range_${which}`, time, range),
    event(`core_range_${which}_return`, time + 1, range),
  ];
}

function judged(
  events: readonly EventRecord[],
  delays = DELAYS,
  roundAccesses: RoundAccesses = 'derived',
): StockVerdicts {
  return stockVerdicts(events, { design: MERGED, preemption: 'voluntary', delays, roundAccesses });
}

/** What the accesses to an area became, round by round. */
function byRound(events: readonly EventRecord[], area: number, delays = DELAYS): unknown[] {
  return [...judged(events, delays).rounds.values()].map((areas) => areas[area]);
}

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

describe('what is likely, where nothing takes time', () => {
  const access = (time: number, accessor: number): EventRecord =>
    event('access', time, { vq: 0, accessor, n: 1 });
  const looks = (time: number): EventRecord[] =>
    PLACES.map((_, area) =>
      event('pages', time, {
        vq: 0,
        area,
        pagesGot: 1,
        pagesWritable: 1,
        pagesWanted: 1,
        contiguous: 1,
        hugePages: 0,
      }),
    );
  const [roundBegins, roundEnds] = round(1_000, 1);
  const inRound = (time: number, number: number, ...told: EventRecord[]): EventRecord[] => {
    const [begins, ends] = round(time, number);
    return [begins, ...told, ends];
  };
  /** Accesses of an accessor by decision, of those that there are. */
  const decided = ({ engine }: StockVerdicts, accessor: number): Record<string, number> => {
    const sums: Record<string, number> = {};
    for (const [outcome, n] of accessOutcomes(engine.tallies, 0, accessor).entries())
      if (n > 0) sums[decisionOf(outcome)] = (sums[decisionOf(outcome)] ?? 0) + n;
    return sums;
  };
  const sure = (events: readonly EventRecord[]): StockVerdicts =>
    judged([...begin(PLACES), ...events], USUAL_DELAYS, 'recorded');
  const likely = (events: readonly EventRecord[]): StockVerdicts =>
    judged([...begin(PLACES), ...events], NO_DELAYS, 'recorded');

  it('an access in a round meets what the ranges before it have left', () => {
    const events = [
      ...looks(1_000),
      roundBegins,
      access(1_001, GET_USED_IDX),
      ...call(1_010, 'start', USED_PAGE, CLEAR),
      access(1_020, GET_USED_IDX),
      access(1_021, GET_AVAIL_IDX),
      ...call(1_030, 'end', USED_PAGE, CLEAR),
      access(1_040, GET_USED_IDX),
      roundEnds,
    ];
    expect(decided(likely(events), GET_USED_IDX)).toEqual({ hit: 1, fallback: 2 });
    expect(decided(likely(events), GET_AVAIL_IDX)).toEqual({ hit: 1 });
    expect(decided(sure(events), GET_USED_IDX)).toEqual({ ambiguous: 3 });
  });

  it('an access in a round is counted where that ends, as a sure one is', () => {
    const open = [...looks(1_000), roundBegins, access(1_001, GET_USED_IDX)];
    for (const events of [open, [...open, ...round(2_000, 2)]])
      for (const judge of [sure, likely]) expect(decided(judge(events), GET_USED_IDX)).toEqual({});
  });

  it('the device IOTLB is on or off as the word of a round has it', () => {
    const on = event('iotlb', 1_010, { vq: 0, enabled: 1 });
    const [begins, ends] = round(2_000, 2);
    const throughIotlb = { ...ends, ringBefore: IOTLB_WORD, ringAfter: IOTLB_WORD };
    const events = [
      ...looks(1_000),
      roundBegins,
      access(1_001, GET_USED_IDX),
      on,
      access(1_020, GET_USED_IDX),
      roundEnds,
      begins,
      access(2_001, GET_USED_IDX),
      access(2_002, GET_USED_IDX),
      throughIotlb,
    ];
    expect(decided(sure(events), GET_USED_IDX)).toEqual({ ambiguous: 2, iotlb: 2 });
    expect(decided(likely(events), GET_USED_IDX)).toEqual({ hit: 2, iotlb: 2 });
  });

  it('a round that ends with the device IOTLB off, which was taken to be on, may have mapped', () => {
    const events = [
      ...looks(900),
      event('iotlb', 950, { vq: 0, enabled: 1 }),
      roundBegins,
      access(1_001, GET_USED_IDX),
      roundEnds,
    ];
    for (const judge of [sure, likely])
      expect(decided(judge(events), GET_USED_IDX)).toEqual({ ambiguous: 1 });
  });

  it('the device IOTLB that was on before a loss is on after it', () => {
    const [begins, ends] = round(2_000, 2);
    const events = [
      event('iotlb', 500, { vq: 0, enabled: 1 }),
      event('lost', 600, { lost: 1n }),
      begins,
      access(2_001, GET_USED_IDX),
      { ...ends, ringBefore: IOTLB_WORD, ringAfter: IOTLB_WORD },
    ];
    for (const judge of [sure, likely])
      expect(decided(judge(events), GET_USED_IDX)).toEqual({ iotlb: 1 });
  });

  it('a range that has begun is counted until its end, also across rounds', () => {
    const first = [
      ...call(900, 'start', USED_PAGE, CLEAR),
      ...looks(1_000),
      roundBegins,
      access(1_001, GET_AVAIL_IDX),
      roundEnds,
    ];
    expect(decided(likely(first), GET_AVAIL_IDX)).toEqual({ fallback: 1 });
    const second = [
      ...first,
      ...call(1_500, 'end', USED_PAGE, CLEAR),
      ...looks(2_000),
      ...inRound(2_000, 2, access(2_001, GET_AVAIL_IDX), access(2_002, GET_USED_IDX)),
    ];
    expect(decided(likely(second), GET_AVAIL_IDX)).toEqual({ fallback: 1, hit: 1 });
    expect(decided(likely(second), GET_USED_IDX)).toEqual({ hit: 1 });
    const third = [
      ...second,
      ...call(2_500, 'start', USED_PAGE, CLEAR, [OWNER, 'other']),
      ...call(2_600, 'start', USED_PAGE, CLEAR),
      ...call(2_700, 'end', USED_PAGE, CLEAR),
      ...inRound(3_000, 3, access(3_001, GET_AVAIL_IDX), access(3_002, GET_USED_IDX)),
    ];
    expect(decided(likely(third), GET_AVAIL_IDX)).toEqual({ fallback: 1, hit: 2 });
    expect(decided(likely(third), GET_USED_IDX)).toEqual({ hit: 1, fallback: 1 });
  });

  it('no count is stuck for a range that was not followed to its end, as there were too many', () => {
    const many = (which: 'start' | 'end', time: number): EventRecord[] =>
      Array.from({ length: 1_030 }, (_, pid) =>
        call(time, which, USED_PAGE, CLEAR, [pid, 'qemu']),
      ).flat();
    const events = [
      ...many('start', 900),
      ...many('end', 950),
      ...looks(1_000),
      ...inRound(1_000, 1, access(1_001, GET_USED_IDX)),
    ];
    // Whether its pages are there is not known with so many ranges.
    expect(decided(likely(events), GET_USED_IDX)).not.toHaveProperty('fallback');
  });

  it('the end of a range does not come to a notifier that has gone: merged keeps the count', () => {
    const off = event('notifier', 1_600, { dev: 0, registered: 0, error: 0 });
    const on = event('notifier', 1_800, { dev: 0, registered: 1, error: 0 });
    const events = [
      ...looks(1_000),
      roundBegins,
      roundEnds,
      ...call(1_500, 'start', USED_PAGE, CLEAR),
      off,
      ...call(1_700, 'end', USED_PAGE, CLEAR),
      on,
      ...looks(2_000),
      ...inRound(2_000, 2, access(2_001, GET_AVAIL_IDX), access(2_002, GET_USED_IDX)),
    ];
    expect(decided(likely(events), GET_AVAIL_IDX)).toEqual({ hit: 1 });
    expect(decided(likely(events), GET_USED_IDX)).toEqual({ fallback: 1 });
  });

  it('a ring that is first told of has the ranges in its count that are under way over it', () => {
    const places = PLACES.map(([address, size], area) =>
      event('addresses', 950, { vq: 0, area, address, size }),
    );
    const first = [
      event('virtqueue', 0, { vq: 0, dev: 0, owner: OWNER }),
      event('iotlb', 1, { vq: 0, enabled: 0 }),
      ...call(900, 'start', USED_PAGE, CLEAR),
      ...places,
      ...inRound(1_000, 1, access(1_001, GET_USED_IDX)),
    ];
    expect(decided(judged(first, NO_DELAYS, 'recorded'), GET_USED_IDX)).toEqual({ fallback: 1 });
    const both = [
      ...first,
      ...call(1_500, 'end', USED_PAGE, CLEAR),
      ...looks(2_000),
      ...inRound(2_000, 2, access(2_001, GET_USED_IDX)),
    ];
    expect(decided(judged(both, NO_DELAYS, 'recorded'), GET_USED_IDX)).toEqual({
      fallback: 1,
      hit: 1,
    });
  });
});

describe('a ring that is set up again', () => {
  const NUM = 1024;
  const places = [
    [0x10_0000n, 16n * 1024n],
    [0x10_8000n, 2054n],
    [0x11_0000n, 8198n],
  ] as const;
  const DESC_PAGES = [0x10_0000n, 0x10_4000n] as const;
  const contiguous = (time: number): EventRecord =>
    event('pages', time, {
      vq: 0,
      area: DESC,
      pagesGot: 4,
      pagesWanted: 4,
      contiguous: 1,
      hugePages: 0,
    });

  it('is still one whose protection was changed', () => {
    const before = [
      ...begin(places),
      ...call(1_000, 'start', DESC_PAGES, PROTECTION_VMA),
      ...call(1_100, 'end', DESC_PAGES, PROTECTION_VMA),
    ];
    const after = [contiguous(5_000), ...round(6_000, 1, NUM), ...round(7_000, 2, NUM)];
    expect(byRound([...before, ...setUp(4_000, places), ...after], DESC)).toEqual([
      'ambiguous',
      'ambiguous',
    ]);
    expect(byRound([...begin(places), ...setUp(4_000, places), ...after], DESC)).toEqual([
      'hit',
      'hit',
    ]);
  });

  it('elsewhere may lie under a range that began before and is not told', () => {
    const delays = { ...DELAYS, setUp: 10_000 };
    const moved = places.map(([address, size]) => [address + 0x100_0000n, size] as const);
    const after = [
      contiguous(22_000),
      ...round(23_000, 1, NUM),
      ...round(24_000, 2, NUM),
      contiguous(31_000),
      ...round(32_000, 3, NUM),
      ...round(33_000, 4, NUM),
    ];
    const again = (to: readonly (readonly [bigint, bigint])[]): EventRecord[] => [
      ...begin(places),
      ...setUp(20_000, to),
      ...after,
    ];
    expect(byRound(again(moved), DESC, delays)).toEqual(['ambiguous', 'ambiguous', 'hit', 'hit']);
    expect(byRound(again(moved), AVAIL, delays)).toEqual([
      'ambiguous',
      'ambiguous',
      'ambiguous',
      'hit',
    ]);
    expect(byRound(again(places), DESC, delays)).toEqual(['hit', 'hit', 'hit', 'hit']);
  });
});

describe('a look in the kernel', () => {
  const NUM = 1024;
  const places = [
    [0x10_0000n, 16n * 1024n],
    [0x10_8000n, 2054n],
    [0x11_0000n, 8198n],
  ] as const;
  const USED_PAGES = [0x11_0000n, 0x11_3000n] as const;
  /** Of the used ring, which takes three pages. */
  const look = (time: number, got: number, writable: number, contiguous = 1): EventRecord =>
    event('pages', time, {
      vq: 0,
      area: USED,
      pagesGot: got,
      pagesWanted: 3,
      contiguous: got === 3 ? contiguous : 0,
      hugePages: 0,
      pagesWritable: writable,
    });
  const used = (...events: EventRecord[]): unknown[] =>
    byRound([...begin(places), ...events], USED);

  it('decides the attempt of its round, and of those that follow', () => {
    expect(used(look(900, 3, 3), ...round(1_000, 1, NUM), ...round(2_000, 2, NUM))).toEqual([
      'hit',
      'hit',
    ]);
    expect(used(look(900, 2, 2), ...round(1_000, 1, NUM), ...round(2_000, 2, NUM))).toEqual([
      'fallback',
      'fallback',
    ]);
    expect(used(look(900, 3, 3, 0), ...round(1_000, 1, NUM))).toEqual(['fallback']);
  });

  it('asks for pages that may be written of the used ring only', () => {
    expect(used(look(900, 3, 2), ...round(1_000, 1, NUM))).toEqual(['fallback']);
    const avail = event('pages', 900, {
      vq: 0,
      area: AVAIL,
      pagesGot: 1,
      pagesWanted: 1,
      contiguous: 1,
      hugePages: 0,
      pagesWritable: 0,
    });
    expect(byRound([...begin(places), avail, ...round(1_000, 1, NUM)], AVAIL)).toEqual(['hit']);
  });

  it('gives way to the next one: pages come without a word', () => {
    expect(
      used(look(900, 2, 2), ...round(1_000, 1, NUM), look(1_900, 3, 3), ...round(2_000, 2, NUM)),
    ).toEqual(['fallback', 'hit']);
  });

  it('says nothing after a range, nor while one is under way', () => {
    const start = call(2_000, 'start', USED_PAGES, CLEAR);
    const end = call(2_100, 'end', USED_PAGES, CLEAR);
    const before = [look(900, 3, 3), ...round(1_000, 1, NUM)];
    expect(used(...before, ...start, ...end, ...round(3_000, 2, NUM))).toEqual([
      'hit',
      'ambiguous',
    ]);
    expect(used(...before, ...start, look(2_050, 3, 3), ...end, ...round(3_000, 2, NUM))).toEqual([
      'hit',
      'ambiguous',
    ]);
    expect(used(...before, ...start, ...end, look(2_900, 2, 2), ...round(3_000, 2, NUM))).toEqual([
      'hit',
      'fallback',
    ]);
  });

  it('of a ring of another size, or set up a moment ago, says nothing', () => {
    const smaller = { ...look(900, 2, 2), pagesWanted: 2 };
    expect(used(smaller, ...round(1_000, 1, NUM))).toEqual(['ambiguous']);
    const events = [...begin(places), look(900, 3, 3), ...round(1_000, 1, NUM)];
    expect(byRound(events, USED, { ...DELAYS, setUp: 10_000 })).toEqual(['ambiguous']);
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
