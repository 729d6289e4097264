/** What is seen is written to a file, while the screen is up and as it is left. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { completenessOf } from '@vhostscope/replay';
import { openTrace } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { FIRST, STORM, inShell, restored } from './terminal-dashboard.ts';
import { temporaryFolder } from './traces.ts';

const folder = temporaryFolder();

test('what is seen is written to a file, and why not is said', async () => {
  const path = join(folder, 'saved.arrows');
  const terminal = inShell(STORM);
  await terminal.until(FIRST);
  terminal.press(`w${path}`);
  await terminal.until('write to: ');
  terminal.press('\r');
  await terminal.until((text) => /^saved .*the whole trace/m.test(text));
  const saved = await openTrace(path);
  expect(completenessOf(saved).problems).toEqual([]);
  expect(saved.index.closed).toBe(true);
  saved.close();
  terminal.press(`w${join(folder, 'no folder', 'x')}\r`);
  await terminal.until('cannot write');
  // What is typed next mends the name, and is no command.
  terminal.press('q');
  await terminal.until('no folder/xq');
  const other = join(folder, 'other.arrows');
  terminal.press('\u0015');
  await terminal.until((text) => /^write to:\s*$/m.test(text));
  terminal.press(`${path}\r`);
  await terminal.until((text) => /exists/.test(text) && /^write to: .*saved\.arrows/m.test(text));
  terminal.press('\u0015');
  await terminal.until((text) => /^write to:\s*$/m.test(text));
  terminal.press(`${other}\r`);
  await terminal.until((text) => /^saved .*other\.arrows/m.test(text));
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('q waits for what is being written, and says what it came to', async () => {
  const path = join(folder, 'left.arrows');
  const terminal = inShell(STORM, { columns: 160 });
  await terminal.until(FIRST);
  terminal.press(`w${path}\rq`);
  expect(await restored(terminal)).toBe(0);
  expect(terminal.text()).toMatch(/^tui: saved .*left\.arrows: the whole trace/m);
  const saved = await openTrace(path);
  expect(saved.index.closed).toBe(true);
  saved.close();
});

test('what cannot be written is said before it is left, and Ctrl-C does not wait', async () => {
  const terminal = inShell(STORM, { columns: 160 });
  await terminal.until(FIRST);
  terminal.press(`w${join(folder, 'no folder', 'x')}\r`);
  await terminal.until('cannot write');
  expect(terminal.isAlternate()).toBe(true);
  terminal.press('\u001b');
  await terminal.until((text) => !text.includes('cannot write'));
  const path = join(folder, 'given up.arrows');
  terminal.press(`w${path}\r\u0003`);
  expect(await restored(terminal)).toBe(130);
  expect(terminal.text()).toMatch(/^tui: .*given up\.arrows was not written/m);
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});
