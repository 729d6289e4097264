/**
 * A long recording of a disturbed load: its counts are those of the load and of a second bpftrace, and the
 * collector grows no bigger. `SOAK_MINUTES=60` is what docs/performance.md tells of.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, startLoad, type Host } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';
import { countCalls } from './counted-calls.js';
import { expectTruth } from './recorded-load.js';
import { readTraceFile } from './recorded-rings.js';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 2);
const TRACE = 'soak.arrows';
const SAMPLES = 30;
/** Beside the load: booting, attaching and reading the trace. */
const SPARE_MS = 1_800_000;

let host: Host;
beforeAll(async () => {
  host = await bootHost({ kernel: '6.1', cpus: 1 });
});
afterAll(async () => {
  await host.close();
});

test(
  'a long recording is complete, and takes no more memory than a short one',
  { timeout: MINUTES * 60_000 + SPARE_MS },
  async () => {
    const load = await startLoad(host, 'net', {
      seconds: MINUTES * 60,
      'kvm-vm': true,
      between: 8,
      beside: 5,
    });
    // An hour of it would fill the memory of the host: it goes to this machine.
    const output = join(host.exchange.guest, TRACE);
    const collector = await attachCollector(host, output, [], {
      timeout: MINUTES * 60_000 + SPARE_MS,
    });
    const counted = await countCalls(host, ['kprobe:vq_meta_prefetch']);
    await load.go();
    const samples: Sample[] = [];
    const seconds = (MINUTES * 60) / (SAMPLES + 1);
    for (let at = 0; at < SAMPLES; at++) {
      await host.run(`sleep ${seconds.toFixed(1)}`);
      const now = await sample(host);
      samples.push(now);
      process.stdout.write(`${inWords(now)}\n`);
    }
    const result = await load.result;
    const [rounds] = await counted();
    const outcome = await collector.stop();
    const path = join(host.exchange.here, TRACE);
    const trace = await readTraceFile(path);
    const { events } = trace;
    process.stdout.write(
      `${result.seconds} s of load: ${events['round']} rounds, ${events['core_range_start']} ranges, ` +
        `trace of ${statSync(path).size} bytes\n`,
    );
    expectTruth({ outcome, trace, result, said: collector.said() });
    expect(events['round']).toBe(rounds);
    expect(events['core_range_start']).toBeGreaterThan(MINUTES * 60);
    const most = (from: number, to: number): number =>
      Math.max(...samples.slice(from, to).map(({ residentKB }) => residentKB));
    // Of a heap that is collected now and then, the most it ever had is what can be compared.
    expect(most(SAMPLES / 2, SAMPLES)).toBeLessThan(1.1 * most(SAMPLES / 6, SAMPLES / 2));
  },
);

interface Sample {
  /** Of the guest, s. */
  readonly uptime: number;
  readonly residentKB: number;
  /** Since it was started, s, with all its threads. */
  readonly collectorCpu: number;
  readonly bpftraceCpu: number;
}

async function sample(guest: Host): Promise<Sample> {
  const { stdout } = await guest.run(
    [
      'cut -d" " -f1 /proc/uptime',
      'pid=$(pgrep -o -f "collector.js attach")',
      // The oldest is the one that records; the other counts.
      'recorder=$(pgrep -o -x bpftrace)',
      'sed -n "s/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p" /proc/$pid/status',
      'sed "s/.*) //" /proc/$pid/stat | cut -d" " -f12,13',
      'sed "s/.*) //" /proc/$recorder/stat | cut -d" " -f12,13',
    ].join('; '),
  );
  const [uptime = NaN, residentKB = NaN, ...ticks] = stdout.trim().split(/\s+/).map(Number);
  const seconds = (at: number): number => ((ticks[at] ?? NaN) + (ticks[at + 1] ?? NaN)) / 100;
  return { uptime, residentKB, collectorCpu: seconds(0), bpftraceCpu: seconds(2) };
}

function inWords({ uptime, residentKB, collectorCpu, bpftraceCpu }: Sample): string {
  const mb = (residentKB / 1000).toFixed(0);
  return `${uptime} s: ${mb} MB; CPU s of collector ${collectorCpu}, bpftrace ${bpftraceCpu}`;
}
