// `pnpm bundle`: each program as one file, run where nothing of the repository is in reach.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
    `${version} (trace format 2, commit ${commitOf(ROOT) ?? 'not known'})\n`,
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
