import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bootHost,
  DPDK_PACKAGES,
  kernelTroubles,
  startDpdk,
  startLoad,
  type Host,
  type LoadOptions,
  type LoadResult,
} from '../src/index.js';

async function runLoad(
  host: Host,
  device: 'net' | 'vsock',
  options: LoadOptions,
): Promise<LoadResult> {
  const load = await startLoad(host, device, options);
  await load.go();
  return load.result;
}

/** All that was sent came back, and rx has its other buffers still. */
function expectWhole({ packets, virtqueues }: LoadResult): void {
  const [rx, tx] = virtqueues;
  expect(tx).toMatchObject({ heads_available: packets.tx, entries_used: packets.tx, errors: 0 });
  expect(rx).toMatchObject({ entries_used: packets.rx, errors: 0 });
  expect(rx?.heads_available).toBeGreaterThanOrEqual(packets.rx);
  expect(packets.tx).toBeGreaterThan(0);
}

function attempts(result: LoadResult): Record<string, number> {
  return Object.fromEntries(
    Object.entries(result.disturbances).map(([kind, { done, failed }]) => [kind, done + failed]),
  );
}

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

  test.each<[string, 'net' | 'vsock', LoadOptions]>([
    ['without a disturbance', 'net', { disturb: 'none' }],
    ['all kinds of disturbances between rounds', 'net', { between: 4, num: 1024, chain: 3 }],
    ['all kinds beside them', 'net', { beside: 50, threads: 2, 'event-idx': true, huge: true }],
    ['the smallest ring', 'net', { num: 2, between: 50 }],
    ['dirty log', 'net', { 'dirty-log': true }],
    ['device IOTLB', 'net', { iotlb: true, beside: 20 }],
    ['vsock, with all kinds beside', 'vsock', { beside: 20, 'event-idx': true }],
  ])('%s: nothing is lost', async (_, device, options) => {
    const result = await runLoad(host, device, { seconds: 2, ...options });
    expectWhole(result);
    expect(kernelTroubles(host.console())).toEqual([]);
  });

  test('a seed repeats packets, rounds and disturbances', async () => {
    const options = { packets: 3000, seed: 42, between: 2 };
    const first = await runLoad(host, 'net', options);
    const second = await runLoad(host, 'net', options);
    expect(second.rounds).toBe(first.rounds);
    expect(attempts(second)).toEqual(attempts(first));
    expect(attempts(await runLoad(host, 'net', { ...options, seed: 43 }))).not.toEqual(
      attempts(first),
    );
  });

  test('with a KVM VM the notifier sees ranges over the rings, without one it sees none', async () => {
    const ranges = async (options: LoadOptions): Promise<number> => {
      const load = await startLoad(host, 'net', {
        packets: 2000,
        between: 2,
        disturb: 'mprotect,edge',
        ...options,
      });
      const trace = host.start(
        `__BPFTRACE_NOTIFY_PROBES_ATTACHED=1 exec bpftrace -e 'kprobe:__mmu_notifier_invalidate_range_start /comm == "seen"/ { @ranges++; }'`,
        { onStderr: (bytes) => bytes.includes('PROBES_ATTACHED') && void load.go() },
      );
      await load.result;
      trace.signal('SIGINT');
      const { stdout } = await trace.ended;
      return Number(/@ranges: (\d+)/.exec(stdout)?.[1] ?? 0);
    };
    expect(await ranges({ name: 'seen' })).toBe(0);
    expect(await ranges({ name: 'seen', 'kvm-vm': true })).toBeGreaterThan(20);
  });

  test('wrong options are the program’s to refuse', async () => {
    await expect(startLoad(host, 'net', { num: 3 })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--num takes a power of two, not 3'),
    });
  });

  test.each(['txonly', 'rxonly'] as const)('testpmd %s moves packets', async (mode) => {
    const load = await startDpdk(host, { mode, seconds: 2, kvmVm: mode === 'txonly' });
    await load.go();
    const { sent, received } = await load.result;
    expect(mode === 'txonly' ? sent : received).toBeGreaterThan(1000);
  });
});
