/** The tests of overlap in 32-bit words against BigInt. */
import { assert, bigInt, constantFrom, oneof, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setRange } from './area-ranges.js';
import { AMBIGUOUS } from './outcome.js';
import { concerns } from './overlap.js';
import { createVirtqueueState } from './virtqueue-state.js';

const MASK = 2n ** 64n - 1n;
const words = (value: bigint) =>
  Uint32Array.of(Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
const range = (start: bigint, end: bigint) => {
  const [startLow, startHigh] = words(start);
  const [endLow, endHigh] = words(end);
  return { startLow, startHigh, endLow, endHigh };
};

/** Values around the edges of words, and any other. */
const edges = constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 33n, 2n ** 63n, MASK);
const addresses = oneof(bigInt({ min: 0n, max: MASK }), edges);
const sizes = oneof(bigInt({ min: 0n, max: 0x1_0000n }), edges);
const near = bigInt({ min: -0x1_0001n, max: 0x1_0001n });

describe('a range concerns an area', () => {
  const state = createVirtqueueState(AMBIGUOUS, 0);
  const slot = 5;

  it('as the kernel computes it: `end` inclusive, or up to its first byte from before it', () => {
    assert(
      property(addresses, sizes, near, near, (address, size, fromStart, fromEnd) => {
        const last = (address + size - 1n) & MASK;
        const start = (address + fromStart) & MASK;
        for (const [from, to] of [
          [start, (last + fromEnd) & MASK],
          [start, address],
          [start, (address - 1n) & MASK],
          [last, MASK],
          [(last + 1n) & MASK, MASK],
          [0n, MASK],
        ]) {
          setRange(state, slot, words(address), words(size), 0);
          const asMerged = size !== 0n && !(to < address || from > last);
          const asV2 = size !== 0n && from < address && to >= address;
          expect(concerns(state, slot, range(from, to), 'inclusive-end')).toBe(asMerged);
          expect(concerns(state, slot, range(from, to), 'start-only')).toBe(asV2);
          expect(concerns(state, slot, range(from, to), 'always')).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('whose place is not known only where all do', () => {
    const fresh = createVirtqueueState(AMBIGUOUS, 0);
    const all = range(0n, MASK);
    expect(concerns(fresh, slot, all, 'inclusive-end')).toBe(false);
    expect(concerns(fresh, slot, all, 'start-only')).toBe(false);
    expect(concerns(fresh, slot, all, 'always')).toBe(true);
  });
});
