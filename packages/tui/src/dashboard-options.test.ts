import { expect, test } from 'vitest';
import { parseKeep, parseSpeed, parseStormRate, parseWindow } from './dashboard-options.js';

test('values as they are typed', () => {
  expect(['1', '0.5', '2x', '1000', 'max'].map(parseSpeed)).toEqual([1, 0.5, 2, 1000, 'max']);
  expect(['10', '10s', '500ms', '1.5m'].map(parseWindow)).toEqual([10e9, 10e9, 0.5e9, 90e9]);
  expect(['64', '500M', '2G', '1.5GiB', '1T', '1048.576MB'].map(parseKeep)).toEqual(
    [64, 500, 2048, 1536, 1 << 20, 1000].map((mib) => mib * 2 ** 20),
  );
  expect(['1', '10000'].map(parseStormRate)).toEqual([1, 10_000]);
});

test.each([
  [parseSpeed, ['', '0', '0.05', '1001', '-1', 'fast', '1xx', 'NaN']],
  [parseWindow, ['', '0', '10ms', '61m', '-1s', '10h', '2d', 's']],
  [parseKeep, ['', '0', '1K', '0.5M', '-2G', 'G', '2GG']],
  [parseStormRate, ['', '0', '1.5', '10001', '-1', 'many']],
] as const)('what cannot be meant is refused: %s', (parse, texts) => {
  for (const text of texts) expect(() => parse(text)).toThrow(/^Give /);
});
