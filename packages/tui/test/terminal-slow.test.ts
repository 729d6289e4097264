/** A terminal that takes nothing. */
import { execFileSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FIRST, STORM, childOf, inShell, quoted, restored, serve } from './terminal-dashboard.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();

const trace = writeTrace(join(folder, 'storm.arrows'), textOf(TRACES.s3), 20).bytes;

test('a terminal that takes nothing holds up what is drawn, and not what is read', async () => {
  const path = join(folder, 'slow.sock');
  let connected: Socket | undefined;
  await serve(path, (socket) => {
    connected = socket;
    socket.write(trace.subarray(0, 100_000));
  });
  const terminal = inShell(`--socket ${quoted(path)}`, { columns: 250, rows: 60 });
  await terminal.until((text) => FIRST(text) && /vq \d/.test(text));
  terminal.block();
  // More than a terminal holds.
  for (let times = 0; times < 15; times++) {
    for (const key of ['?', 'x']) {
      terminal.press(key);
      await sleep(120);
    }
  }
  const taken = new Promise((resolve) => connected?.write(trace.subarray(100_000), resolve));
  expect(await Promise.race([taken, sleep(10_000, 'not read')])).not.toBe('not read');
  terminal.unblock();
  await terminal.until('socket, ended');
  const lines = terminal.lines();
  expect(lines).toHaveLength(60);
  expect(lines.filter((line) => line.startsWith('vhostscope  '))).toHaveLength(1);
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('a terminal that takes nothing does not keep a signal from ending it', async () => {
  const terminal = inShell(STORM, { columns: 250, rows: 60 });
  await terminal.until(FIRST);
  const pid = childOf(terminal.pid);
  terminal.block();
  for (let times = 0; times < 15; times++) {
    for (const key of ['?', 'x']) {
      terminal.press(key);
      await sleep(120);
    }
  }
  execFileSync('kill', ['-TERM', String(pid)]);
  await expect.poll(() => isAlive(pid), { timeout: 10_000, interval: 200 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
