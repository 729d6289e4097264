/** Invalidations on a stock kernel: none that touches a ring is missing, and who each of them is from. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootHost, startLoad, type Host, type LoadResult } from '../../src/index.js';
import { attachCollector, type AttachOutcome } from './attached-collector.js';
import { readRecordedTrace, type RecordedRange, type RecordedTrace } from './recorded-rings.js';
import { ATTACHED_MS } from './patience.js';

const TRACE = '/tmp/invalidations.arrows';

/**
 * What the load does, and the class that it makes: the table in load/disturbances.c. Not what leaves it
 * to the kernel whether a ring is touched, such as compaction and KSM.
 */
const DISTURBANCES = [
  ['mprotect', 'mprotect'],
  ['fork', 'fork'],
  ['soft-dirty', 'soft-dirty'],
  ['pageout', 'madvise'],
  ['collapse', 'khugepaged'],
] as const;

/** Prints every range of every process: filtered by nothing. */
const UNFILTERED = `kprobe:__mmu_notifier_invalidate_range_start {
  $range = (struct mmu_notifier_range *)arg0;
  printf("T %d %llx %llx %d\\n", $range->mm->owner->tgid, $range->start, $range->end, $range->event);
}`;

describe.each(['6.1', '6.12'] as const)('on Linux %s', (kernel) => {
  let host: Host;
  let outcome: AttachOutcome;
  let trace: RecordedTrace;
  let unfiltered: readonly RecordedRange[];
  const owners = new Map<string, number>();
  const loads: LoadResult[] = [];

  beforeAll(async () => {
    host = await bootHost({ kernel });
    const load = await startLoad(host, 'net', { packets: 10, disturb: 'none' });
    const collector = await attachCollector(host, TRACE);
    const stopPrinting = await printRanges(host);
    await load.go();
    owners.set('no notifier', (await load.result).pid);
    for (const [disturb] of DISTURBANCES) {
      const next = await startLoad(host, 'net', {
        packets: 200,
        between: 2,
        disturb,
        'kvm-vm': true,
      });
      await next.go();
      const result = await next.result;
      owners.set(disturb, result.pid);
      loads.push(result);
    }
    unfiltered = await stopPrinting();
    outcome = await collector.stop();
    trace = await readRecordedTrace(host, TRACE);
  });
  afterAll(async () => {
    await host.close();
  });

  test('the recording is complete', () => {
    expect(outcome).toMatchObject({ complete: true, lost: {}, doubts: [] });
    expect(trace.damage).toEqual([]);
  });

  test('it is told whether an address space has notifiers', () => {
    for (const { owner, notified } of trace.rings)
      expect(notified).toBe(owner === owners.get('no notifier') ? 0 : 1);
  });

  test('every range that touches a ring is there, as a second bpftrace without filters has them', () => {
    const touching = (ranges: readonly RecordedRange[]): string[] =>
      ranges
        .filter(({ owner, start, end }) =>
          loads.some(
            ({ pid, virtqueues }) =>
              pid === owner &&
              virtqueues.some(({ num, desc, avail, used }) =>
                [desc, avail, used].some(
                  (area, index) =>
                    start < BigInt(area) + BigInt(bytesOf(num)[index] ?? 0) && end > BigInt(area),
                ),
              ),
          ),
        )
        .map(({ owner, start, end, cause }) => `${owner} ${start} ${end} ${cause}`)
        .toSorted();
    const expected = touching(unfiltered);
    expect(expected.length).toBeGreaterThan(10);
    expect(touching(trace.ranges)).toEqual(expected);
  });

  test.each(DISTURBANCES)('%s makes ranges of the class %s', (disturb, name) => {
    const mine = trace.ranges.filter(({ owner }) => owner === owners.get(disturb));
    const found = mine.map((range) => range.class);
    process.stdout.write(`${kernel} ${disturb}: ${counts(found)}\n`);
    expect(found).toContain(name);
    expect(found).not.toContain(undefined);
    expect(found).not.toContain('unknown');
  });
});

/** Without the event word, which the load does not ask for. */
const bytesOf = (num: number): readonly number[] => [16 * num, 4 + 2 * num, 4 + 8 * num];

function counts(names: readonly (string | undefined)[]): string {
  const found = new Map<string, number>();
  for (const name of names) found.set(name ?? 'no stack', (found.get(name ?? 'no stack') ?? 0) + 1);
  return [...found].map(([name, times]) => `${name} ${times}`).join(', ');
}

/** @returns ends it; the ranges that were printed */
async function printRanges(host: Host): Promise<() => Promise<readonly RecordedRange[]>> {
  let isAttached: () => void = () => undefined;
  const attached = new Promise<void>((resolve) => (isAttached = resolve));
  const bpftrace = host.start(
    `BPFTRACE_PERF_RB_PAGES=1024 __BPFTRACE_NOTIFY_PROBES_ATTACHED=1 exec bpftrace -e '${UNFILTERED}'`,
    {
      onStderr: (bytes) => bytes.includes('PROBES_ATTACHED') && isAttached(),
      timeout: ATTACHED_MS,
    },
  );
  await attached;
  return async () => {
    // What it holds when it is interrupted it drops.
    await host.run('sleep 2');
    bpftrace.signal('SIGINT');
    const { stdout } = await bpftrace.ended;
    return [...stdout.matchAll(/^T (\d+) ([\da-f]+) ([\da-f]+) (\d+)$/gm)].map(
      ([, owner, start, end, cause]) => ({
        owner: Number(owner),
        start: BigInt(`0x${start ?? 0}`),
        end: BigInt(`0x${end ?? 0}`),
        cause: Number(cause),
        class: undefined,
      }),
    );
  };
}
