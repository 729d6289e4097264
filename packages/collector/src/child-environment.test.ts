import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { hostSources } from './host/host-sources.js';
import { startBpftrace } from './attach/bpftrace-process.js';
import { ALL_PRIVILEGES } from './privileges/recorder-privileges.js';
import { childEnvironment } from './child-environment.js';
import { startDashboard } from './attach/dashboard-process.js';

const folder = mkdtempSync(join(tmpdir(), 'child environment '));
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  process.env['NATS_PASSWORD'] = 'secret';
});
afterEach(() => {
  delete process.env['NATS_PASSWORD'];
});

/** Names of the variables that a child was given, as it wrote them down. */
function tellingNames(name: string): { readonly script: string; readonly names: () => string[] } {
  const told = join(folder, `${name}.json`);
  const script = `require('node:fs').writeFileSync(${JSON.stringify(told)}, JSON.stringify(Object.keys(process.env)))`;
  return {
    script,
    names: () => (existsSync(told) ? (JSON.parse(readFileSync(told, 'utf8')) as string[]) : []),
  };
}

test('what lets one in at a server is left out, whatever it is called, and the rest is as it was', () => {
  const own = { PATH: '/bin', NATS_USER: 'u', NATS_CREDS: '/c', NATS_NEXT: 'x', MY_NATS_: 'y' };
  expect(childEnvironment({ A: '1' }, own)).toEqual({ PATH: '/bin', MY_NATS_: 'y', A: '1' });
});

test('bpftrace is not given it', async () => {
  const { script, names } = tellingNames('bpftrace');
  const { ended } = await startBpftrace({
    recorder: 'bpftrace',
    path: process.execPath,
    args: ['-e', script],
    env: { BPFTRACE_COLOR: 'never' },
    privileges: ALL_PRIVILEGES,
    types: undefined,
    program: '',
  });
  await ended;
  expect(names()).toEqual(expect.arrayContaining(['PATH', 'BPFTRACE_COLOR']));
  expect(names()).not.toContain('NATS_PASSWORD');
});

test('the dashboard is not given it', async () => {
  const { script, names } = tellingNames('dashboard');
  const program = join(folder, 'dashboard.cjs');
  writeFileSync(program, script);
  await startDashboard('/nowhere', program).ended;
  expect(names()).toContain('PATH');
  expect(names()).not.toContain('NATS_PASSWORD');
});

test('a program that is asked for its version is not given it', async () => {
  const said = await hostSources().run(process.execPath, [
    '-p',
    'Object.keys(process.env).join(" ")',
  ]);
  expect(said).toContain('PATH');
  expect(said).not.toContain('NATS_PASSWORD');
});
