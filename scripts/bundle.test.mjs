// `npm run bundle` and `npm run pack`: each program as one file, and all as one package, run where nothing of the
// repository is in reach.
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deadAnchors, linkedIn } from './document-links.mjs';
import { commitOf } from './run/build-note.mjs';

const run = promisify(execFile);
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const PROGRAMS = ['collector', 'replay', 'tui'];
const folder = mkdtempSync(join(tmpdir(), 'vhostscope-bundle-'));
const example = join(folder, 'u5.txt.gz');
const trace = join(folder, 'u5.arrows');

/** As the shell of a host would: no variable of npm or pnpm tells it where modules are. */
function node(...args) {
  return run(process.execPath, args, { cwd: folder, env: { PATH: process.env.PATH } });
}

beforeAll(async () => {
  const rolldown = join(ROOT, 'node_modules/rolldown/bin/cli.mjs');
  const args = ['--config', 'rolldown.bundle.config.mjs', '--log-level', 'warn'];
  const env = { ...process.env, BUNDLE_FOLDER: folder };
  await run(process.execPath, [rolldown, ...args], { cwd: ROOT, env });
  copyFileSync(join(ROOT, 'examples/u5-json-q256.txt.gz'), example);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test.each(PROGRAMS)('%s says its version, and what it can do', async (name) => {
  const { version } = JSON.parse(readFileSync(join(ROOT, `packages/${name}/package.json`), 'utf8'));
  expect((await node(`${name}.mjs`, '--version')).stdout).toBe(
    `${version} (trace format 3, commit ${commitOf(ROOT) ?? 'not known'})\n`,
  );
  const { stdout } = await node(`${name}.mjs`, '--help');
  expect(stdout).toContain(`Usage: ${name}`);
});

test('a recording is imported, replayed, reported, shown, and summed up in processes', async () => {
  await node('collector.mjs', 'import', example, '-o', trace);
  const built = join(ROOT, 'packages/replay/bin/replay.js');
  const ofBundle = await node('replay.mjs', 'run', 'u5.arrows', '--json');
  expect(JSON.parse(ofBundle.stdout).totals.accesses).toBeGreaterThan(4000);
  expect(ofBundle.stdout).toBe((await node(built, 'run', 'u5.arrows', '--json')).stdout);
  await node('replay.mjs', 'report', 'u5.arrows', '-o', 'u5.html');
  expect(statSync(join(folder, 'u5.html')).size).toBeGreaterThan(100_000);
  const fleet = await node('replay.mjs', 'fleet', example, trace, '--workers', '2', '--json');
  const { runs, totals } = JSON.parse(fleet.stdout);
  expect(runs).toHaveLength(2);
  expect(totals.designs[0].decisions.accesses).toBe(
    2 * JSON.parse(ofBundle.stdout).totals.accesses,
  );
  const shown = await node('tui.mjs', 'u5.arrows', '--json');
  expect(JSON.parse(shown.stdout.split('\n')[0])).toMatchObject({ source: { name: 'u5.arrows' } });
}, 60_000);

test('the dashboard of a recording is looked for beside the collector', () => {
  const text = readFileSync(join(folder, 'collector.mjs'), 'utf8');
  expect(text).toContain('new URL("./tui.mjs", import.meta.url)');
});

test.each(PROGRAMS)('%s can be started by its name', async (name) => {
  expect((statSync(join(folder, `${name}.mjs`)).mode & 0o777).toString(8)).toBe('755');
  const path = join(folder, `${name}.mjs`);
  const { stdout } = await run(path, ['--version'], {
    cwd: folder,
    env: { PATH: process.env.PATH },
  });
  expect(stdout).toContain('trace format 3');
});

/** What rolldown says of where code is from: a comment before each module. */
function packagesIn(text) {
  const found = new Set();
  for (const [, path] of text.matchAll(/^\s*\/\/ (\S*node_modules\/\S+\.[cm]?js)$/gm)) {
    const [first, second] = path.slice(path.lastIndexOf('node_modules/') + 13).split('/');
    found.add(first.startsWith('@') ? `${first}/${second}` : first);
  }
  return found;
}

test('the licence of every package of which code is in a program lies beside it', () => {
  const text = readFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
  const heads = [...text.matchAll(/^(\S+) (\d+\.\d+\.\d+\S*) \((.+)\), in (.+)$/gm)];
  const named = (program) =>
    new Set(
      heads.flatMap(([, name, , , files]) => (files.includes(`${program}.mjs`) ? [name] : [])),
    );
  const all = new Set();
  for (const program of PROGRAMS) {
    const packages = packagesIn(readFileSync(join(folder, `${program}.mjs`), 'utf8'));
    for (const name of packages) all.add(name);
    // The page of the report is text in the program: no comment tells what it is made of.
    if (program === 'replay') packages.add('uplot');
    expect(packages).toContain('commander');
    // Of a package that is folded into others' code no comment is left; it is named all the same.
    expect([...packages].filter((name) => !named(program).has(name))).toEqual([]);
    expect(named(program).size).toBeLessThanOrEqual(packages.size + 2);
  }
  expect([...all]).toEqual(expect.arrayContaining(['react', 'ink', 'zod']));
  // Licences that let code be handed on in this way. Another one is to be looked at before it is listed.
  const known = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-3-Clause', '0BSD', 'Unlicense']);
  expect(heads.filter(([, , , licence]) => !known.has(licence)).map(([head]) => head)).toEqual([]);
  expect(text).toContain('Copyright (c) Meta Platforms, Inc. and affiliates.');
  expect(text).toMatch(/^uplot .*\n\n(.*\n)*.*Leon Sorokin/m);
  // Its package has none.
  expect(text).toMatch(
    /^yoga-layout .*\n\nIts package holds no text of the licence MIT; .*facebook\/yoga/m,
  );
  expect(text).not.toContain(ROOT);
  expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toBe(
    readFileSync(join(ROOT, 'LICENSE'), 'utf8'),
  );
  expect(readdirSync(folder)).toEqual(
    expect.arrayContaining(['LICENSE', 'THIRD-PARTY-LICENSES.txt', 'collector.mjs']),
  );
});

describe('`npm run pack`', () => {
  /** Somebody who installs the package, with no registry in reach. */
  const user = mkdtempSync(join(tmpdir(), 'vhostscope-user-'));
  const installed = join(user, 'node_modules/vhostscope');
  afterAll(() => rmSync(user, { recursive: true }));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

  /** A program by its name, as npm has put it there. */
  const start = (name, ...args) =>
    run(join(user, 'node_modules/.bin', name), args, {
      cwd: user,
      env: { PATH: process.env.PATH },
    });

  beforeAll(async () => {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^p?npm_/i.test(name)),
    );
    const { stdout } = await run(process.execPath, [join(ROOT, 'scripts/pack.mjs')], {
      env: { ...env, BUNDLE_FOLDER: folder },
    });
    writeFileSync(join(user, 'package.json'), '{ "private": true }\n');
    const args = ['install', '--offline', '--no-audit', '--no-fund', stdout.trim()];
    await run('npm', args, { cwd: user, env });
  }, 120_000);

  test('makes one package that needs no other', async () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'vhostscope', version, license: 'Apache-2.0' });
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('private');
    expect(readdirSync(join(user, 'node_modules')).filter((name) => name[0] !== '.')).toEqual([
      'vhostscope',
    ]);
    expect(readdirSync(installed).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-LICENSES.txt',
      'collector.mjs',
      'docs',
      'examples',
      'package.json',
      'replay.mjs',
      'tui.mjs',
    ]);
    const { messages, pkg } = await publint({ pkgDir: installed, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test('whose documents link to what it holds, and name the rest', () => {
    const read = (path) => readFileSync(join(installed, path), 'utf8');
    const documents = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.md'),
    );
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/reference/json.md']));
    const links = documents.flatMap((path) => linkedIn(read(path), path));
    expect(links.length).toBeGreaterThan(30);
    expect(links.filter((path) => !existsSync(join(installed, path)))).toEqual([]);
    expect(documents.flatMap((path) => deadAnchors(read(path), path, read))).toEqual([]);
    expect(read('README.md')).toContain('CONTRIBUTING (`CONTRIBUTING.md` in the sources)');
    expect(read('README.md')).toMatch(
      /^# vhostscope\n\n> This is the package of the programs: .*\n\nvhostscope records/,
    );
  });

  test('whose programs run by their names', { timeout: 60_000 }, async () => {
    for (const name of PROGRAMS)
      expect((await start(name, '--version')).stdout).toContain(`${version} (trace format 3`);
    const text = join(installed, 'examples/u5-json-q256.txt.gz');
    await start('collector', 'import', text, '-o', 'u5.arrows');
    const { stdout } = await start('replay', 'verify', 'u5.arrows');
    expect(stdout).toContain('yes: the model agrees with the kernel everywhere');
    // In processes of its own, which find the program by where npm has linked it.
    const fleet = await start('replay', 'fleet', 'u5.arrows', text, '--workers', '2', '--json');
    expect(JSON.parse(fleet.stdout).runs.map(({ status }) => status)).toEqual([
      'replayed',
      'replayed',
    ]);
    expect((await start('tui', 'u5.arrows', '--json')).stdout).toContain('u5.arrows');
  });
});
