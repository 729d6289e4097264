/** Each hazard, from a stream that has it; and the same without what makes it one. */
import { describe, expect, it } from 'vitest';
import { findDesign } from '../src/designs.ts';
import { createHazardWatch } from '../src/hazards/hazards.ts';
import type { FoundHazards, Hazard } from '../src/hazards/hazard.ts';
import { KIND, type EventName } from '../src/events.ts';
import { createEngine } from '../src/replay-engine.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

const RING = 0x10_0000n;
const AVAIL = RING + 0x1000n;
const USED = RING + 0x2000n;
const OTHER = 0x90_0000n;

let time = 0n;

function event(
  name: EventName,
  fields: Omit<EventRecord, 'event' | 'time' | 'cpu'> = {},
): EventRecord {
  return { event: name, time: (time += 1000n), cpu: 0, ...fields };
}

/** The areas of a virtqueue on pages of their own; `at` moves the ring. */
function ring(vq: number, at = RING): EventRecord[] {
  return [0, 1, 2].map((area) =>
    event('addresses', { vq, area, address: at + BigInt(area) * 0x1000n, size: 1000n, error: 0 }),
  );
}

const notifier = (registered: number): EventRecord =>
  event('notifier', { dev: 0, registered, error: 0 });

function mapped(vq: number, result = 0): EventRecord[] {
  return [
    event('round', { vq }),
    ...[0, 1, 2].map((area) =>
      event('prefetch', {
        vq,
        area,
        result,
        pagesGot: result === 0 ? 1 : -1000,
        pagesWanted: 1,
      }),
    ),
  ];
}

const refused = (vq: number): EventRecord[] => mapped(vq, -14);

function accesses(vq: number, observed: number, n = 5): EventRecord {
  // get_avail_idx
  return event('access', { vq, accessor: 1, observed, n, entries: 1 });
}

const range = (name: EventName, at: bigint, blockable = 1): EventRecord =>
  event(name, { dev: 0, start: at, end: at + 16n, cause: 1, blockable, pid: 9, comm: 'ksmd' });

const core = (name: EventName, at: bigint, cause = 1, bytes = 16n): EventRecord =>
  event(name, { owner: 5, start: at, end: at + bytes, cause, blockable: 1, pid: 9, comm: 'ksmd' });

const started = (vq: number, area: number, invalidateCount: number, cleared = 1): EventRecord =>
  event('effect_start', { vq, area, invalidateCount, cleared });

const ended = (vq: number, area: number, invalidateCount: number): EventRecord =>
  event('effect_end', { vq, area, invalidateCount });

/** Two virtqueues of a device, reset before our eyes and set up; vq 1 lies at OTHER. */
function setUpRings(): EventRecord[] {
  return [
    event('recording', { note: '' }),
    ...[0, 1].map((vq) => event('virtqueue', { vq, dev: 0, rank: vq, owner: 5 })),
    event('reset', { vq: 0 }),
    event('reset', { vq: 1 }),
    notifier(0),
    event('unmap', { vq: 0, mask: 0, invalidateCount: 0 }),
    ...ring(0),
    event('unmap', { vq: 1, mask: 0, invalidateCount: 0 }),
    ...ring(1, OTHER),
  ];
}

/** Both mapped. */
function begun(): EventRecord[] {
  return [...setUpRings(), notifier(1), ...mapped(0), ...mapped(1)];
}

function hazardsIn(
  events: readonly EventRecord[],
  design = 'merged',
  order: 'effects' | 'ranges' = 'effects',
  host: 'direct-map' | 'stock' = 'direct-map',
): FoundHazards {
  const engine = createEngine({
    design: findDesign(design)!,
    order,
    preemption: 'voluntary',
    host,
  });
  const watch = createHazardWatch(engine);
  for (const { batch, from, to } of batchesOf(events)) {
    for (let i = from; i < to; i++) {
      const isAccess = batch.kind[i] === KIND.access;
      if (!isAccess) watch.foresee(batch, i);
      engine.consume(batch, i, i + 1);
      if (!isAccess) watch.see(batch, i);
    }
  }
  engine.finish();
  watch.finish();
  return watch.found;
}

