import { expect, it } from 'vitest';
import { parseAge, parseReplicas } from './parse-age.js';
import { parseByteSize, parseSpoolSize } from './parse-byte-size.js';

it.each([
  ['1', 1],
  ['1kB', 1000],
  ['1k', 1024],
  ['1.5GiB', 1.5 * 2 ** 30],
  ['100GB', 1e11],
  ['2TiB', 2 * 2 ** 40],
])('%s is a size', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

it.each(['', '0', '-1', '1KB', '1 GB', '1e9', 'GB', '0.1', '99999999TiB', '1.GB'])(
  '"%s" is no size',
  (text) => {
    expect(() => parseByteSize(text)).toThrow('Give a number of bytes');
  },
);

it('a spool holds more than is kept for the end of a trace', () => {
  expect(() => parseSpoolSize('15MiB')).toThrow('At least 16MiB');
  expect(parseSpoolSize('16MiB')).toBe(2 ** 24);
});

it('an age has a unit', () => {
  expect(parseAge('30d')).toBe(30 * 86_400_000);
  expect(parseAge('90s')).toBe(90_000);
  for (const text of ['', '30', '0d', '1y', '999999999d', '-1d'])
    expect(() => parseAge(text)).toThrow('Give an age');
});

it('replicas are few', () => {
  expect(parseReplicas('3')).toBe(3);
  for (const text of ['0', '6', '3.0', '', 'x'])
    expect(() => parseReplicas(text)).toThrow('1 to 5');
});
