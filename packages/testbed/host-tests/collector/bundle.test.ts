/** The programs as one file each (`pnpm bundle`), where nothing of the repository is in reach. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, startLoad, type Host } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';
import { readRecordedTrace } from './recorded-rings.js';

const BUNDLE = fileURLToPath(new URL('../../../../bundle', import.meta.url));

let host: Host;
beforeAll(async () => {
  host = await bootHost({ cpus: 1 });
});
afterAll(async () => {
  await host.close();
});

test('they record a load, and replay what was recorded', async () => {
  const { status } = await host.run(`mkdir /tmp/programs && cp '${BUNDLE}'/*.mjs /tmp/programs`);
  expect(status).toBe(0);
  const load = await startLoad(host, 'net', { packets: 2000, between: 4 });
  const collector = await attachCollector(host, '/tmp/bundle.arrows', ['--detail', 'accesses'], {
    program: '/tmp/programs/collector.mjs',
  });
  await load.go();
  const { virtqueues } = await load.result;
  expect(await collector.stop()).toMatchObject({ ended: 'SIGINT', complete: true });
  const { rings } = await readRecordedTrace(host, '/tmp/bundle.arrows');
  expect(rings.map(({ heads }) => heads)).toEqual(virtqueues.map((one) => one.entries_used));
  const replayed = await host.run('node /tmp/programs/replay.mjs run /tmp/bundle.arrows --json', {
    cwd: '/',
  });
  expect(replayed.status).toBe(0);
  const { totals } = JSON.parse(replayed.stdout) as { totals: { accesses: number } };
  expect(totals.accesses).toBeGreaterThan(2000);
  const shown = await host.run('node /tmp/programs/tui.mjs /tmp/bundle.arrows --json', {
    cwd: '/',
  });
  expect(shown.stdout.split('\n')[0]).toContain('"events"');
});