/** Kinds and grades with their counts. */
function counted(found: FoundHazards): Record<string, number> {
  return Object.fromEntries([...found.counts].map(([name, { count }]) => [name, count]));
}

function chainOf(hazard: Hazard | undefined): string[] {
  return hazard?.chain.map((mark) => mark.event) ?? [];
}

describe('an idle ring of a stock host that is told of while a range is over it', () => {
  const told = (vq: number, at: bigint): EventRecord[] => [
    event('virtqueue', { vq, dev: vq, owner: 5 }),
    ...ring(vq, at),
  ];
  const [START, STARTED, END, ENDED] = [
    'core_range_start',
    'core_range_start_return',
    'core_range_end',
    'core_range_end_return',
  ] as const;

  it.each([
    ['has begun', [START, STARTED], [END, ENDED]],
    ['begins', [START], [STARTED, END, ENDED]],
    ['ends', [START, STARTED, END], [ENDED]],
  ])('has a count that nothing is wrong with: %s', (_what, before, after) => {
    const found = hazardsIn(
      [
        ...told(0, OTHER),
        ...before.map((name) => core(name, RING)),
        ...told(1, RING),
        event('round', { vq: 1 }),
        ...after.map((name) => core(name, RING)),
        event('round', { vq: 1 }),
        event('round', { vq: 1 }),
      ],
      'merged',
      'ranges',
      'stock',
    );
    expect(counted(found)).toEqual({});
  });
});

describe('more ranges under way than are followed', () => {
  /** Their ends but for that of the first, of another process each: nothing tells them from others. */
  const inOrder = (name: EventName, count: number, first = 0): EventRecord[] =>
    Array.from({ length: count - first }, (_, at) => ({
      ...range(name, OTHER),
      pid: 1000 + first + at,
    }));

  it.each([1024, 1025])('prove no count that they explain: %i', (count) => {
    const found = hazardsIn(
      [
        ...begun(),
        ...inOrder('range_start', count),
        ...inOrder('range_end', count, 1),
        ...refused(1),
        ...refused(1),
      ],
      'merged',
      'ranges',
    );
    expect(counted(found)['stuck_count proven']).toBeUndefined();
  });
});

describe('stale map', () => {
  const changed = [
    core('core_range_start', OTHER + 0x1000n),
    core('core_range_end', OTHER + 0x1000n),
  ];
  const setUp = [event('unmap', { vq: 0, mask: 7, invalidateCount: 0 }), ...ring(0)];

  it.each([
    ['only writes are kept from pages', core('core_range_start', OTHER + 0x1000n, 3)],
    ['protection changes', core('core_range_start', OTHER + 0x1000n, 2)],
    ['a huge page is split', core('core_range_start', 0x80_0000n, 1, 0x20_0000n)],
    ['pages go up to the ring', core('core_range_start', OTHER + 0x1000n - 16n)],
  ])('is only possible where %s', (_what, changes) => {
    const found = hazardsIn([
      ...begun(),
      notifier(0),
      ...setUp,
      changes,
      notifier(1),
      accesses(1, 1),
      event('round', { vq: 1 }),
    ]);
    expect(counted(found)['stale_map proven']).toBeUndefined();
    expect(counted(found)['stale_map possible']).toBeGreaterThan(0);
  });

  it('is proven where the memory manager changed pages while the notifier was off', () => {
    const found = hazardsIn([
      ...begun(),
      notifier(0),
      ...setUp,
      ...changed,
      notifier(1),
      accesses(1, 1),
    ]);
    const [hazard] = found.listed;
    expect(hazard).toMatchObject({
      kind: 'stale_map',
      grade: 'proven',
      vq: 1,
      area: 1,
      accesses: 5,
    });
    expect(hazard.end).toBeUndefined();
    expect(chainOf(hazard)).toEqual(['prefetch', 'notifier', 'core_range_start', 'notifier']);
    expect(counted(found)).toEqual({ 'stale_map proven': 1, 'lost_dirty counted': 1 });
  });

  it('is possible where a map outlived that time, and nobody looked at the memory manager', () => {
    const found = hazardsIn([...begun(), notifier(0), ...setUp, notifier(1), accesses(1, 1, 3)]);
    expect(found.listed).toMatchObject([
      { kind: 'stale_map', grade: 'possible', vq: 1, accesses: 3 },
    ]);
    expect(chainOf(found.listed[0])).toEqual(['prefetch', 'notifier', 'notifier']);
  });

  it.each<[string, EventRecord[]]>([
    ['nobody used the map', [notifier(0), ...changed, notifier(1)]],
    ['the notifier was on', [...changed, accesses(1, 1)]],
    ['it is elsewhere in memory', [core('core_range_start', RING - 0x5000n), accesses(1, 1)]],
    [
      'the callback was called all the same',
      [
        notifier(0),
        changed[0],
        range('range_start', OTHER + 0x1000n),
        started(1, 1, 1),
        range('range_end', OTHER + 0x1000n),
        ended(1, 1, 0),
        notifier(1),
        accesses(1, 0),
      ],
    ],
  ])('is none where %s', (_, events) => {
    const found = hazardsIn([...begun(), ...events]);
    expect(found.listed).toEqual([]);
  });
});

