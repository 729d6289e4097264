import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellWidth, keepEnd } from './cell-width.js';
import { UNICODE_GLYPHS } from './glyphs.js';
import { beside, fitLine, lineOf, plainText, span, spread, widthOf } from './styled-line.js';
import { firstShown, placeColumns, rowLine, titleLine, type Column } from './table.js';
import { wrap } from './text-blocks.js';

const columns: Column<string>[] = [
  { title: 'name', width: 4, most: 8, align: 'left', dispensable: 0, cell: (row) => span(row) },
  { title: 'n', width: 3, align: 'right', dispensable: 2, cell: (row) => span(String(row.length)) },
  {
    title: 'why',
    width: 5,
    align: 'left',
    dispensable: 1,
    cell: (row, width) => span(`${row}${width}`),
  },
];

test('columns that do not fit go, the most dispensable first; what is left makes others grow', () => {
  const shown = (width: number): string[] =>
    placeColumns(columns, width).map(({ column, width: wide }) => `${column.title} ${wide}`);
  expect(shown(30)).toEqual(['name 8', 'n 3', 'why 5']);
  expect(shown(17)).toEqual(['name 5', 'n 3', 'why 5']);
  expect(shown(15)).toEqual(['name 8', 'why 5']);
  expect(shown(11)).toEqual(['name 4', 'why 5']);
  expect(shown(10)).toEqual(['name 8']);
  expect(shown(1)).toEqual(['name 4']);
});

test('a row has its titles above it, and is cut where a cell is too long', () => {
  const placed = placeColumns(columns, 20);
  expect(plainText(titleLine(placed, UNICODE_GLYPHS))).toBe('name        n  why  ');
  expect(plainText(rowLine(placed, 'abcdefghijk', UNICODE_GLYPHS))).toBe('abcdefg…   11  abcd…');
});

const anyText = fc.string({
  unit: fc.constantFrom('a', 'B', ' ', '…', '█', '漢', 'é', 'e\u0301', '😀'),
});

test('lines fit, whatever they hold', () => {
  fc.assert(
    fc.property(fc.array(anyText), fc.integer({ min: 0, max: 40 }), (texts, width) => {
      const line = texts.map((text) => span(text));
      expect(widthOf(fitLine(line, width, '…'))).toBe(width);
      expect(widthOf(spread(line, [span('end')], width, '…'))).toBe(width);
    }),
  );
});

test('words are broken so that lines fit, and none is lost', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 40 }), (text, width) => {
      const lines = wrap(text, width);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
      const letters = (all: string): string => all.replaceAll(' ', '');
      expect(letters(lines.map(plainText).join(''))).toBe(letters(text));
    }),
  );
});

test('parts stand side by side', () => {
  const lines = beside(
    [
      { lines: [lineOf('a'), lineOf('b')], width: 3 },
      { lines: [lineOf('too long')], width: 5 },
    ],
    '…',
  );
  expect(lines.map(plainText)).toEqual(['a  too …', 'b       ']);
});

test('the chosen row is always shown, and no room is left empty', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(300), fc.integer({ min: 1, max: 60 }), (at, more, height) => {
      const rows = at + more + 1;
      const first = firstShown(at, rows, height);
      expect(at).toBeGreaterThanOrEqual(first);
      expect(at).toBeLessThan(first + height);
      expect(Math.min(rows, first + height) - first).toBe(Math.min(rows, height));
    }),
  );
});

test('cells of a terminal', () => {
  expect(['', 'abc', '▁█…', '漢字', '😀', 'e\u0301'].map(cellWidth)).toEqual([0, 3, 3, 4, 2, 1]);
});

test('of what is too long the end is kept', () => {
  expect(keepEnd('/a/path', 7, '…')).toBe('/a/path');
  expect(keepEnd('/a/long/path', 7, '…')).toBe('…g/path');
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, width) => {
      expect(cellWidth(keepEnd(text, width, '…'))).toBeLessThanOrEqual(width);
    }),
  );
});
