/** The dashboard that the README shows is the one that those keys lead to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { terminalWith } from './terminal-dashboard.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SHOWN = /After `tui (.*?)` and the keys (.*?):\n\n```\n(vhostscope[^]*?)\n```/;
/** Columns of what is shown. */
const COLUMNS = 100;

test('the README shows what stands on the screen', async () => {
  const [, args, keys, block] = SHOWN.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  const terminal = terminalWith(
    process.execPath,
    [join(ROOT, 'packages/tui/bin/tui.js'), ...(args ?? '').split(' ')],
    { columns: COLUMNS, rows: 40, cwd: ROOT },
  );
  await terminal.until('paused');
  for (const [, key] of (keys ?? '').replace('Enter', '`\r`').matchAll(/`(.*?)`/gs))
    terminal.press(key ?? '');
  const [head = [], last = []] = (block ?? '').split('\n…\n').map((part) => part.split('\n'));
  await terminal.until(head.at(-1) ?? '');
  const seen = terminal.lines().map((line) => line.trimEnd());
  expect(seen.slice(0, head.length)).toEqual(head);
  expect(seen.findLast((line) => line !== '')).toEqual(last[0]);
});
