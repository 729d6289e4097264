import { expect, test } from 'vitest';
import { duration, seconds, uncertainty } from './times.js';

test('moments to the ms', () => {
  expect([0, 12_345_678_901, 12_345_999_999, 3_723_500_000_000, -999_999].map(seconds)).toEqual([
    '0.000 s',
    '12.345 s',
    '12.345 s',
    '3,723.500 s',
    '0.000 s',
  ]);
  expect(seconds(-1_500_000_000n)).toBe('-1.500 s');
  expect([Number.NaN, Infinity].map(seconds)).toEqual(['?', '?']);
  expect(seconds((1n << 63n) - 1n)).toBe('9,223,372,036.854 s');
});

test('lengths in a unit that suits them', () => {
  const lengths = [
    0, 0.7, 999, 1000, 1239, 45_699, 999_999, 789e6, 12.39e9, 123.9e9, 5000.9e9, -1239,
  ];
  expect(lengths.map((ns) => duration(ns))).toEqual([
    '0 ns',
    '0 ns',
    '999 ns',
    '1.00 µs',
    '1.23 µs',
    '45.6 µs',
    '999 µs',
    '789 ms',
    '12.3 s',
    '123 s',
    '5,000 s',
    '-1.23 µs',
  ]);
  expect(duration(1239n, { micro: 'u' })).toBe('1.23 us');
  expect(duration(8_192_900, { digits: 4 })).toBe('8.192 ms');
});

test('a bound of what is not known is none below it, and no more above it than its last digit', () => {
  const bounds = [0n, 3n, 999n, 1000n, 1231n, 412_000n, 999_001n, 1_999_999n, 12_301_000_000n];
  expect(bounds.map((ns) => uncertainty(ns))).toEqual([
    '0 ns',
    '3 ns',
    '999 ns',
    '1.00 µs',
    '1.24 µs',
    '412 µs',
    '1.00 ms',
    '2.00 ms',
    '12.4 s',
  ]);
  expect(uncertainty(5_000_000_000_001n)).toBe('5,001 s');
  expect(uncertainty(1231n, { micro: 'u' })).toBe('1.24 us');
});

test('none is more than it was, nor less by more than the last digit', () => {
  const units: Readonly<Record<string, number>> = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9 };
  for (let power = 0; power < 50; power++)
    for (let step = -20; step <= 20; step++) {
      const ns = Math.max(
        0,
        Math.round(2 ** power * 1.37) + step * (1 + Math.round(2 ** power / 41)),
      );
      for (const text of [seconds(ns), duration(ns), duration(ns, { digits: 5 })]) {
        const [number = '', unit = ''] = text.replaceAll(',', '').split(' ');
        const factor = units[unit] ?? Number.NaN;
        const digit = factor * 10 ** -(number.split('.')[1]?.length ?? 0);
        const shown = Math.round(Number(number) * factor);
        expect(shown).toBeLessThanOrEqual(ns);
        expect(ns - shown).toBeLessThan(digit);
      }
    }
});
