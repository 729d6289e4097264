import { expect, test } from 'vitest';
import { cause, dashboardView } from '../../test/made-up-views.js';
import { lookOf } from './look.js';
import { FIRST_STATE } from './screen-state.js';
import { lastScroll, scrolledLines } from './scrolled-lines.js';
import { lineOf, plainText } from './styled-line.js';

const LINES = Array.from({ length: 10 }, (_, at) => lineOf(String(at)));

function shown(scroll: number, height: number, fixed?: number): string[] {
  return scrolledLines(LINES, scroll, { height }, fixed).map(plainText);
}

test('what is below is said in place of the last line, until there is nothing', () => {
  expect(shown(0, 10)).toEqual(LINES.map(plainText));
  expect(shown(0, 4)).toEqual(['0', '1', '2', '7 more lines: Down, PgDn']);
  expect(shown(5, 4)).toEqual(['5', '6', '7', '2 more lines: Down, PgDn']);
  expect(shown(6, 4)).toEqual(['6', '7', '8', '9']);
  expect(shown(100, 4)).toEqual(['6', '7', '8', '9']);
});

test('titles stay above', () => {
  expect(shown(1, 5, 2)).toEqual(['0', '1', '3', '4', '5 more lines: Down, PgDn']);
  expect(shown(5, 5, 2)).toEqual(['0', '1', '7', '8', '9']);
});

test('what can be scrolled is what does not fit, and nothing where rows are chosen', () => {
  const frame = { width: 80, height: 12, look: lookOf({}, 1) };
  const causes = Array.from({ length: 30 }, (_, pid) => cause({ pid }));
  const of = (view: typeof FIRST_STATE.view, isHelp = false): number =>
    lastScroll(dashboardView({ causes }), { ...FIRST_STATE, view, isHelp }, frame);
  expect(of('causes')).toBe(30 + 2 - 12);
  expect(of('recording')).toBeGreaterThan(0);
  expect(of('overview')).toBe(0);
  expect(of('overview', true)).toBeGreaterThan(0);
});
