// `npm run pack` where npm fails, or is not there; that it makes a package is held by bundle.test.mjs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const top = mkdtempSync(join(tmpdir(), 'pack '));
afterAll(() => rmSync(top, { recursive: true }));

/** Packs programs that are empty, by an npm of the test's own. */
function pack(npm) {
  const folder = mkdtempSync(join(top, 'run '));
  const [bundle, temporary, path] = ['bundle', 'tmp', 'bin'].map((name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  });
  for (const name of [
    'collector.mjs',
    'replay.mjs',
    'tui.mjs',
    'LICENSE',
    'THIRD-PARTY-LICENSES.txt',
  ])
    writeFileSync(join(bundle, name), '');
  if (npm !== undefined) writeFileSync(join(path, 'npm'), npm, { mode: 0o755 });
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/pack.mjs')], {
    env: { PATH: path, TMPDIR: temporary, BUNDLE_FOLDER: bundle },
    encoding: 'utf8',
  });
  return { status, stdout, stderr, left: readdirSync(temporary) };
}

test('where npm is not there, that is said, and nothing is left', () => {
  expect(pack(undefined)).toEqual({
    status: 1,
    stdout: '',
    stderr: 'pack: npm pack failed: npm is not on the PATH; it comes with Node\n',
    left: [],
  });
});

test('where npm fails, its exit code is told, and nothing is left', () => {
  expect(pack('#!/bin/sh\necho no >&2\nexit 3\n')).toEqual({
    status: 3,
    stdout: '',
    stderr: 'no\npack: npm pack failed: exit code 3\n',
    left: [],
  });
});

test('of what it has packed the path is told', () => {
  const { status, stdout, left } = pack('#!/bin/sh\necho vhostscope-0.tgz\n');
  expect({ status, left }).toEqual({ status: 0, left: [] });
  expect(stdout).toMatch(/bundle\/vhostscope-0\.tgz\n$/);
});
