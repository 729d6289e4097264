import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSpoolFolder } from './spool-folder.js';

const top = mkdtempSync(join(tmpdir(), 'spool folder '));
afterAll(() => rmSync(top, { recursive: true }));

test('is made for nobody else', () => {
  const folder = openSpoolFolder(join(top, 'a', 'spool'));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test.each([0o777, 0o770, 0o702])('one that others can write to is refused: %o', (mode) => {
  const folder = join(top, mode.toString(8));
  mkdirSync(folder);
  // Whatever the umask is.
  chmodSync(folder, mode);
  expect(() => openSpoolFolder(folder)).toThrow(/^the spool .* can be written by others$/);
  chmodSync(folder, 0o755);
  expect(openSpoolFolder(folder)).toBe(folder);
});
