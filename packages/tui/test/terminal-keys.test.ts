/** Keys, and what they do on the screen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  FIRST,
  STORM,
  clockOf,
  command,
  inShell,
  restored,
  terminalWith,
} from './terminal-dashboard.ts';

test('a trace opens at its end, and plays; q gives the terminal back', async () => {
  const terminal = inShell(STORM, { columns: 120 });
  await terminal.until('paused  2.495 s of 2.495 s');
  expect(terminal.isAlternate()).toBe(true);
  expect(terminal.text()).not.toContain('before');
  expect(terminal.lines()[0]).toMatch(/^vhostscope {2}.*s3-resetup-under-storm.txt.gz {2}file/);
  terminal.press(' ');
  await terminal.until(' 1x ');
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('what is typed behind q is for the shell', async () => {
  // It takes its time to end.
  const slowly = 'process.once("beforeExit",()=>setTimeout(()=>undefined,1500))';
  const terminal = terminalWith(
    '/bin/sh',
    ['-c', `${command(STORM)}; read x; echo "got $x"; read y`],
    { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(slowly)}` } },
  );
  await terminal.until(FIRST);
  terminal.press('q');
  await terminal.until(() => !terminal.isAlternate());
  await sleep(500);
  terminal.press('typed\r');
  expect(await terminal.until('got typed')).not.toContain('vhostscope  ');
});

test('keys go through the views, and the help is drawn over them', async () => {
  const terminal = inShell(`${STORM} --speed max`);
  await terminal.until(FIRST);
  for (const [key, words] of [
    ['2', 'storm'],
    ['4', 'invalidation'],
    ['5', 'how it is judged'],
    ['?', 'any other key closes the help'],
  ] as const) {
    terminal.press(key);
    await terminal.until(words);
  }
  terminal.press('x');
  await terminal.until('how it is judged');
  terminal.press('1');
  await terminal.until(FIRST);
  terminal.press('\r');
  await terminal.until('maps  since the first event, 2.49 s ago');
  await terminal.until('more lines: Down');
  terminal.press('G');
  await terminal.until('last events');
  terminal.press('\u001b');
  await terminal.until(FIRST);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('a moment is typed, gone to, and stepped from', async () => {
  const terminal = inShell(STORM);
  await terminal.until('paused  2.495 s of 2.495 s');
  terminal.press('tnonsense\r');
  await terminal.until('takes a moment of the trace');
  terminal.press('\u001b');
  await terminal.until((text) => !text.includes('go to:'));
  terminal.press('t1.5s\r');
  const before = await terminal.until('paused  1.500 s of 2.495 s');
  terminal.press('r');
  const after = await terminal.until((text) => clockOf(text) > clockOf(before));
  terminal.press('R');
  await terminal.until((text) => clockOf(text) < clockOf(after));
  terminal.press('S');
  await terminal.until('paused  0.583 s of 2.495 s');
  terminal.press('-');
  terminal.press(' ');
  await terminal.until('0.5x');
  terminal.press('\u0003');
  expect(await restored(terminal)).toBe(130);
});

test('a second design stands beside the first', async () => {
  const terminal = inShell(`${STORM} --speed max`, { columns: 160 });
  await terminal.until(FIRST);
  terminal.press('b');
  await terminal.until('which design is to stand beside it?');
  terminal.press('\u001b[F\r');
  await terminal.until((text) => /^copy/m.test(text));
  terminal.press(']');
  await terminal.until((text) => !/^merged/m.test(text));
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('keys come from the terminal where standard input is the trace', async () => {
  const terminal = inShell(`- < ${STORM}`);
  await terminal.until(FIRST);
  terminal.press('2');
  await terminal.until('each second');
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});
