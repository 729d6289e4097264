/** Who makes invalidations: what is counted, under whose name, and what is not. */
import { describe, expect, it } from 'vitest';
import { INVALIDATION_CLASSES } from '../src/invalidation-classes.ts';
import { createInvalidationMakers, type MadeInvalidations } from '../src/invalidation-makers.ts';
import type { HostKind } from '../src/engine-state.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

const RING = 0x10_0000n;
const KSM = INVALIDATION_CLASSES.indexOf('ksm');

/** Two devices of one process, whose rings share a page. */
const SET_UP: EventRecord[] = [
  { event: 'recording', time: 0n, cpu: 0, note: '' },
  { event: 'virtqueue', time: 0n, cpu: 0, vq: 0, dev: 7, owner: 100 },
  { event: 'virtqueue', time: 0n, cpu: 0, vq: 1, dev: 8, owner: 100 },
  { event: 'addresses', time: 0n, cpu: 0, vq: 0, area: 0, address: RING, size: 4096n },
  { event: 'addresses', time: 0n, cpu: 0, vq: 1, area: 0, address: RING, size: 4096n },
];

function range(other: Partial<EventRecord> = {}): EventRecord {
  const where = { start: RING, end: RING + 16n, owner: 100 };
  const who = { cause: 1, blockable: 1, pid: 38, comm: 'ksmd\\x00rest' };
  return { event: 'core_range_start', time: 1n, cpu: 0, ...where, ...who, ...other };
}

function madeOf(events: readonly EventRecord[], host: HostKind = 'stock'): MadeInvalidations {
  const makers = createInvalidationMakers(host);
  for (const { batch, from, to } of batchesOf([...SET_UP, ...events]))
    makers.consume(batch, from, to);
  return makers.made();
}

describe('invalidation makers', () => {
  it('count a range once, however many rings of however many devices it touches', () => {
    const { all, processes } = madeOf([range()]);
    expect(all).toBe(1);
    expect(processes).toEqual([{ pid: 38, comm: 'ksmd', invalidations: 1 }]);
  });

  it('leave out ranges beside the rings, of other processes, and those that must not block', () => {
    const beside = { start: RING + 8192n, end: RING + 12_288n };
    const { all } = madeOf([range(beside), range({ owner: 101 }), range({ blockable: 0 })]);
    expect(all).toBe(0);
  });

  it('take the class of a stack that is told later, and unknown where none is', () => {
    const { byClass } = madeOf([
      range({ stack: 5n }),
      { event: 'stack', time: 2n, cpu: 0, stack: 5n, class: KSM, note: 'ksm_do_scan' },
      range({ stack: 6n }),
      range(),
    ]);
    expect(byClass).toEqual(
      new Map([
        [KSM, 1],
        [0, 2],
      ]),
    );
  });

  it('know no class where no stack was recorded', () => {
    expect(madeOf([range()]).byClass).toBeUndefined();
  });

  it('hear callbacks of a kernel with the direct map, and not the calls behind them too', () => {
    const told = range({ event: 'range_start', dev: 7 });
    expect(madeOf([range(), told], 'direct-map').all).toBe(1);
    expect(madeOf([range(), told], 'stock').all).toBe(1);
  });

  it('forget rings that were reset', () => {
    const resets: EventRecord[] = [0, 1].map((vq) => ({ event: 'reset', time: 1n, cpu: 0, vq }));
    expect(madeOf([...resets, range()]).all).toBe(0);
  });

  it('bound the processes that they remember', () => {
    const { all, processes, others } = madeOf(
      Array.from({ length: 5000 }, (_, pid) => range({ pid })),
    );
    expect({ all, others }).toEqual({ all: 5000, others: 904 });
    expect(processes).toHaveLength(4096);
  });
});
