// `--version` says what a program was built of, also where there is neither git nor a checkout.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { commitOf, writeBuildNotes } from './run/build-note.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const top = mkdtempSync(join(tmpdir(), 'version '));
afterAll(() => rmSync(top, { recursive: true }));

const FORMAT = 3;

function git(folder, ...args) {
  const who = ['-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', folder, ...who, ...args], { encoding: 'utf8' }).trim();
}

/** A checkout with the three programs in it, as far as a build note asks. */
function checkout() {
  const folder = mkdtempSync(join(top, 'checkout '));
  for (const name of ['collector', 'replay', 'tui'])
    mkdirSync(join(folder, 'packages', name, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'packages/replay/a.ts'), '1');
  writeFileSync(join(folder, '.gitignore'), 'dist\n');
  git(folder, 'init', '-q');
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'first');
  return folder;
}

test('the commit of a checkout, and that something was changed since', () => {
  const folder = checkout();
  const commit = git(folder, 'rev-parse', 'HEAD').slice(0, 12);
  expect(commitOf(folder)).toBe(commit);
  writeFileSync(join(folder, 'notes.txt'), 'not of a package');
  expect(commitOf(folder)).toBe(commit);
  writeFileSync(join(folder, 'packages/replay/a.ts'), '2');
  expect(commitOf(folder)).toBe(`${commit}+changes`);
});

test('none where there is no checkout, or that of something else around it', () => {
  expect(commitOf(top)).toBeUndefined();
  expect(commitOf(join(checkout(), 'packages'))).toBeUndefined();
});

test('the build leaves it beside each program, and takes away one that does not hold any more', () => {
  const folder = checkout();
  const notes = ['collector', 'replay', 'tui'].map((name) =>
    join(folder, 'packages', name, 'dist/build.json'),
  );
  writeBuildNotes(folder);
  const commit = commitOf(folder);
  for (const note of notes) expect(JSON.parse(readFileSync(note, 'utf8'))).toEqual({ commit });
  rmSync(join(folder, '.git'), { recursive: true });
  writeBuildNotes(folder);
  for (const note of notes) expect(() => readFileSync(note)).toThrow('ENOENT');
});

test('what is built by turbo alone, or comes from its cache, says that its commit is not known', () => {
  const folder = mkdtempSync(join(top, 'package '));
  mkdirSync(join(folder, 'src'));
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'src/main.ts'), 'process.stdout.write("built");\n');
  // Of what lay there before.
  writeFileSync(join(folder, 'dist/build.json'), '{"commit": "0123456789ab"}');
  const config = join(root, 'rolldown.config.mjs');
  const bin = join(root, 'node_modules/.bin/rolldown');
  execFileSync(bin, ['--config', config, '--log-level', 'silent'], {
    cwd: folder,
    stdio: 'ignore',
  });
  expect(readFileSync(join(folder, 'dist/main.js'), 'utf8')).toContain('built');
  // Among what turbo keeps, so that it takes the place of another note.
  expect(JSON.parse(readFileSync(join(folder, 'dist/build.json'), 'utf8'))).toEqual({});
});

test.each(['collector', 'replay', 'tui'])(
  '%s, packed and unpacked elsewhere, knows it without git',
  { timeout: 60_000 },
  (name) => {
    const folder = join(top, name);
    for (const part of ['bin', 'dist', 'package.json'])
      cpSync(join(root, 'packages', name, part), join(folder, part), { recursive: true });
    writeFileSync(join(folder, 'dist/build.json'), '{"commit": "0123456789ab"}');
    execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', top], {
      cwd: folder,
    });
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    execFileSync('tar', ['xf', join(top, `vhostscope-${name}-${version}.tgz`), '-C', folder]);
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, `package/bin/${name}.js`), '--version'],
      { encoding: 'utf8', cwd: folder, env: { PATH: '' } },
    );
    expect({ stdout, stderr }).toEqual({
      stdout: `${version} (trace format ${FORMAT}, commit 0123456789ab)\n`,
      stderr: '',
    });
  },
);
