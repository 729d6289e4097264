import { expect, test } from 'vitest';
import { lengthOfTime, sizeInBytes } from './amounts.js';

test.each([
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['500ms', 500],
  ['30d', 30 * 86_400_000],
  ['0s', 0],
  ['0.0004s', 0],
])('%s is a length of time', (text, ms) => {
  expect(lengthOfTime(text)).toBe(ms);
});

test.each([
  ['1B', 1],
  ['1kB', 1000],
  ['100GB', 1e11],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['512K', 2 ** 19],
  ['512k', 2 ** 19],
  ['512kB', 512_000],
  ['512KiB', 2 ** 19],
  ['2G', 2 * 2 ** 30],
  ['2TiB', 2 * 2 ** 40],
])('%s is a size', (text, bytes) => {
  expect(sizeInBytes(text)).toBe(bytes);
});

test('a number alone has the unit that is said, or is none', () => {
  expect(lengthOfTime('30', 's')).toBe(30_000);
  expect(sizeInBytes('64', 'MiB')).toBe(2 ** 26);
  expect(lengthOfTime('30')).toBeUndefined();
  expect(sizeInBytes('64')).toBeUndefined();
});

test.each(['', '-1s', '1 s', '1e9s', 's', '1.s', '1y', '1S', '1toString', '1constructor'])(
  '"%s" is none',
  (text) => {
    expect(lengthOfTime(text, 's')).toBeUndefined();
    expect(sizeInBytes(text.replace('s', 'GB'), 'B')).toBeUndefined();
  },
);

test('what no number holds is none', () => {
  const huge = `1${'0'.repeat(400)}`;
  expect(sizeInBytes(`${huge}B`)).toBeUndefined();
  expect(lengthOfTime(`${huge}s`)).toBeUndefined();
  expect(sizeInBytes('9007199254740991B')).toBe(Number.MAX_SAFE_INTEGER);
  expect(sizeInBytes('9007199254740993B')).toBeUndefined();
});
