import { expect, test } from 'vitest';
import { kernelTroubles, lastWords } from './guest-console.js';

const PANIC = `[    1.9] sysrq: Trigger a crash\r
[    2.0] Kernel panic - not syncing: sysrq triggered crash\r
[    2.0] CPU: 0 PID: 82 Comm: sh Not tainted 6.1.0-56-amd64 #1\r
[    2.1]  </TASK>\r
`;

test('only what a healthy kernel never writes is trouble', () => {
  expect(
    kernelTroubles('Linux version 6.1\r\nBUG: Bad page state in process load\r\ndebug: fine\r\n'),
  ).toEqual(['BUG: Bad page state in process load']);
});

test('a panic is told by its reason and not by the end of its dump', () => {
  expect(lastWords(PANIC)).toBe('[    2.0] Kernel panic - not syncing: sysrq triggered crash');
});

test('without a panic the last lines tell', () => {
  expect(lastWords('a\n\nb\r\nc\nd\n')).toBe('b; c; d');
});
