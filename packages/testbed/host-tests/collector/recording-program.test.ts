/**
 * The program that `collector probes --program` prints, run by the host's own bpftrace on a stock kernel
 * while the load runs: what it tells against what the load knows of itself.
 */
import { fileURLToPath } from 'node:url';
import {
  createEventLine,
  EVENT_NAMES,
  KIND,
  readEventLine,
  readRingWord,
  SLOT,
  timeOfLine,
} from '@vhostscope/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bootHost,
  startLoad,
  type Host,
  type LoadOptions,
  type LoadResult,
} from '../../src/index.js';

const COLLECTOR = fileURLToPath(new URL('../../../collector/bin/collector.js', import.meta.url));

/** What was printed of a virtqueue. */
interface Seen {
  place: number;
  owner: number;
  rounds: number;
  heads: number;
  used: number;
  num: number;
  chains: Set<number>;
  /** Address and size by area, as told last. */
  areas: [start: bigint, bytes: bigint][];
}

interface Output {
  readonly virtqueues: Seen[];
  /** Lines by event. */
  readonly events: Record<string, number>;
  /** Greatest counts that heartbeats tell, summed over the CPUs. */
  readonly emitted: Record<'state' | 'rounds' | 'ranges' | 'accesses', number>;
  readonly unreadable: string[];
}

