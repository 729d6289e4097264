/** Sources that are late, gone, damaged or empty. */
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FIRST, inShell, quoted, restored, serve } from './terminal-dashboard.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();

const trace = writeTrace(join(folder, 'storm.arrows'), textOf(TRACES.s3), 20).bytes;

test('a socket that nobody listens on is waited for; one that goes away is told of, and tried again', async () => {
  const path = join(folder, 'live.sock');
  const terminal = inShell(`--socket ${quoted(path)}`);
  await terminal.until('nobody listens there yet');
  let connected: Socket | undefined;
  const server = await serve(path, (socket) => {
    connected = socket;
    socket.write(trace.subarray(0, Math.floor(trace.length / 2)));
  });
  await terminal.until((text) => FIRST(text) && /vq \d/.test(text));
  server.close();
  connected?.destroy();
  await terminal.until('the recording broke off');
  expect(terminal.text()).toMatch(/vq \d/);
  await serve(path, (socket) => socket.write(trace));
  await terminal.until((text) => !text.includes('the recording broke off'));
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);
});

test('damaged and empty inputs are told on the screen, or before it', async () => {
  const damaged = join(folder, 'damaged.txt');
  const text = textOf(TRACES.s3).split('\n');
  text.splice(5000, 0, 'this is no event', '\u001b[2J neither is this');
  writeFileSync(damaged, text.join('\n'), 'latin1');
  const terminal = inShell(quoted(damaged));
  await terminal.until((screen) => FIRST(screen) && screen.includes('! '));
  terminal.press('q');
  expect(await restored(terminal)).toBe(0);

  const none = inShell(quoted(join(folder, 'not there')));
  expect(await restored(none)).toBe(2);
  expect(none.text()).toMatch(/tui: .*not there/);
});
