/**
 * What vhost does for a device with an IOTLB, and for one whose writes are logged (live migration): a recording of
 * three loads against what they know of themselves, and against hits that the kernel counted of the same functions.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bootHost,
  startLoad,
  type Host,
  type LoadOptions,
  type LoadResult,
} from '../../src/index.js';
import { attachCollector } from './attached-collector.js';

const REPLAY = fileURLToPath(new URL('../../../replay/bin/replay.js', import.meta.url));
const TRACE = '/tmp/iotlb-and-log.arrows';
const TRACING = '/sys/kernel/tracing';

/** What `replay run --json` says, as far as it is looked at. */
interface RunJson {
  readonly assumptions: readonly string[];
  readonly totals: { readonly accesses: number; readonly iotlb: number };
  readonly device_iotlb: {
    readonly misses_told: boolean;
    readonly virtqueues: readonly {
      readonly rounds: number;
      readonly skipped: number;
      readonly misses: Readonly<Record<string, number>>;
      readonly meta: Readonly<Record<string, { readonly hits: number; readonly misses: number }>>;
    }[];
    readonly devices: readonly {
      readonly misses: number;
      readonly updates: number;
      readonly invalidations: number;
      readonly answered: number;
    }[];
  };
  readonly dirty_log: {
    readonly virtqueues: readonly {
      readonly writes: number;
      readonly bits: number;
      readonly gup_calls: number;
      readonly gup_failures: number;
    }[];
  };
}

const sum = <One>(all: readonly One[], of: (one: One) => number): number =>
  all.reduce((total, one) => total + of(one), 0);

describe.each([
  ['6.1', 2],
  ['6.12', 2],
] as const)('on Linux %s with %i CPUs', (kernel, cpus) => {
  let host: Host;
  beforeAll(async () => {
    host = await bootHost({ kernel, cpus });
  });
  afterAll(async () => {
    await host.close();
  });

  /** Lets the kernel count the calls of a function, and gives what there were so far. */
  async function countCalls(name: string): Promise<() => Promise<number>> {
    await host.run(
      `mount -t tracefs tracefs ${TRACING} 2>/dev/null; echo 'p:load/${name} ${name}' >> ${TRACING}/kprobe_events && echo 1 > ${TRACING}/events/load/${name}/enable`,
    );
    return async () => {
      const { stdout } = await host.run(`cat ${TRACING}/kprobe_profile`);
      return Number(new RegExp(`^\\s*${name}\\s+(\\d+)`, 'm').exec(stdout)?.[1]);
    };
  }

  async function runLoad(options: LoadOptions): Promise<LoadResult> {
    const load = await startLoad(host, 'net', { packets: 1000, disturb: 'none', ...options });
    await load.go();
    return load.result;
  }

  test('misses, answers, bits and get_user_pages calls are those that there were', async () => {
    const pins = await countCalls('pin_user_pages_fast');
    const translated = await startLoad(host, 'net', {
      seconds: 3,
      disturb: 'none',
      'iotlb-drops': 20,
    });
    const collector = await attachCollector(host, TRACE);
    await translated.go();
    const { iotlb_messages: messages } = await translated.result;
    const before = await pins();
    const logged = await runLoad({ 'dirty-log': true });
    const unwritable = await runLoad({ 'log-unwritable': true });
    const pinned = (await pins()) - before;
    // None of the others polls.
    const polled = await runLoad({ 'busy-poll': 50 });
    expect(await collector.stop()).toMatchObject({ complete: true, lost: {} });

    const { stdout, stderr } = await host.run(`node '${REPLAY}' run --json '${TRACE}'`);
    expect(stderr).toBe('');
    const run = JSON.parse(stdout) as RunJson;
    const { totals, device_iotlb: iotlb, dirty_log: log } = run;
    process.stdout.write(
      `${JSON.stringify({ messages, iotlb, log, pinned, dirty: logged.dirty_pages })}\n`,
    );

    expect(iotlb.misses_told).toBe(true);
    expect(messages.misses).toBeGreaterThan(20);
    // What came between the last packet and the end of the load it has not counted.
    const told = (of: (device: RunJson['device_iotlb']['devices'][number]) => number): number =>
      sum(iotlb.devices, of);
    for (const [seen, known] of [
      [told((one) => one.misses), messages.misses],
      [told((one) => one.updates), messages.updates],
      [told((one) => one.invalidations), messages.invalidations],
    ] as const) {
      expect(seen).toBeGreaterThanOrEqual(known);
      expect(seen).toBeLessThanOrEqual(known + 10);
    }
    expect(sum(iotlb.virtqueues, ({ misses }) => sum(Object.values(misses), (one) => one))).toBe(
      told((one) => one.misses),
    );
    // Most rounds find what the one before kept; after an answer all is looked for anew.
    const kept = iotlb.virtqueues.flatMap(({ meta }) => Object.values(meta));
    expect(sum(kept, ({ hits }) => hits)).toBeGreaterThan(0);
    expect(sum(kept, (one) => one.misses)).toBeGreaterThan(0);
    // A ring whose translations were taken back costs rounds.
    expect(sum(iotlb.virtqueues, (one) => one.skipped)).toBeGreaterThan(0);
    expect(totals.iotlb).toBeGreaterThan(0);

    expect(sum(log.virtqueues, (one) => one.gup_calls)).toBe(pinned);
    expect(logged.dirty_pages).toBeGreaterThan(0);
    expect(sum(log.virtqueues, (one) => one.bits)).toBeGreaterThanOrEqual(logged.dirty_pages);
    // Each packet that vhost wrote was logged, and each used entry.
    expect(sum(log.virtqueues, (one) => one.writes)).toBeGreaterThanOrEqual(2 * logged.packets.rx);
    expect(unwritable.dirty_pages).toBe(0);
    expect(sum(log.virtqueues, (one) => one.gup_failures)).toBeGreaterThan(unwritable.packets.rx);

    expect(polled.packets.tx).toBeGreaterThan(0);
    expect(run.assumptions.filter((one) => one.includes('poll busily'))).toHaveLength(1);
  });
});
