/**
 * Loads like those of the golden traces, on a stock kernel: what `replay` makes of one recording of them, and its
 * predicted hit ratio beside the true one of the golden trace. No claim that they are equal: other programs made
 * those loads, at other rates, and where the design takes a map away the range goes on until nobody reads it
 * (synchronize_rcu, up to 144 ms there), for which a stock kernel's range does not wait.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, startLoad, type Host, type LoadOptions } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';

const REPLAY = fileURLToPath(new URL('../../../replay/bin/replay.js', import.meta.url));
const EXPECTED = new URL('../../../replay/test/golden/expected.json', import.meta.url);
const TRACE = '/tmp/workloads.arrows';

const MIXED = 'mprotect,pageout,fork,soft-dirty,collapse,compact,edge,elsewhere';

/** By golden trace; see the workload column of the golden traces' README. */
const WORKLOADS: Readonly<Record<string, LoadOptions>> = {
  'u1-mixed-q256': { disturb: MIXED, between: 64 },
  'u2-spread-q1024': { num: 1024, disturb: 'none' },
  'u3-evidx-thp-q1024': { num: 1024, huge: true, 'event-idx': true, disturb: MIXED, between: 64 },
  'u4-resetup-q256': { disturb: 'set-up', between: 16 },
  's1-bg-q256': { disturb: MIXED, between: 0, beside: 100 },
  's2-storm-q256': { disturb: MIXED, between: 0, beside: 200, threads: 2 },
  's3-resetup-under-storm': { disturb: `set-up,${MIXED}`, between: 16, beside: 200, threads: 2 },
  's4-numa-thp-q1024': {
    num: 1024,
    huge: true,
    disturb: 'migrate,collapse,ksm,compact',
    between: 0,
    beside: 20,
  },
};

interface Decisions {
  readonly accesses: number;
  readonly hits: number;
  readonly ambiguous: number;
}

interface Run {
  readonly totals: Decisions;
  readonly likely: { hits: number; fallbacks: number; iotlb: number; open: number } | null;
}

let host: Host;
const folder = mkdtempSync(join(tmpdir(), 'vhostscope-host-test-'));
const copy = join(folder, 'workloads.arrows');
beforeAll(async () => {
  host = await bootHost({ cpus: 2 });
  await host.run('modprobe vhost_net');
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

function replay(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [REPLAY, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect({ args, status, stderr }).toMatchObject({ args, status: 0 });
  return stdout;
}

async function uptime(): Promise<string> {
  const { stdout } = await host.run("sleep 0.5; cut -d' ' -f1 /proc/uptime");
  return stdout.trim();
}

test('a recording of loads like those of the golden traces is replayed', async () => {
  const collector = await attachCollector(host, TRACE);
  const spans: [name: string, from: string, to: string][] = [];
  for (const [name, options] of Object.entries(WORKLOADS)) {
    const from = await uptime();
    const load = await startLoad(host, 'net', {
      packets: 3000,
      batch: 8,
      'kvm-vm': true,
      ...options,
    });
    await load.go();
    await load.result;
    spans.push([name, from, await uptime()]);
  }
  const outcome = await collector.stop();
  expect(outcome).toMatchObject({ ended: 'SIGINT', complete: true });
  writeFileSync(copy, await host.readFile(TRACE));

  const golden = JSON.parse(readFileSync(EXPECTED, 'utf8')) as Record<string, Decisions>;
  const percent = (part: number, all: number): string => `${((100 * part) / all).toFixed(2)} %`;
  for (const [name, from, to] of spans) {
    const run = JSON.parse(replay('run', copy, '--from', from, '--to', to, '--json')) as Run;
    const { accesses, hits, ambiguous } = run.totals;
    const likely = run.likely ?? { hits, fallbacks: accesses - hits, iotlb: 0, open: 0 };
    const told = likely.hits + likely.fallbacks + likely.iotlb;
    const truth = golden[name];
    if (truth === undefined) throw new Error(`${name} is no golden trace`);
    process.stdout.write(
      `${name}: golden trace ${percent(truth.hits, truth.accesses)}; here ${accesses} accesses, ≈${percent(likely.hits, told)} likely, ${percent(hits, accesses)} to ${percent(hits + ambiguous, accesses)} sure\n`,
    );
    expect(accesses).toBeGreaterThan(0);
    expect(told).toBeGreaterThan(0);
  }
});

test('compare, storms, report and export work on it', () => {
  expect(replay('compare', copy)).toContain('merged');
  expect(JSON.parse(replay('storms', copy, '--json'))).toMatchObject({ host: 'stock' });
  const page = join(folder, 'report.html');
  replay('report', copy, '-o', page);
  expect(readFileSync(page, 'utf8')).toContain('<html');
  for (const format of ['perfetto', 'parquet', 'ndjson']) {
    const output = join(folder, `export.${format}`);
    replay('export', copy, '--format', format, '-o', output);
    expect(statSync(output).size).toBeGreaterThan(0);
  }
});
