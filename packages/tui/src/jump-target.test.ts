import { expect, test } from 'vitest';
import { dashboardView, storm } from '../test/made-up-views.js';
import { readJump } from './jump-target.js';

/** From 1,000 s of the clock on; it lasts a minute, and 12.345 s of it are shown. */
const VIEW = dashboardView({ storms: [storm(2), storm(1)] });
const FIRST = 1_000_000_000_000n;

test.each([
  ['0s', 0],
  ['12.5s', 12.5e9],
  ['300ms', 0.3e9],
  ['60s', 60e9],
  ['-3s', 57e9],
  ['-500ms', 59.5e9],
  [String(FIRST), 0],
  [String(FIRST + 7n), 7],
  ['1012.345', 12.345e9],
  [String(FIRST + 60_000_000_000n), 60e9],
])('%s is a moment of the trace', (text, at) => {
  expect(readJump(text, VIEW)).toEqual({ do: 'seek', at });
});

test('a storm is gone to by its number, whether or not the screen has come to it', () => {
  expect(readJump('storm:3', VIEW)).toEqual({ do: 'seek storm', number: 3 });
});

test.each([
  ['60.001s', /outside of the trace: it lasts 60\.000 s/],
  ['-61s', /outside of the trace/],
  [String(FIRST - 1n), /^the trace lasts from 1000000000000 to 1060000000000 ns$/],
  [String(FIRST + 60_000_000_001n), /^the trace lasts from/],
  ['12.5', /the trace begins at .*: .*12\.5s/],
  ['nonsense', /takes a moment of the trace, not "nonsense": a moment is /],
  ['-3', /takes a moment of the trace/],
  ['storm:0', /takes a moment of the trace/],
  ['', /takes a moment of the trace/],
])('%s is none, and why is said', (text, why) => {
  expect(readJump(text, VIEW)).toMatch(why);
});
