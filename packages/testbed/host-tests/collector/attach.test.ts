/**
 * `collector attach` on a stock kernel: what it recorded against what the loads know of themselves, and
 * against counts that a second bpftrace made.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootHost, DPDK_PACKAGES, startDpdk, startLoad, type Host } from '../../src/index.js';
import { attachCollector, type AttachOutcome } from './attached-collector.js';
import { countCalls } from './counted-calls.js';
import { COMPLETE, expectTruth, RECORDED, recordLoad } from './recorded-load.js';
import { readRecordedTrace } from './recorded-rings.js';

const REPLAY = fileURLToPath(new URL('../../../replay/bin/replay.js', import.meta.url));
const TRACE = '/tmp/attach.arrows';

describe.each([
  ['6.1', 1],
  ['6.12', 2],
] as const)('on Linux %s with %i CPUs', (kernel, cpus) => {
  let host: Host;
  beforeAll(async () => {
    host = await bootHost({ kernel, cpus, packages: DPDK_PACKAGES });
  });
  afterAll(async () => {
    await host.close();
  });

  test('every virtqueue of a load is there, with all its heads and used entries; its name forges nothing', async () => {
    const recorded = await recordLoad(host, 'net', {
      packets: 5000,
      chain: 3,
      between: 4,
      'kvm-vm': true,
      // A line of the dialect, and one that clears a terminal.
      name: 'x\nM 9 0 1\u001b[31m',
    });
    expectTruth(recorded);
    expect(recorded.trace.events['core_range_start']).toBeGreaterThan(0);
    expect([...recorded.trace.comms]).toContain(String.raw`x\x0aM 9 0 1\x1b[31m`);
    // Not even a line that could not be read.
    expect(recorded.said).not.toContain('could not be read');
    const { stdout } = await host.run(`node '${REPLAY}' info '${RECORDED}'`);
    expect(stdout).not.toContain('\u001b');
  });

  test.each(['calls', 'accesses'])(
    '--detail %s: what the load put into the rings was accessed, as the kernel does it',
    async (detail) => {
      const load = await startLoad(host, 'net', { packets: 2000, chain: 3, disturb: 'none' });
      const collector = await attachCollector(host, TRACE, ['--detail', detail]);
      await load.go();
      const { virtqueues } = await load.result;
      expect(await collector.stop()).toMatchObject(COMPLETE);
      const { rings } = await readRecordedTrace(host, TRACE);
      for (const { index, entries_used, calls } of virtqueues) {
        const ring = rings.find(({ place }) => place === index);
        expect(ring).toMatchObject({ heads: entries_used, used: entries_used });
        expect(ring?.accesses).toMatchObject({
          get_avail_head: entries_used,
          get_desc: 3 * entries_used,
          // Without EVENT_IDX each signal reads the flags; the load counts those that reach it.
          get_avail_flags: calls,
        });
      }
      if (detail !== 'accesses') return;
      // The automaton of the accessor rules knows nothing of the program that printed them.
      const { status, stdout } = await host.run(`node '${REPLAY}' check '${TRACE}'`);
      expect(stdout).toContain('yes: the rules of 6.1 allow all');
      expect(status).toBe(0);
    },
  );

  test('every packet of testpmd is there', async () => {
    const dpdk = await startDpdk(host, { seconds: 3 });
    const collector = await attachCollector(host, TRACE);
    await dpdk.go();
    const { sent } = await dpdk.result;
    expect(await collector.stop()).toMatchObject(COMPLETE);
    const { rings } = await readRecordedTrace(host, TRACE);
    // rx is idle, and is there all the same.
    expect(rings.map(({ place }) => place)).toEqual([0, 1]);
    for (const { areas } of rings) expect(areas.every((address) => address > 0n)).toBe(true);
    const [, tx] = rings;
    expect(tx?.num).toBe(256);
    // What testpmd counts as sent it has put into the ring; vhost takes the last of it before it ends.
    expect(tx?.used).toBe(tx?.heads);
    expect(tx?.heads).toBe(sent);
  });
});

describe('what goes wrong on Linux 6.1', () => {
  let host: Host;
  beforeAll(async () => {
    host = await bootHost({ cpus: 2 });
  });
  afterAll(async () => {
    await host.close();
  });

  test('what bpftrace cannot hold is missing, as many lines as a second bpftrace counts', async () => {
    const load = await startLoad(host, 'net', { packets: 4000, batch: 2, disturb: 'none' });
    const collector = await attachCollector(host, TRACE, ['--buffer', '0.004']);
    const counted = await countCalls(host, [
      'kprobe:vq_meta_prefetch',
      'kprobe:handle_rx',
      'kprobe:handle_tx',
    ]);
    const begun = performance.now();
    await load.go();
    await load.result;
    const [rounds = 0, rx = 0, tx = 0] = await counted();
    const { complete, missing, lost } = await collector.stop();
    const seconds = (performance.now() - begun) / 1000;
    const { events } = await readRecordedTrace(host, TRACE);
    expect(complete).toBe(false);
    expect(missing['rounds']).toBeGreaterThan(0);
    const arrived = (events['round'] ?? 0) + (events['round_end'] ?? 0) + (events['pages'] ?? 0);
    // Looks at pages are of the same class: three lines of each of two rings, five times a second and at set-ups.
    const looks = 3 * 2 * (5 * seconds + 8);
    // A handler that finds no backend returns without a round.
    expect(arrived + (missing['rounds'] ?? 0)).toBeGreaterThanOrEqual(2 * rounds);
    expect(arrived + (missing['rounds'] ?? 0)).toBeLessThanOrEqual(rounds + rx + tx + looks);
    // bpftrace tells of heartbeats that it lost, too.
    const all = (counts: object): number =>
      Object.values(counts).reduce((sum: number, howMany) => sum + Number(howMany), 0);
    expect(all(lost)).toBeGreaterThanOrEqual(all(missing));
  });

  test('at ten random moments the file can be read, with all but the last half second; so it can after SIGKILL', async () => {
    const load = await startLoad(host, 'net', { seconds: 30, 'kvm-vm': true, beside: 20 });
    const collector = await attachCollector(host, TRACE);
    // What the file lacks is to be what the collector has not been given long, and not what it has had no
    // CPU for.
    await host.run('renice 19 $(pidof load) $(pgrep vhost-)');
    await load.go();
    const copies: { readonly moment: number; readonly last: number }[] = [];
    for (let moment = 0; moment < 10; moment++) {
      await host.run(`sleep ${(0.2 + Math.random()).toFixed(2)}`);
      // What a SIGKILL would leave: the kernel keeps what was written.
      const { stdout } = await host.run(
        `cut -d' ' -f1 /proc/uptime; cp '${TRACE}' /tmp/moment.arrows`,
      );
      const { rounds } = await readRecordedTrace(host, '/tmp/moment.arrows');
      copies.push({ moment: Number(stdout), last: Number(rounds.at(-1) ?? 0n) / 1e9 });
    }
    // So that what had happened by the last moment is in the file when it is read next.
    await host.run('sleep 2');
    collector.command.signal('SIGKILL');
    await collector.ended;
    const { rings, events, rounds } = await readRecordedTrace(host, TRACE);
    // Rounds that were over then and not yet in the file; where none had been, it lacked nothing.
    const lags = copies.map(({ moment, last }) => {
      const happened = rounds.findLast((time) => Number(time) / 1e9 <= moment) ?? 0n;
      return Number(happened) / 1e9 - last;
    });
    process.stdout.write(
      `seconds not yet in the file: ${lags.map((s) => s.toFixed(2)).join(' ')}\n`,
    );
    expect(rings).toHaveLength(2);
    expect(events['pages']).toBeGreaterThan(0);
    // Half a second, and what bpftrace itself holds back under emulation.
    expect(Math.max(...lags)).toBeLessThan(1.5);
    // bpftrace goes with its next line, a tenth of a second later; its probes with it.
    await expect
      .poll(
        async () =>
          (await host.run('pidof bpftrace; cat /sys/kernel/tracing/kprobe_events')).stdout,
        { timeout: 60_000, interval: 1000 },
      )
      .toBe('');
    await load.result;
  });

  test('bpftrace killed from outside: nobody says that all is there', async () => {
    const load = await startLoad(host, 'net', { seconds: 3 });
    const collector = await attachCollector(host, TRACE);
    await load.go();
    await load.result;
    await host.run('killall -9 bpftrace');
    const { status, stdout, stderr } = await collector.ended;
    expect({ status, ...(JSON.parse(stdout) as AttachOutcome) }).toMatchObject({
      status: 1,
      ended: 'bpftrace was killed by SIGKILL',
      complete: null,
    });
    expect(stderr).toContain('what it still held is not known');
    expect((await readRecordedTrace(host, TRACE)).rings).toHaveLength(2);
  });
});
