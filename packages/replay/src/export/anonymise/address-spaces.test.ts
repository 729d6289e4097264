import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAddressSpaces, randomDistance } from './address-spaces.js';

const userAddress = fc.bigInt(1n, (1n << 47n) - 1n);

test('what is joined keeps its distances, and places in a huge page', () => {
  fc.assert(
    fc.property(userAddress, userAddress, (one, other) => {
      const spaces = createAddressSpaces();
      spaces.join('vq 1', 'dev 1');
      spaces.join('dev 1', 'owner 5');
      const moved = spaces.moved('vq 1', one);
      expect(spaces.moved('owner 5', other) - moved).toBe(other - one);
      expect((moved - one) % 0x200000n).toBe(0n);
      expect(moved).toBeGreaterThanOrEqual(1n << 47n);
      expect(moved).toBeLessThan(1n << 53n);
    }),
  );
});

test('what is not joined moves apart, unless nobody knows', () => {
  let next = 0n;
  const distance = (): bigint => (next += 1n << 30n);
  const apart = createAddressSpaces(distance);
  apart.join('vq 1', 'dev 1');
  apart.join('vq 2', 'dev 2');
  expect(apart.moved('vq 1', 4096n)).toBe(apart.moved('dev 1', 4096n));
  expect(apart.moved('vq 1', 4096n)).not.toBe(apart.moved('vq 2', 4096n));
  const one = createAddressSpaces(distance);
  one.joinAll();
  expect(one.moved('vq 1', 4096n)).toBe(one.moved('owner 9', 4096n));
});

test('the bounds of memory stay, and what no process can name is not told', () => {
  const spaces = createAddressSpaces();
  const last = (1n << 64n) - 1n;
  expect(spaces.moved('dev 1', 0n)).toBe(0n);
  expect(spaces.moved('dev 1', last)).toBe(last);
  expect(spaces.moved('dev 1', 0xffff_8881_0000_0100n)).toBe(last);
});

test('distances differ', () => {
  expect(new Set(Array.from({ length: 100 }, randomDistance)).size).toBe(100);
});