/** What bpftrace and the program print beside events: kernel stacks are the one thing of several lines. */
const NO_EVENT =
  /^(?:Attaching \d+ probes\.\.\.|# vhostscope 1|stack \d+ \d+|stack end| {2,}\S.*|)$/;

/** Reads the output as the collector does, line by line. */
function readOutput(text: string): Output {
  const line = createEventLine();
  const seen = new Map<bigint, Seen>();
  const events: Record<string, number> = {};
  const heartbeats = new Map<number, number[]>();
  const unreadable: string[] = [];
  const word = (slot: number): bigint =>
    (BigInt(line.words[2 * slot + 1] ?? 0) << 32n) | BigInt(line.words[2 * slot] ?? 0);
  for (const printed of text.split('\n').slice(0, -1)) {
    const bytes = Buffer.from(`${printed}\n`, 'latin1');
    if (readEventLine(bytes, 0, bytes.length, line) < 0) {
      if (!NO_EVENT.test(printed)) unreadable.push(printed);
      continue;
    }
    const event = EVENT_NAMES[line.kind] ?? '';
    events[event] = (events[event] ?? 0) + 1;
    if (event === 'heartbeat') {
      const columns = [
        'emittedState',
        'emittedRounds',
        'emittedRanges',
        'emittedAccesses',
      ] as const;
      heartbeats.set(
        line.cpu,
        columns.map((column) => Number(word(SLOT[column]))),
      );
    }
    const vq = word(SLOT.vq);
    const known = seen.get(vq);
    if (event === 'virtqueue') {
      const { rounds = 0, heads = 0, used = 0, num = 0, chains = new Set<number>() } = known ?? {};
      const place = Number(word(SLOT.place));
      const owner = Number(word(SLOT.owner));
      seen.set(vq, { place, owner, rounds, heads, used, num, chains, areas: [] });
    } else if (known !== undefined && event === 'addresses') {
      known.areas[Number(word(SLOT.area))] = [word(SLOT.address), word(SLOT.size)];
    } else if (known !== undefined && event === 'round_end') {
      const ring = (name: 'ringBefore' | 'ringAfter') =>
        readRingWord(line.words[2 * SLOT[name]] ?? 0, line.words[2 * SLOT[name] + 1] ?? 0);
      const before = ring('ringBefore');
      const after = ring('ringAfter');
      known.rounds++;
      known.heads += (after.lastAvailIdx - before.lastAvailIdx) & 0xffff;
      known.used += (after.lastUsedIdx - before.lastUsedIdx) & 0xffff;
      known.num = Number(word(SLOT.num));
      if (word(SLOT.chain) > 0n) known.chains.add(Number(word(SLOT.chain)));
    }
  }
  const sum = (at: number): number =>
    [...heartbeats.values()].reduce((total, counts) => total + (counts[at] ?? 0), 0);
  return {
    virtqueues: [...seen.values()].toSorted((a, b) => a.place - b.place),
    events,
    emitted: { state: sum(0), rounds: sum(1), ranges: sum(2), accesses: sum(3) },
    unreadable,
  };
}

/**
 * Waits until bpftrace has read what every CPU told by now, which is when each has told heartbeats from later: what it
 * still holds it drops when it is interrupted. On a busy machine that takes longer than any time one would guess.
 */
async function untilAllIsRead(host: Host): Promise<void> {
  const { stdout } = await host.run('cut -d " " -f 1 /proc/uptime');
  const now = BigInt(Math.round(Number(stdout) * 1e9));
  for (;;) {
    await host.run('sleep 1');
    const told = lastHeartbeats((await host.readFile('/tmp/lines')).toString('latin1'));
    if (told.length > 0 && told.every((time) => time > now + HEARTBEAT_NS)) return;
  }
}

/** Between two heartbeats of a CPU; the first after the end may have been on its way before. */
const HEARTBEAT_NS = 1_000_000_000n;

/** By CPU, ns. */
function lastHeartbeats(text: string): readonly bigint[] {
  const line = createEventLine();
  const last = new Map<number, bigint>();
  for (const printed of text.split('\n').slice(0, -1)) {
    const bytes = Buffer.from(`${printed}\n`, 'latin1');
    if (readEventLine(bytes, 0, bytes.length, line) >= 0 && line.kind === KIND.heartbeat)
      last.set(line.cpu, timeOfLine(line));
  }
  return [...last.values()];
}

/** Runs bpftrace with the program around a load, and waits until what it holds has been read. */
async function recordLoad(
  host: Host,
  device: 'net' | 'vsock',
  options: LoadOptions,
): Promise<{ output: Output; result: LoadResult }> {
  const load = await startLoad(host, device, options);
  const { status, stderr } = await host.run(
    `node '${COLLECTOR}' probes --program > /tmp/program.bt`,
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  let isAttached: () => void = () => undefined;
  const attached = new Promise<void>((resolve) => (isAttached = resolve));
  const bpftrace = host.start(
    '__BPFTRACE_NOTIFY_PROBES_ATTACHED=1 BPFTRACE_PERF_RB_PAGES=2048 exec bpftrace -B line /tmp/program.bt > /tmp/lines',
    { onStderr: (bytes) => bytes.includes('PROBES_ATTACHED') && isAttached() },
  );
  await Promise.race([attached, bpftrace.ended]);
  await load.go();
  const result = await load.result;
  await untilAllIsRead(host);
  bpftrace.signal('SIGINT');
  await bpftrace.ended;
  return { output: readOutput((await host.readFile('/tmp/lines')).toString('latin1')), result };
}

function expectTruth({ virtqueues, events, emitted }: Output, result: LoadResult): void {
  expect(virtqueues).toHaveLength(result.virtqueues.length);
  for (const [at, { num, desc, avail, used, entries_used }] of result.virtqueues.entries()) {
    const seen = virtqueues[at];
    expect(seen).toMatchObject({ owner: result.pid, num, heads: entries_used, used: entries_used });
    const starts = seen?.areas.map(([start]) => `0x${start.toString(16)}`);
    expect(starts).toEqual([desc, avail, used]);
    expect([...(seen?.chains ?? [])]).toEqual([result.chain]);
  }
  const count = (...names: string[]): number =>
    names.reduce((sum, name) => sum + (events[name] ?? 0), 0);
  expect({
    state: count('virtqueue', 'addresses', 'unmap', 'reset', 'notifier', 'iotlb'),
    rounds: count('round', 'round_end', 'pages'),
    ranges: count(
      'core_range_start',
      'core_range_end',
      'core_range_start_return',
      'core_range_end_return',
      'tlb_flush',
    ),
    accesses: count('access', 'counted'),
  }).toEqual(emitted);
  expect(count('core_range_start')).toBe(count('core_range_end'));
}

describe.each([
  ['6.1', 1],
  ['6.12', 2],
] as const)('the recording program on Linux %s with %i CPUs', (kernel, cpus) => {
  let host: Host;
  beforeAll(async () => {
    host = await bootHost({ kernel, cpus });
  });
  afterAll(async () => {
    await host.close();
  });

  test.each<[string, 'net' | 'vsock', LoadOptions]>([
    ['a quiet load', 'net', { packets: 3000, disturb: 'none' }],
    ['disturbances, long chains, a KVM VM', 'net', { packets: 3000, chain: 3, 'kvm-vm': true }],
  ])(
    '%s: heads, used entries, rings and counts are those of the load',
    async (_, device, options) => {
      const { output, result } = await recordLoad(host, device, options);
      expect(output.unreadable).toEqual([]);
      expectTruth(output, result);
      if (options['kvm-vm'] === true) expect(output.events['core_range_start']).toBeGreaterThan(0);
    },
  );
});
