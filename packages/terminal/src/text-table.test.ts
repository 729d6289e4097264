import { expect, test } from 'vitest';
import { tableLines } from './text-table.js';

const COLUMNS = [
  { title: 'name', align: 'left' },
  { title: 'n', align: 'right' },
  { title: 'why', align: 'left' },
] as const;

test('columns are as wide as their widest cell, and lines end without blanks', () => {
  expect(
    tableLines(COLUMNS, [
      ['a', '12,345', ''],
      ['a long name', '1', 'because'],
    ]),
  ).toEqual(['name              n  why', 'a            12,345', 'a long name       1  because']);
});

test('missing cells are empty, and no rows leave the titles', () => {
  expect(tableLines(COLUMNS, [['a']])).toEqual(['name  n  why', 'a']);
  expect(tableLines(COLUMNS, [])).toEqual(['name  n  why']);
});
