// `scripts/audit.mjs`, with pnpm itself and registries that answer in one way or another.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { outcomeOf } from './audit.mjs';

const AUDIT = join(dirname(fileURLToPath(import.meta.url)), 'audit.mjs');

/** What an audit of a registry looks like. */
function report(...severities) {
  const advisories = severities.map((severity, at) => [
    at + 1,
    {
      id: at + 1,
      severity,
      title: `a ${severity} flaw`,
      module_name: 'zod',
      url: 'https://example.com/advisory',
      vulnerable_versions: '*',
      patched_versions: '>=99.0.0',
      findings: [{ version: '4.0.0', paths: ['zod'] }],
    },
  ]);
  const count = (level) => severities.filter((severity) => severity === level).length;
  const vulnerabilities = Object.fromEntries(
    ['info', 'low', 'moderate', 'high', 'critical'].map((level) => [level, count(level)]),
  );
  const numbers = {
    dependencies: 1,
    devDependencies: 0,
    optionalDependencies: 0,
    totalDependencies: 1,
  };
  return {
    actions: [],
    advisories: Object.fromEntries(advisories),
    muted: [],
    metadata: { vulnerabilities, ...numbers },
  };
}

/** Asks a registry that gives one answer to everything; `undefined`: one that is not there. */
async function audited(answer) {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
      response.end(answer.body ?? JSON.stringify(answer));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const registry = `http://127.0.0.1:${server.address().port}/`;
  const close = () => new Promise((closed) => server.close(closed));
  if (answer === undefined) await close();
  const env = { ...process.env, npm_config_registry: registry };
  const { code, said } = await new Promise((resolve) => {
    execFile(process.execPath, [AUDIT], { env }, (error, _stdout, stderr) =>
      resolve({ code: error?.code ?? 0, said: stderr }),
    );
  });
  if (answer !== undefined) {
    server.closeAllConnections();
    await close();
  }
  return { code, said };
}

test('a finding is an error, and is named', { timeout: 60_000 }, async () => {
  const { code, said } = await audited(report('high', 'low'));
  expect(code).toBe(1);
  expect(said).toContain(
    'high: zod: a high flaw (https://example.com/advisory); fixed in >=99.0.0',
  );
  expect(said).not.toContain('a low flaw');
  expect(said).toMatch(/^audit: update what is named /m);
});

test('nothing found, or nothing of these levels, is none', { timeout: 60_000 }, async () => {
  for (const answer of [report(), report('moderate')]) {
    const { code, said } = await audited(answer);
    expect({ code, said }).toEqual({
      code: 0,
      said: 'audit: no advisory of level high or critical is known for what the programs are made of\n',
    });
  }
});

test.each([
  ['refuses', { status: 405, body: '' }],
  ['fails', { status: 503, body: 'later' }],
  ['is not there', undefined],
])('a registry that %s is said, and no error', { timeout: 60_000 }, async (_how, answer) => {
  const { code, said } = await audited(answer);
  expect(code).toBe(0);
  expect(said).toContain('audit: NOT CHECKED: the registry does not answer audits (');
  expect(said).toMatch(
    /^audit: .*; ask one that answers, .*: npm_config_registry=\S+ node scripts/m,
  );
});

test('what is no answer at all, and no question either, is an error', () => {
  const lockless = JSON.stringify({ error: { code: 'ERR_PNPM_AUDIT_NO_LOCKFILE', message: 'No' } });
  expect(outcomeOf({ code: 1, stdout: lockless }).kind).toBe('failed');
  expect(outcomeOf({ code: 1, stdout: '' }).kind).toBe('failed');
  expect(outcomeOf({ code: 0, stdout: '{}' }).kind).toBe('failed');
  expect(outcomeOf({ code: null, stdout: '', isLate: true }).kind).toBe('no answer');
});
