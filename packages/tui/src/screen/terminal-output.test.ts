import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTerminalOutput } from './terminal-output.js';

// A pipe holds as little as a terminal does, and nothing more is taken until somebody reads.
let folder = '';
let path = '';
let reader = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'terminal output '));
  path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
});
afterEach(() => rmSync(folder, { recursive: true }));

function readAll(): string {
  const block = Buffer.alloc(1 << 16);
  try {
    return block.toString('utf8', 0, readSync(reader, block));
  } catch {
    return '';
  }
}

test('what a full terminal does not take is written later, in order', async () => {
  const output = openTerminalOutput(() => undefined, path);
  const frames = ['a', 'b', 'c'].map((letter) => letter.repeat(100_000));
  for (const frame of frames) output.write(frame);
  expect(output.isBusy).toBe(true);
  let read = '';
  await expect.poll(() => (read += readAll()).length, { timeout: 5000, interval: 5 }).toBe(300_000);
  expect(read).toBe(frames.join(''));
  expect(output.isBusy).toBe(false);
  output.close();
  closeSync(reader);
});

test('at the end all is written at once', () => {
  const output = openTerminalOutput(() => undefined, path);
  output.write('frame');
  output.flush();
  expect(readAll()).toBe('frame');
  output.close();
  closeSync(reader);
});

test('one that is gone is told of once, and nothing waits for it', () => {
  let gone = 0;
  const output = openTerminalOutput(() => gone++, path);
  closeSync(reader);
  output.write('frame');
  expect(gone).toBe(1);
  expect(output.isBusy).toBe(false);
  output.flush();
  output.close();
});
