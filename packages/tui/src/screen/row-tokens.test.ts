import { expect, test } from 'vitest';
import { createRowTokens } from './row-tokens.js';

test('a row has one character, and comes back for it', () => {
  const tokens = createRowTokens();
  const rows = Array.from({ length: 5000 }, (_, at) => `row ${at}`);
  const all = rows.map((row) => tokens.tokenOf(row));
  expect(new Set(all).size).toBe(rows.length);
  expect(all.every((token) => token.length === 1)).toBe(true);
  expect(all.map((token) => tokens.rowOf(token))).toEqual(rows);
  expect(tokens.tokenOf('row 7')).toBe(all[7]);
  expect(['', ' ', 'x'].map((text) => tokens.rowOf(text))).toEqual(['', ' ', 'x']);
});

test('it is full while there is still room for a frame', () => {
  const tokens = createRowTokens();
  let rows = 0;
  while (!tokens.isFull()) tokens.tokenOf(String(rows++));
  const more = Array.from({ length: 200 }, (_, at) => `more ${at}`);
  expect(more.map((row) => tokens.rowOf(tokens.tokenOf(row)))).toEqual(more);
  expect(rows).toBeGreaterThan(5000);
});
