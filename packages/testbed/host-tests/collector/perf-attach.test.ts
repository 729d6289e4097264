/** `collector attach --with perf` on a stock kernel, beside a bpftrace that records the same. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootHost, startLoad, type Host } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';
import { readRecordedTrace } from './recorded-rings.js';

const COLLECTOR = fileURLToPath(new URL('../../../collector/bin/collector.js', import.meta.url));
const WITH_PERF = ['--with', 'perf'];
const COMPLETE = { ended: 'SIGINT', complete: true, doubts: [], lost: {} };

async function probesOf(host: Host): Promise<string> {
  return (await host.run('cat /sys/kernel/tracing/kprobe_events')).stdout;
}

describe('on Linux 6.1 with 2 CPUs', () => {
  let host: Host;
  beforeAll(async () => {
    host = await bootHost({ cpus: 2 });
  });
  afterAll(async () => {
    await host.close();
  });

  test('perf sees what bpftrace sees of one load, and its name forges nothing', async () => {
    const load = await startLoad(host, 'net', {
      packets: 3000,
      between: 4,
      'kvm-vm': true,
      // An event as perf prints it, as far as there is room, and what clears a terminal.
      name: 'x\n 1 [0] 1.0\u001b[31m',
    });
    const perf = await attachCollector(host, '/tmp/perf.arrows', WITH_PERF);
    const bpftrace = await attachCollector(host, '/tmp/bpftrace.arrows');
    await load.go();
    const { virtqueues, pid } = await load.result;
    const [told, known] = [await perf.stop(), await bpftrace.stop()];
    // All of it, so that what was lost is seen.
    expect(told).toEqual({ ...told, ...COMPLETE });
    expect(known).toMatchObject(COMPLETE);
    expect(await probesOf(host)).toBe('');
    const [ours, theirs] = [
      await readRecordedTrace(host, '/tmp/perf.arrows'),
      await readRecordedTrace(host, '/tmp/bpftrace.arrows'),
    ];
    expect(ours.damage).toEqual([]);
    expect(ours.rings).toHaveLength(virtqueues.length);
    for (const [at, { num, desc, avail, used, entries_used }] of virtqueues.entries()) {
      const [ring, same] = [ours.rings[at], theirs.rings[at]];
      expect(ring).toMatchObject({ owner: pid, num, heads: entries_used, used: entries_used });
      expect(ring?.areas).toEqual([desc, avail, used].map(BigInt));
      expect(ring).toMatchObject({ rounds: same?.rounds, notified: same?.notified });
    }
    const identity = ({ ranges }: typeof ours): string[] =>
      ranges
        .map(({ owner, start, end, cause, class: by }) => [owner, start, end, cause, by].join(' '))
        .toSorted();
    expect(identity(ours)).toEqual(identity(theirs));
    expect(ours.events['core_range_end']).toBe(theirs.events['core_range_end']);
    expect([...ours.comms]).toContain(String.raw`x\n 1 [0] 1.0\x1b[`);
    expect(perf.said()).not.toContain('could not be read');
  });

  test('what a killed recorder left goes at the next start, and what another needs stays', async () => {
    const running = await attachCollector(host, '/tmp/running.arrows', WITH_PERF);
    const killed = await attachCollector(host, '/tmp/killed.arrows', WITH_PERF);
    const [both, groupOf] = [
      await probesOf(host),
      (text: string) => new Set(text.match(/vhostscope_\d+_\d+/g)),
    ];
    expect(groupOf(both).size).toBe(2);
    killed.command.signal('SIGKILL');
    await killed.ended;
    expect(groupOf(await probesOf(host)).size).toBe(2);
    const { status } = await host.run(
      `node '${COLLECTOR}' attach --with perf -o /tmp/next.arrows --duration 1s`,
    );
    expect(status).toBe(0);
    expect(groupOf(await probesOf(host)).size).toBe(1);
    expect(await running.stop()).toMatchObject(COMPLETE);
    expect(await probesOf(host)).toBe('');
  });
});
