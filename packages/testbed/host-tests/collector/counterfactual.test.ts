/**
 * What replay says of a stock kernel, where no map exists, against the truth: at each round the page tables are
 * asked what get_user_pages would have said, and a plain model of the merged design decides each access by it.
 * One CPU, so that the order of events is that of what they tell.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, startLoad, type Host } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';
import { compareWithTruth, tableOf, type Run } from './compared-decisions.js';
import { watchPageTables } from './page-table-truth.js';

const TRACE = '/tmp/counterfactual.arrows';
const SEEDS = [1, 2, 3, 4, 5];
const RINGS = [256, 1024];
const THP = ['never', 'always'];
/** Percentage points of hit ratio. */
const TOLERANCE = 0.5;

let host: Host;
const folder = mkdtempSync(join(tmpdir(), 'vhostscope-host-test-'));
beforeAll(async () => {
  host = await bootHost({ cpus: 1 });
  await host.run('modprobe vhost_net');
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

test('sure answers are those of the page tables, and what is likely comes near', async () => {
  const collector = await attachCollector(host, TRACE, ['--detail', 'accesses', '--keep-pointers']);
  const stopWatching = await watchPageTables(host);
  const runs: Run[] = [];
  for (const thp of THP) {
    await host.run(`echo ${thp} > /sys/kernel/mm/transparent_hugepage/enabled`);
    for (const num of RINGS)
      for (const seed of SEEDS) {
        const load = await startLoad(host, 'net', {
          num,
          seed,
          packets: 4000,
          between: 6,
          'kvm-vm': true,
          ...(thp === 'always' && { huge: true }),
        });
        await load.go();
        await load.result;
        const { stdout } = await host.run("sleep 0.5; cut -d' ' -f1 /proc/uptime");
        runs.push({ name: `${num} entries, THP ${thp}, seed ${seed}`, until: Number(stdout) });
      }
  }
  const truth = await stopWatching();
  const outcome = await collector.stop();
  const copy = join(folder, 'trace.arrows');
  writeFileSync(copy, await host.readFile(TRACE));
  const compared = await compareWithTruth(copy, truth, runs);
  process.stdout.write(`complete: ${outcome.complete}\n${tableOf(compared)}`);
  expect(outcome.complete).toBe(true);
  expect(compared.wrong).toEqual([]);
  expect(compared.design.unseen).toBeLessThan(0.01 * compared.design.rounds);
  expect(compared.runs).toHaveLength(THP.length * RINGS.length * SEEDS.length);
  for (const { likely, true: share } of compared.runs)
    expect(Math.abs(likely - share)).toBeLessThanOrEqual(TOLERANCE);
});
