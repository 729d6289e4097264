/** The line that shows how far the reading of a source is, in a terminal whose size changes meanwhile. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';

const WORDS = 'reading 0123456789 0123456789 0123456789 0123456789';

/** Shows another number at each key; x ends it. */
const PROGRAM = `
  import { openPassingLine } from '@vhostscope/terminal';
  const line = openPassingLine();
  let times = 0;
  const show = () => line.show('${WORDS} ' + ++times);
  process.stdin.setRawMode(true).on('data', (keys) => {
    if (!String(keys).includes('x')) return show();
    line.clear();
    process.exit();
  });
  show();`;
/** The screen is full. */
const ABOVE = Array.from({ length: 40 }, (_, at) => at + 1).join('\n');
const COMMAND = `seq 40; '${process.execPath}' --input-type=module -e "$PROGRAM"; echo after; read x`;

let closeTerminal: () => void = () => undefined;
afterEach(() => closeTerminal());

/** One that makes several lines of a line which has no room any more. */
const hasTmux = spawnSync('tmux', ['-V']).status === 0;

test.runIf(hasTmux)('nothing stays of it where tmux makes several lines of one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tui tmux '));
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-f', '/dev/null', '-S', join(folder, 'socket'), ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TERM: 'xterm', LANG: 'C.UTF-8', PROGRAM },
    });
  closeTerminal = () => {
    tmux('kill-server');
    rmSync(folder, { recursive: true });
  };
  const shows = async (text: string): Promise<void> => {
    const shown = (): string => tmux('capture-pane', '-p', '-S-').trimEnd();
    await expect.poll(shown, { timeout: 10_000 }).toBe(text);
  };
  const becomes = async (columns: number): Promise<void> => {
    tmux('resize-window', '-x', String(columns));
    // The program is told, too.
    await sleep(300);
  };
  tmux('new-session', '-d', '-x80', '-y24', '-c', import.meta.dirname, COMMAND);
  await shows(`${ABOVE}\n${WORDS} 1`);
  let times = 1;
  for (const columns of [30, 80, 17, 50, 20, 80, 20]) {
    await becomes(columns);
    tmux('send-keys', 's');
    times++;
    // It is cut where it has no room.
    await shows(`${ABOVE}\n${`${WORDS} ${times}`.slice(0, columns - 1).trimEnd()}`);
  }
  await becomes(80);
  tmux('send-keys', 's');
  await shows(`${ABOVE}\n${WORDS} ${times + 1}`);
  await becomes(20);
  tmux('send-keys', 'x');
  await shows(`${ABOVE}\nafter`);
});
