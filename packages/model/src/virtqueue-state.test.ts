/** Ranges in 32-bit words against BigInt. */
import { assert, bigInt, constantFrom, oneof, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMBIGUOUS, HIT, IOTLB } from './outcome.js';
import { ACCESSORS, type Accessor } from './ring.js';
import {
  createVirtqueueState,
  growVirtqueueState,
  isRange,
  setIotlb,
  setMap,
  setRange,
  type VirtqueueState,
} from './virtqueue-state.js';

const MASK = 2n ** 64n - 1n;
const words = (value: bigint) =>
  Uint32Array.of(Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));

/** Values around the edges of words, and any other. */
const edges = constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 33n, 2n ** 63n, MASK);
const addresses = oneof(bigInt({ min: 0n, max: MASK }), edges);
const sizes = oneof(bigInt({ min: 0n, max: 0x1_0000n }), edges);

describe('a range', () => {
  const state = createVirtqueueState(AMBIGUOUS, 0);
  const slot = 5;

  it('is told from others; all of size 0 are alike', () => {
    assert(
      property(addresses, sizes, addresses, sizes, (address, size, other, otherSize) => {
        setRange(state, slot, words(address), words(size), 0);
        expect(isRange(state, slot, words(address), words(size), 0)).toBe(true);
        const isSame = size === otherSize && (size === 0n || address === other);
        expect(isRange(state, slot, words(other), words(otherSize), 0)).toBe(isSame);
      }),
    );
  });

  it('that was never recorded is none', () => {
    const fresh = createVirtqueueState(AMBIGUOUS, 0);
    expect(isRange(fresh, slot, words(0n), words(0n), 0)).toBe(false);
  });
});

describe('state', () => {
  it('keeps what it holds when it grows, and begins unknown beyond', () => {
    const state = createVirtqueueState(AMBIGUOUS, 1);
    growVirtqueueState(state, 3);
    setMap(state, 4 * 3 + 1, HIT);
    setRange(state, 4 * 3, words(0x7f00_0000_0000n), words(4096n), 0);
    growVirtqueueState(state, 1000);
    expect(state.size).toBe(1001);
    expect(state.capacity).toBeGreaterThan(1000);
    expect(state.map[4 * 3 + 1]).toBe(HIT);
    expect(isRange(state, 4 * 3, words(0x7f00_0000_0000n), words(4096n), 0)).toBe(true);
    expect(state.map[4 * 1000]).toBe(AMBIGUOUS);
    expect(state.diverged[1000]).toBe(1);
    expect(state.countLow[1000]).toBeLessThan(0);
  });

  it('bypasses maps while the IOTLB is on, and has them again after', () => {
    const state = createVirtqueueState(AMBIGUOUS, 0);
    growVirtqueueState(state, 0);
    setMap(state, 0, HIT);
    setIotlb(state, 0, true);
    expect(met(state, 'get_desc')).toBe(IOTLB);
    setMap(state, 1, HIT);
    expect(met(state, 'get_avail_idx')).toBe(IOTLB);
    setIotlb(state, 0, false);
    expect(met(state, 'get_desc')).toBe(HIT);
    expect(met(state, 'get_used_event')).toBe(HIT);
    expect(met(state, 'put_used')).toBe(AMBIGUOUS);
  });
});

/** What an access of virtqueue 0 meets. */
function met({ effective }: VirtqueueState, accessor: Accessor): number | undefined {
  return effective[ACCESSORS.indexOf(accessor)];
}
