/** What a terminal shows, by its size, its colours and its signs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command, FIRST, STORM, inShell, quoted, restored } from './terminal-dashboard.ts';
import { temporaryFolder, textOf, TRACES } from './traces.ts';

const folder = temporaryFolder();

test('a terminal that changes its size is drawn anew, small and large', async () => {
  const terminal = inShell(STORM, { columns: 100, rows: 30 });
  await terminal.until(FIRST);
  for (const [columns, rows] of [
    [250, 60],
    [80, 24],
    [120, 40],
  ] as const) {
    terminal.resize(columns, rows);
    await terminal.until((text) => (text.split('\n').at(-2) ?? '').includes('search'));
    const lines = terminal.lines();
    expect(lines).toHaveLength(rows);
    // Every part of the screen is there once, and reaches to the edge.
    expect(lines.filter((line) => line.startsWith('vhostscope  '))).toHaveLength(1);
    expect(lines[0]).toHaveLength(columns);
    expect(lines.filter((line) => line.includes(' 1 overview '))).toHaveLength(1);
    expect(lines.at(-1)).toBe('');
  }
  terminal.resize(60, 20);
  await terminal.until('needs 80x24');
  expect(terminal.text().trim()).toBe('needs 80x24\nthis is 60x20\nq leaves');
  terminal.resize(80, 24);
  await terminal.until(FIRST);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('NO_COLOR: no colour but bold, faint and reverse; without UTF-8 nothing but ASCII', async () => {
  const terminal = inShell(`${STORM} --speed max`, {
    env: { NO_COLOR: '1', LANG: 'C' },
  });
  await terminal.until(FIRST);
  terminal.press('2');
  await terminal.until('each second');
  const { active } = terminal.terminal.buffer;
  for (let row = 0; row < 24; row++)
    for (let column = 0; column < 80; column++) {
      const cell = active.getLine(row)?.getCell(column);
      expect(cell?.isFgDefault()).toBe(true);
      expect(cell?.isBgDefault()).toBe(true);
    }
  expect(terminal.text()).toMatch(/^[\n\u0020-\u007e]*$/);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('names of the host do nothing to the terminal', async () => {
  const hostile = join(folder, 'hostile.txt');
  const text = textOf(TRACES.s3);
  writeFileSync(hostile, text.replaceAll('vhost-310', '\\x1b[2J\\x07x'), 'latin1');
  const terminal = inShell(`${quoted(hostile)} --speed max`);
  await terminal.until(FIRST);
  terminal.press('4');
  await terminal.until('invalidation');
  expect(terminal.lines()[0]).toMatch(/^vhostscope/);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('TERM=dumb: it takes lines only, and nothing moves its cursor', async () => {
  const bytes = join(folder, 'dumb');
  const inDumb = `TERM=dumb script -qec "${command(STORM)}" ${quoted(bytes)}`;
  const terminal = inShell(`${STORM} | cat; ${inDumb}`, { columns: 200 });
  await terminal.until((text) => /^code 0$/m.test(text));
  const [, piped = '', shown] = terminal.lines();
  expect(piped).toMatch(/^2\.495 s {2}merged 11\.02 % now/);
  expect(shown).toBe(piped);
  expect(readFileSync(bytes, 'utf8')).not.toContain('\u001b');
});
