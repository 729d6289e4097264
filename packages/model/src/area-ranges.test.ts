/** Ranges in 32-bit words against BigInt. */
import { assert, bigInt, constantFrom, oneof, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRange, setRange } from './area-ranges.js';
import { AMBIGUOUS } from './outcome.js';
import { createVirtqueueState } from './virtqueue-state.js';

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
