import { expect, test } from 'vitest';
import { hasTerminal } from './foreground.js';

test.each([
  ['the job in front', '7 (node) S 1 70 5 34816 70 4194304', true],
  ['a job behind', '7 (node) S 1 70 5 34816 60 4194304', false],
  ['a name like fields', '7 (a) R 1 2 (b) S 1 70 5 34816 70 0', true],
  ['no terminal', '7 (node) S 1 70 5 0 -1 4194304', true],
  ['a terminal of another namespace', '7 (node) S 1 70 5 34816 0 4194304', true],
  ['no such file', '', true],
])('%s', (_, stat, expected) => {
  expect(hasTerminal(stat)).toBe(expected);
});