describe('stuck count', () => {
  const cut = [range('range_start', AVAIL), started(0, 1, 1), notifier(0), notifier(1)];

  it('is proven where the end of a range came while the notifier was off', () => {
    const events = [
      ...begun(),
      ...cut,
      ...refused(0),
      accesses(0, 0),
      ...refused(0),
      accesses(0, 0),
    ];
    const { listed } = hazardsIn(events);
    const [stuck] = listed.filter(({ kind }) => kind === 'stuck_count');
    expect(stuck).toMatchObject({ grade: 'proven', vq: 0, end: undefined, accesses: 10 });
    expect(chainOf(stuck)).toEqual(['range_start', 'notifier', 'notifier', 'round']);
  });

  it('ends with a reset', () => {
    const events = [...begun(), ...cut, ...refused(0), accesses(0, 0)];
    const reset = event('reset', { vq: 0 });
    const { listed } = hazardsIn([...events, reset, ...ring(0), ...mapped(0), accesses(0, 1)]);
    const [stuck] = listed.filter(({ kind }) => kind === 'stuck_count');
    expect(stuck).toMatchObject({ end: { event: 'reset', time: reset.time }, accesses: 5 });
  });

  it.each<[string, EventRecord[]]>([
    [
      'the range is still under way',
      [range('range_start', AVAIL), started(0, 1, 1), ...refused(0)],
    ],
    [
      'it has ended',
      [
        range('range_start', AVAIL),
        started(0, 1, 1),
        range('range_end', AVAIL),
        ended(0, 1, 0),
        ...mapped(0).slice(0, 1),
      ],
    ],
    [
      'its end is entered and has no effect yet',
      [range('range_start', AVAIL), started(0, 1, 1), range('range_end', AVAIL), ...refused(0)],
    ],
  ])('is none while %s', (_, events) => {
    expect(hazardsIn([...begun(), ...events]).listed).toEqual([]);
  });

  it('is none where the design resets the count when the ring is set up', () => {
    const setUp = [event('unmap', { vq: 0, mask: 7, invalidateCount: 0 }), ...ring(0)];
    const events = [...begun(), ...cut.slice(0, 3), ...setUp, cut[3], ...mapped(0), accesses(0, 1)];
    const { listed } = hazardsIn(events, 'fixes-v5');
    expect(listed.filter(({ kind }) => kind === 'stuck_count')).toEqual([]);
  });
});

describe('negative count and forbidden window', () => {
  const below = [range('range_end', AVAIL), ended(0, 1, -1)];

  it('are proven where an end was counted whose begin was not', () => {
    const window = [range('range_start', AVAIL), started(0, 1, 0), ...mapped(0)];
    const found = hazardsIn([...begun(), ...below, ...refused(0).slice(0, 1), ...window]);
    const negative = found.listed.find(({ kind }) => kind === 'negative_count');
    expect(negative).toMatchObject({ grade: 'proven', vq: 0 });
    expect(chainOf(negative)).toEqual(['range_end', 'round']);
    const [forbidden] = found.listed.filter(({ kind }) => kind === 'forbidden_window');
    expect(forbidden).toMatchObject({ grade: 'proven', vq: 0, area: 1 });
    expect(chainOf(forbidden)).toEqual(['range_end', 'range_start', 'prefetch']);
  });

  it('are none of a range that is counted at both ends', () => {
    const whole = [
      range('range_start', AVAIL),
      started(0, 1, 1),
      range('range_end', AVAIL),
      ended(0, 1, 0),
      ...mapped(0).slice(0, 1),
      event('prefetch', { vq: 0, area: 1, result: 0, pagesGot: 1, pagesWanted: 1 }),
    ];
    expect(hazardsIn([...begun(), ...whole, accesses(0, 1)]).listed).toEqual([]);
  });
});

