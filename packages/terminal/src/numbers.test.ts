import { expect, test } from 'vitest';
import { byteSize, counted, grouped, percent } from './numbers.js';

test('digits stand in groups of three', () => {
  expect([0, 999, 1000, 1_234_567, -123, -1234].map(grouped)).toEqual([
    '0',
    '999',
    '1,000',
    '1,234,567',
    '-123',
    '-1,234',
  ]);
  expect(grouped(2n ** 64n)).toBe('18,446,744,073,709,551,616');
});

test('100 % means all, and a little is not nothing', () => {
  expect(percent(0, 0)).toBe('–');
  expect(percent(0, 7)).toBe('0.00 %');
  expect(percent(7, 7)).toBe('100.00 %');
  expect(percent(1, 1_000_000)).toBe('<0.01 %');
  expect(percent(1, 3)).toBe('33.33 %');
  expect(percent(2, 3)).toBe('66.66 %');
  for (let exponent = 1; exponent < 16; exponent++) {
    const whole = 10 ** exponent;
    expect(percent(whole - 1, whole)).not.toBe('100.00 %');
    expect(percent(whole, whole)).toBe('100.00 %');
  }
  expect(percent(Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER)).toBe('99.99 %');
  // Every hundredth that is exact is shown as itself: 57 of 100 is not 56.99 %.
  for (let part = 1; part < 10_000; part++)
    if (percent(part, 10_000) !== `${(part / 100).toFixed(2)} %`) expect.fail(String(part));
});

test('sizes and words', () => {
  expect([0, 999, 1000, 999_949, 999_950, 1_234_567, 5e15].map(byteSize)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '999.9 kB',
    '1.0 MB',
    '1.2 MB',
    '5000.0 TB',
  ]);
  expect(counted(1, 'line')).toBe('1 line');
  expect(counted(1n, 'line')).toBe('1 line');
  expect(counted(0, 'line')).toBe('0 lines');
  expect(counted(1000n, 'access', 'accesses')).toBe('1,000 accesses');
  expect(counted(1, 'access', 'accesses')).toBe('1 access');
});
