import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { programDigest } from './program-digest.js';

const folder = mkdtempSync(join(tmpdir(), 'builds '));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder of its own for each: all that lies in it is of the build. */
function program(text: string): URL {
  const path = join(mkdtempSync(join(folder, 'one ')), 'replay-worker.js');
  writeFileSync(path, text);
  return pathToFileURL(path);
}

const [built, bundled] = [program('export {};'), program('var bundled;')];
const of = (commit: string | undefined, version = '0.1.0') => ({ version, commit });

it('is the same of a checkout and of what was bundled of its commit', () => {
  const digest = programDigest(built, of('0123456789ab'));
  expect(digest).toMatch(/^[0-9a-f]{16}$/);
  expect(programDigest(bundled, of('0123456789ab'))).toBe(digest);
  expect(programDigest(built, of('0123456789ac'))).not.toBe(digest);
  expect(programDigest(built, of('0123456789ab', '0.1.1'))).not.toBe(digest);
});

it.each([undefined, '0123456789ab+changes'])(
  'is that of the files where the commit is %s',
  (commit) => {
    expect(programDigest(bundled, of(commit))).not.toBe(programDigest(built, of(commit)));
    expect(programDigest(program('export {};'), of(commit))).toBe(programDigest(built, of(commit)));
  },
);
