import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decided } from '../../test/made-up-views.js';
import {
  bar,
  count,
  countBounds,
  hitRatio,
  lasting,
  levelLine,
  moment,
  packets,
  rate,
  resampled,
  sparkline,
} from './figures.js';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from './glyphs.js';

const G = UNICODE_GLYPHS;

test('hit ratios are never better than they are', () => {
  expect(hitRatio(decided(0, 0), G)).toBe('–');
  expect(hitRatio(decided(7, 0), G)).toBe('100.00 %');
  expect(hitRatio(decided(999_999, 1), G)).toBe('99.99 %');
  expect(hitRatio(decided(10, 80, { ambiguous: 10 }), G)).toBe('10.00…20.00 %');
  expect(hitRatio(decided(10, 90, { isEstimated: true }), G)).toBe('≈10.00 %');
  // All came out alike: how many there were does not matter.
  expect(hitRatio(decided(10, 0, { isEstimated: true }), G)).toBe('100.00 %');
  expect(hitRatio(decided(10, 80, { ambiguous: 10, isEstimated: true }), ASCII_GLYPHS)).toBe(
    '~10.00..20.00 %',
  );
});

test('rates are short', () => {
  const shown = [
    0, 0.01, 0.25, 1, 9.94, 9.96, 12.4, 999.4, 999.6, 12_345, 999_499, 1_234_567, 2.5e9,
  ];
  expect(shown.map(rate)).toEqual([
    '0',
    '<0.1',
    '0.3',
    '1',
    '9.9',
    '10',
    '12',
    '999',
    '1.00k',
    '12.3k',
    '999k',
    '1.23M',
    '2.50G',
  ]);
  expect(rate(Number.NaN)).toBe('?');
  fc.assert(
    fc.property(fc.double({ min: 0, max: 9e11, noNaN: true }), (value) => {
      expect(rate(value).length).toBeLessThanOrEqual(5);
    }),
  );
});

test('counts, moments and lengths of time', () => {
  expect([0, 999_999, 1_234_567].map(count)).toEqual(['0', '999,999', '1.23M']);
  expect([0, 12.345e9, 12.3459e9, 3723.5e9].map(moment)).toEqual([
    '0.000 s',
    '12.345 s',
    '12.345 s',
    '3,723.500 s',
  ]);
  expect(lasting(1234, G)).toBe('1.23 µs');
  expect(lasting(1234, ASCII_GLYPHS)).toBe('1.23 us');
});

test('packets have a sign, bounds their infinities', () => {
  expect(packets(undefined, G)).toBe('–');
  expect(packets([1.1, 1.1], G)).toBe('+1.10');
  expect(packets([-0.001, 1.1], G)).toBe('0.00…+1.10');
  expect(packets([-0.5, -0.25], ASCII_GLYPHS)).toBe('-0.50..-0.25');
  const bounds = [
    { least: 0, most: 0 },
    { least: 0, most: 2 },
    { least: undefined, most: 2 },
    { least: 0, most: undefined },
    { least: undefined, most: undefined },
  ];
  expect(bounds.map((one) => countBounds(one, G))).toEqual(['0', '0…2', '-∞…2', '0…∞', '?']);
});

test('a line of levels is full only where all are hits, and blank where nothing was decided', () => {
  expect(sparkline([1, 0.999, 0.5, 0, Number.NaN], 5, G)).toBe('█▇▄▁ ');
  expect(sparkline([1], 3, G)).toBe('  █');
  expect(sparkline([1, 0, 1, 0], 2, ASCII_GLYPHS)).toBe('::');
  expect(levelLine([0, 1, 1000], 3, G)).toBe(' ▂█');
  expect(levelLine([5, 1, 2], 2, G)).toBe('▅█');
  expect(levelLine([], 2, G)).toBe('  ');
});

test('resampling keeps what there is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 0.5, 1, Number.NaN), { maxLength: 200 }),
      fc.integer({ min: 1, max: 100 }),
      (values, width) => {
        const cells = resampled(values, width);
        expect(cells).toHaveLength(Math.min(values.length, width));
        // A cell is unknown only where all that falls into it is.
        expect(cells.every(Number.isNaN)).toBe(values.every(Number.isNaN));
        const known = values.filter((value) => !Number.isNaN(value));
        for (const cell of cells.filter((value) => !Number.isNaN(value))) {
          expect(cell).toBeGreaterThanOrEqual(Math.min(...known));
          expect(cell).toBeLessThanOrEqual(Math.max(...known));
        }
      },
    ),
  );
});

test('a little of a bar is not nothing', () => {
  expect([0, 0.001, 0.5, 1, 7].map((share) => bar(share, 4, G))).toEqual([
    '    ',
    '█   ',
    '██  ',
    '████',
    '████',
  ]);
});