describe('too few pages', () => {
  const at = (address: bigint, size: bigint): EventRecord =>
    event('addresses', { vq: 0, area: 1, address, size, error: 0 });
  const tried = (): EventRecord[] => [notifier(1), ...mapped(0)];

  it('is proven where a mapped area lies on more pages than were asked for', () => {
    const crossing = at(AVAIL + 4090n, 100n);
    const { listed } = hazardsIn([...setUpRings(), crossing, ...tried()]);
    const [hazard] = listed;
    expect(hazard).toMatchObject({ kind: 'too_few_pages', grade: 'proven', vq: 0, area: 1 });
    expect(chainOf(hazard)).toEqual(['addresses', 'prefetch']);
    expect(hazard.chain[0].what).toBe('the area lies on 2 pages, and 1 are asked for');
  });

  it.each<[string, EventRecord[]]>([
    ['it ends with its page', [at(AVAIL + 3996n, 100n), ...tried()]],
    ['as many are asked for', [at(AVAIL + 4090n, 4100n), ...tried()]],
    ['it was not mapped', [at(AVAIL + 4090n, 100n), notifier(1)]],
  ])('is none where %s', (_, events) => {
    expect(hazardsIn([...setUpRings(), ...events]).listed).toEqual([]);
  });
});

describe('what the design does each time', () => {
  it('is a refused range, where it must not block', () => {
    const away = [range('range_start', 0n, 0)];
    expect(counted(hazardsIn([...begun(), ...away]))).toEqual({ 'refused_range proven': 1 });
    expect(counted(hazardsIn([...begun(), ...away], 'fixes-v5'))).toEqual({});
    const over = [range('range_start', AVAIL, 0)];
    const { listed } = hazardsIn([...begun(), ...over], 'fixes-v5');
    expect(listed).toMatchObject([{ kind: 'refused_range', vq: undefined }]);
  });

  const cleared = [
    range('range_start', USED),
    started(0, 2, 1),
    range('range_end', USED),
    ended(0, 2, 0),
  ];

  it('is to make the memory manager wait, and to mark pages dirty under a spinlock', () => {
    expect(counted(hazardsIn([...begun(), ...cleared]))).toEqual({
      'notifier_stall counted': 1,
      'dirty_under_lock counted': 1,
    });
    expect(counted(hazardsIn([...begun(), ...cleared], 'fixes-v5'))).toEqual({
      'notifier_stall counted': 1,
    });
  });

  it('is to drop maps of used rings without marking their pages dirty', () => {
    const dropped = [event('unmap', { vq: 0, mask: 7, invalidateCount: 0 })];
    expect(counted(hazardsIn([...begun(), ...dropped]))).toEqual({ 'lost_dirty counted': 1 });
    expect(counted(hazardsIn([...begun(), ...dropped], 'fixes-v5'))).toEqual({});
  });

  it('is nothing where it maps nothing', () => {
    expect(
      counted(hazardsIn([...begun(), ...cleared, range('range_start', USED, 0)], 'copy')),
    ).toEqual({});
  });
});

describe('in ranges order', () => {
  it('the same stuck count and stale map are proven', () => {
    const cut = [range('range_start', AVAIL), accesses(1, 1), notifier(0), notifier(1)];
    const events = [...begun(), ...cut, ...refused(0), accesses(0, 0), accesses(1, 1)];
    const kinds = hazardsIn(events, 'merged', 'ranges').listed.map(
      ({ kind, grade }) => `${kind} ${grade}`,
    );
    expect(kinds).toContain('stuck_count proven');
    expect(kinds).toContain('stale_map possible');
  });
});
