import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readBuild, versionLine } from './program-build.js';

const top = mkdtempSync(join(tmpdir(), 'program build '));
afterAll(() => rmSync(top, { recursive: true }));
let made = 0;

/** A package's folder, in which the build has left that. */
function folderWith(note?: string): URL {
  const folder = join(top, String(made++));
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"version": "1.2.3"}');
  if (note !== undefined) writeFileSync(join(folder, 'dist/build.json'), note);
  return pathToFileURL(`${folder}/`);
}

test('version and commit', () => {
  const build = readBuild(folderWith('{"commit": "0123456789ab"}'));
  expect(build).toEqual({ version: '1.2.3', commit: '0123456789ab' });
  expect(versionLine(build, 7)).toBe('1.2.3 (trace format 7, commit 0123456789ab)');
});

test.each([[undefined], [''], ['{}'], ['{"commit": 5}'], ['{"commit":']])(
  'of %j the commit is not known',
  (note) => {
    const build = readBuild(folderWith(note));
    expect(build).toEqual({ version: '1.2.3', commit: undefined });
    expect(versionLine(build, 2)).toBe('1.2.3 (trace format 2, commit not known)');
  },
);
