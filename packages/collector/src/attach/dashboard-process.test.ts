import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { privateSocket, startDashboard } from './dashboard-process.js';

const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A dashboard that does one thing. */
function program(does: string): string {
  const path = join(folder, `${does.length}.mjs`);
  writeFileSync(path, does);
  return path;
}

test.each([
  ['process.exit(0)', undefined],
  ['process.exit(130)', undefined],
  ['process.exit(2)', 'the dashboard ended with exit code 2'],
  ["process.kill(process.pid, 'SIGKILL')", 'the dashboard was killed by SIGKILL'],
])('%s', async (does, complaint) => {
  await expect(startDashboard('/nowhere', program(does)).ended).resolves.toBe(complaint);
});

test('it is told which socket, and to leave', async () => {
  const dashboard = startDashboard(
    '/run/a b.sock',
    program(`
      process.on('SIGTERM', () => process.exit(process.argv[3] === '/run/a b.sock' ? 0 : 1));
      setInterval(() => undefined, 1000);
    `),
  );
  // Before it listens for signals, one would kill it.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await dashboard.close();
  await expect(dashboard.ended).resolves.toBeUndefined();
});

test('a socket of its own is for its owner only, and leaves nothing', () => {
  const socket = privateSocket();
  expect(statSync(dirname(socket.path)).mode & 0o777).toBe(0o700);
  socket.remove();
  expect(() => statSync(dirname(socket.path))).toThrow('ENOENT');
});
