import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeWorkFolder, removeWorkFolder } from './work-folder.js';

test('a folder of a process that is gone is removed, one of a living process is not', () => {
  const { pid } = spawnSync('true');
  const dead = join(tmpdir(), `vhostscope-testbed-${pid}-abc`);
  const living = join(tmpdir(), `vhostscope-testbed-${process.ppid}-abc`);
  mkdirSync(dead, { recursive: true });
  mkdirSync(living, { recursive: true });
  const folder = makeWorkFolder();
  try {
    expect(existsSync(join(folder, 'exchange'))).toBe(true);
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(living)).toBe(true);
  } finally {
    removeWorkFolder(folder);
    removeWorkFolder(living);
  }
  expect(existsSync(folder)).toBe(false);
});
