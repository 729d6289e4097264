import { assert, array, integer, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import {
  accessesOf,
  DECISIONS,
  grouped,
  groupedShares,
  groupSize,
  shortNumber,
  stacked,
  timeUnit,
} from './bins.ts';

const counts = record({
  hits: nat(1e6),
  fallbacks: nat(1e6),
  iotlb: nat(3),
  ambiguous: nat(3),
});

test('groups hold every count once, and are as few as asked for', () => {
  assert(
    property(array(nat(1000), { minLength: 1 }), integer({ min: 1, max: 50 }), (series, most) => {
      const size = groupSize(series.length, most);
      const sums = grouped(series, series.length, size);
      expect(sums.length).toBeLessThanOrEqual(most);
      const all = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0);
      expect(all(sums)).toBe(all(series));
      for (const [at, sum] of sums.entries())
        expect(sum).toBe(all(series.slice(at * size, (at + 1) * size)));
    }),
  );
});

test('shares stand on each other up to the top, and none that is there is lower than the least', () => {
  assert(
    property(counts, (shares) => {
      const ends = stacked(shares, 0.05);
      if (accessesOf(shares) === 0) {
        expect(ends).toEqual(DECISIONS.map(() => null));
        return;
      }
      expect(ends.at(-1)).toBe(1);
      let from = 0;
      for (const [at, end] of ends.entries()) {
        const part = (end ?? 0) - from;
        const count = shares[DECISIONS[at]];
        if (count === 0) expect(part).toBeCloseTo(0, 9);
        else expect(part).toBeGreaterThanOrEqual(0.05 - 1e-9);
        // Not further from the truth than the least heights of the others make it.
        expect(Math.abs(part - count / accessesOf(shares))).toBeLessThanOrEqual(0.15 + 1e-9);
        from = end ?? 0;
      }
    }),
  );
});

test('decisions of areas add up', () => {
  const areas = [{ hits: [1, 2, 3] }, undefined, { hits: [10, 0, 0], ambiguous: [0, 5, 0] }];
  expect(groupedShares(areas, 3, 2)).toEqual([
    { hits: 13, fallbacks: 0, iotlb: 0, ambiguous: 5 },
    { hits: 3, fallbacks: 0, iotlb: 0, ambiguous: 0 },
  ]);
});

test('times have a unit that suits them', () => {
  expect(timeUnit(2.4e9)).toEqual({ unit: 's', ns: 1e9 });
  expect(timeUnit(999e6)).toEqual({ unit: 'ms', ns: 1e6 });
  expect(timeUnit(0)).toEqual({ unit: 'µs', ns: 1e3 });
  expect(shortNumber(8.192)).toBe('8.192');
  expect(shortNumber(12.3456)).toBe('12.35');
  expect(shortNumber(1500)).toBe('1500');
});
