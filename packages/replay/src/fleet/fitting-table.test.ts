import { assert, array, integer, property, stringMatching, tuple } from 'fast-check';
import { expect, it } from 'vitest';
import { numberColumn, textColumn } from '../text-parts.js';
import { tableWithin } from './fitting-table.js';

const COLUMNS = [
  textColumn('host'),
  textColumn('run'),
  numberColumn('accesses'),
  numberColumn('n'),
];
const ROWS = [
  ['a-host-with-a-long-name.example.com', 'monday.arrows', '1,234', '1'],
  ['b', 'tuesday.arrows', '12', '22'],
];

it('is the usual table where there is room, or no terminal', () => {
  const lines = tableWithin(undefined, 2, COLUMNS, ROWS);
  expect(lines).toEqual(tableWithin(500, 2, COLUMNS, ROWS));
  expect(lines[1]).toBe('a-host-with-a-long-name.example.com  monday.arrows      1,234   1');
});

it('shortens names in their middle', () => {
  expect(tableWithin(50, 2, COLUMNS, ROWS)).toEqual([
    'host                  run             accesses   n',
    'a-host-wit…ample.com  monday.arrows      1,234   1',
    'b                     tuesday.arrows        12  22',
  ]);
});

it('tells each row by itself where that is not enough', () => {
  expect(tableWithin(30, 2, COLUMNS, ROWS)).toEqual([
    'a-host-with-a-l… monday.arrows',
    '  accesses  1,234',
    '  n         1',
    'b  tuesday.arrows',
    '  accesses  12',
    '  n         22',
  ]);
});

it('is never wider than the terminal, and loses no figure', () => {
  const name = stringMatching(/^[a-z.]{0,60}$/);
  const rows = array(tuple(name, name, stringMatching(/^\d{1,9}$/), stringMatching(/^\d{1,9}$/)));
  assert(
    property(rows, integer({ min: 24, max: 120 }), (cells, width) => {
      const lines = tableWithin(width, 2, COLUMNS, cells);
      expect(Math.max(0, ...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      const figures = lines.join('\n').match(/\d+/g) ?? [];
      expect(figures).toEqual(cells.flatMap(([, , a, b]) => [a, b]));
    }),
  );
});
