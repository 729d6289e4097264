import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { withLock } from './run/lock.mjs';
import { hashOf, isStamped, listFiles, stamp } from './run/stamps.mjs';

const roots = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** A folder with these files, and with a blank in its name. */
function folderWith(files = {}) {
  const root = mkdtempSync(join(tmpdir(), 'vhostscope run '));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Runs code that has `exec` at hand, in a process of its own, as `npm start` does. */
function withExec(code) {
  const url = new URL('./run/exec.mjs', import.meta.url);
  return [
    '--input-type=module',
    '--eval',
    `import { exec, Failed } from ${JSON.stringify(url)};
     const run = (code, options) => exec([process.execPath, '-e', code], { cwd: '.', ...options });
     try { ${code} } catch (error) {
       if (!(error instanceof Failed)) throw error;
       process.stdout.write(error.message);
       process.exitCode = error.exitCode;
     }`,
  ];
}

test('a stamp holds until a file, a fact or an output changes', () => {
  const root = folderWith({ a: '1', out: '2' });
  const hash = () => hashOf(root, ['a', 'b'], ['fact'], ['out']);
  expect(isStamped(root, 'step', hash())).toBe(false);
  stamp(root, 'step', hash());
  expect(isStamped(root, 'step', hash())).toBe(true);
  expect(hashOf(root, ['a', 'b'], ['another'], ['out'])).not.toBe(hash());

  const first = hash();
  writeFileSync(join(root, 'b'), '');
  expect(hash(), 'an empty file is not a missing one').not.toBe(first);
  const second = hash();
  utimesSync(join(root, 'out'), 1, 1);
  expect(hash()).not.toBe(second);
});

test('files are listed in a fixed order, without what is filtered', () => {
  const root = folderWith({ 'p/b': '', 'p/a/z': '', 'p/no/x': '' });
  expect(listFiles(root, ['p', 'missing'], (path) => path !== 'p/no')).toEqual(['p/a/z', 'p/b']);
});

test('two set-ups do not overlap, and a lock left behind is taken over', async () => {
  const folder = folderWith({ 'setup.lock': '1' });
  utimesSync(join(folder, 'setup.lock'), 1, 1);
  // The one that waits says so.
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const order = [];
  const work = (name) => () => {
    order.push(`${name} in`);
    return sleep(300).then(() => order.push(`${name} out`));
  };
  await Promise.all([withLock(folder, work('first')), withLock(folder, work('second'))]);
  said.mockRestore();
  expect(order).toEqual(['first in', 'first out', 'second in', 'second out']);
});

test('a quiet command is heard only when it fails, and then in full', () => {
  const quiet = (code) =>
    spawnSync(
      process.execPath,
      withExec(`process.exitCode = await run(${JSON.stringify(code)}, { quiet: true });`),
      { encoding: 'utf8' },
    );
  expect(quiet(`console.log('well')`)).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(quiet(`console.log('out'); process.exitCode = 3`)).toMatchObject({
    status: 3,
    stdout: '',
    stderr: 'out\n',
  });
});

test('exit codes and signals of a command are passed on; one that is missing is named', () => {
  const result = (code) =>
    spawnSync(process.execPath, withExec(code), { encoding: 'utf8', env: process.env });
  expect(result(`process.exitCode = await run('process.exit(7)');`).status).toBe(7);
  expect(result(`process.exitCode = await run('process.kill(process.pid, 9)');`).status).toBe(137);
  expect(result(`await exec(['./no such program'], { cwd: '.' });`)).toMatchObject({
    status: 2,
    stdout: expect.stringContaining('cannot start ./no such program'),
  });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('%s ends the command and gives %i', async (signal, expected) => {
  const started = `process.stdout.write('pid ' + process.pid); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, withExec(`await run(${JSON.stringify(started)});`));
  const pid = await new Promise((resolve) => {
    parent.stdout.on('data', (chunk) => resolve(Number(String(chunk).slice('pid '.length))));
  });
  parent.kill(signal);
  const code = await new Promise((resolve) => {
    parent.on('close', resolve);
  });
  expect(code).toBe(expected);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test.each(['collector', 'replay', 'tui'])('%s says in one line that it is not built', (program) => {
  const root = folderWith({ 'package.json': '{ "type": "module" }' });
  const bin = `packages/${program}/bin/${program}.js`;
  mkdirSync(join(root, 'bin'));
  copyFileSync(
    fileURLToPath(new URL(`../${bin}`, import.meta.url)),
    join(root, 'bin', `${program}.js`),
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'bin', `${program}.js`)],
    { encoding: 'utf8' },
  );
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^\w+: not built yet \(.*\): run `npm start` in the repository\n$/);
});

test('what cannot be made sense of is refused with the usage', () => {
  const script = fileURLToPath(new URL('./run.mjs', import.meta.url));
  const run = (...args) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  expect(run('start', '--help')).toMatchObject({ status: 0, stderr: '' });
  for (const args of [['start', '--json'], ['start', 'a', 'b'], ['test', 'a'], ['stop']]) {
    expect(run(...args)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('Usage: npm start'),
    });
  }
});
