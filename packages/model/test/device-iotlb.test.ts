/** What the device IOTLB did: lookups, misses, answers, storms. */
import { describe, expect, it } from 'vitest';
import { createDeviceIotlbWatch, MISSED_OF, type DeviceIotlbFound } from '../src/device-iotlb.ts';
import { createRingWord, ringWord, type RingWord } from '../src/ring-word.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

const DESC = 0x8000_0000n;
const AVAIL = 0x8000_1000n;
const USED = 0x8000_2000n;
const SECOND = 1_000_000_000n;

const SET_UP: EventRecord[] = [
  { event: 'recording', time: 0n, cpu: 0, note: '' },
  { event: 'virtqueue', time: 0n, cpu: 0, vq: 0, dev: 7, owner: 100 },
  ...[DESC, AVAIL, USED].map((address, area): EventRecord => ({
    event: 'addresses',
    time: 0n,
    cpu: 0,
    vq: 0,
    area,
    address,
    size: 4096n,
  })),
];

const KEPT = { metaDesc: true, metaAvail: true, metaUsed: true };

function round(before: Partial<RingWord>): EventRecord {
  const ringBefore = ringWord({ ...createRingWord(), iotlb: true, metaTold: true, ...before });
  return { event: 'round_end', time: 1n, cpu: 0, vq: 0, ringBefore, ringAfter: ringBefore };
}

function miss(iova: bigint, time = 1n): EventRecord {
  return { event: 'iotlb_miss', time, cpu: 0, vq: 0, iova, perm: 1 };
}

function update(iova: bigint, bytes: bigint, time: bigint): EventRecord {
  return { event: 'iotlb_update', time, cpu: 1, dev: 7, iova, bytes, perm: 3 };
}

function found(events: readonly EventRecord[], stormRate = 100): DeviceIotlbFound {
  const watch = createDeviceIotlbWatch(stormRate);
  for (const { batch, from, to } of batchesOf([...SET_UP, ...events]))
    watch.consume(batch, from, to);
  return watch.found;
}

describe('lookups of the meta-IOTLB', () => {
  it('are one of each area in a round', () => {
    const rounds = [round(KEPT), round({ ...KEPT, metaUsed: false })];
    expect(found(rounds).virtqueues.get(0)).toMatchObject({
      rounds: 2,
      skipped: 0,
      metaHits: [2, 2, 1],
      metaMisses: [0, 0, 1],
    });
  });

  it('end with the area that is missed, and so does the round', () => {
    expect(found([miss(AVAIL + 8n), round({ metaDesc: true })]).virtqueues.get(0)).toMatchObject({
      skipped: 1,
      metaHits: [1, 0, 0],
      metaMisses: [0, 1, 0],
    });
  });

  it('are not counted where the recording does not tell of them, or the device IOTLB is off', () => {
    const { virtqueues } = found([round({ metaTold: false }), round({ iotlb: false })]);
    expect(virtqueues.get(0)).toMatchObject({ rounds: 1, metaHits: [0, 0, 0] });
  });
});

describe('misses', () => {
  it('are told apart by what they are of', () => {
    const events = [miss(DESC), miss(USED + 4095n), miss(USED + 4096n), miss(0x9000n)];
    const misses = found(events).virtqueues.get(0)?.misses ?? [];
    expect(Object.fromEntries(MISSED_OF.map((name, at) => [name, misses[at]]))).toEqual({
      desc: 1,
      avail: 0,
      used: 1,
      buffer: 2,
    });
  });

  it('wait for the update that covers their address', () => {
    const { devices } = found([
      miss(DESC, 100n),
      miss(0x9000n, 200n),
      miss(DESC, 250n),
      update(DESC - 1n, 1n, 260n),
      update(DESC, 4096n, 300n),
      update(0x8000n, 0x2000n, 900n),
    ]);
    expect(devices.get(7)).toMatchObject({
      misses: 3,
      updates: 3,
      answered: 2,
      waited: 900,
      longest: 700,
    });
  });

  it('are a storm when enough come within a second, until one passes without', () => {
    const every = (gap: bigint, from: bigint, many: number): EventRecord[] =>
      Array.from({ length: many }, (_, at) => miss(0x9000n, from + BigInt(at) * gap));
    const slow = every(SECOND / 2n, SECOND, 5);
    const fast = every(1000n, 10n * SECOND, 5);
    const later = [miss(0x9000n, 10n * SECOND + 900_000_000n)];
    const again = every(1000n, 20n * SECOND, 4);
    const { storms, devices } = found([...slow, ...fast, ...later, ...again], 4);
    expect(storms).toMatchObject([
      { begin: 10n * SECOND, end: 10n * SECOND + 900_000_000n, misses: 6 },
      { begin: 20n * SECOND, misses: 4 },
    ]);
    expect(devices.get(7)?.storms).toBe(2);
  });

  it('outside of what is counted are left out', () => {
    const watch = createDeviceIotlbWatch(100);
    watch.count(false);
    for (const { batch, from, to } of batchesOf([...SET_UP, miss(DESC), round(KEPT)]))
      watch.consume(batch, from, to);
    expect(watch.found.virtqueues.size).toBe(0);
  });
});
