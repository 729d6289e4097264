/** However it ends, the terminal is as it was. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makePipe, openPipeEnd } from './piped-session.ts';
import { FIRST, STORM, childOf, inShell, quoted, restored } from './terminal-dashboard.ts';
import { temporaryFolder, textOf, TRACES } from './traces.ts';

const folder = temporaryFolder();

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'])('%s gives the terminal back', async (signal) => {
  const terminal = inShell(STORM);
  await terminal.until(FIRST);
  execFileSync('kill', [`-${signal.slice(3)}`, String(childOf(terminal.pid))]);
  expect(await restored(terminal)).toBe(130);
});

test('a crash gives the terminal back, and is told', async () => {
  // Some time after the screen is there.
  const crash =
    'const wait=setInterval(()=>{if(process.listenerCount("SIGTSTP")===0)return;clearInterval(wait);' +
    'setTimeout(()=>{throw new Error("no\\u001b[2Jgood")},2000)},50)';
  const terminal = inShell(STORM, {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}` },
  });
  await terminal.until(FIRST);
  expect(await restored(terminal)).toBe(2);
  const text = terminal.text();
  expect(text).toContain('tui: unexpected error: no\\x1b[2Jgood');
  expect(text).not.toContain('    at ');
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'])(
  '%s while it is read: the line that tells how far that is goes, and so does it',
  async (signal) => {
    const path = join(folder, signal);
    makePipe(path);
    const terminal = inShell(quoted(path));
    const source = openPipeEnd(path);
    const [line = ''] = textOf(TRACES.s3).split('\n', 1);
    // Slowly enough that it is drawn.
    for (let times = 0; times < 6; times++) {
      await source.write(`${line}\n`);
      await sleep(150);
    }
    await terminal.until('reading ');
    execFileSync('kill', [`-${signal.slice(3)}`, String(childOf(terminal.pid))]);
    expect(await restored(terminal)).toBe(130);
    expect(terminal.text()).not.toContain('reading');
    source.end();
  },
);
