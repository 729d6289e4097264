/** A load that was recorded by `collector attach`, and what it knows of itself. */
import { expect } from 'vitest';
import { startLoad, type Host, type LoadOptions, type LoadResult } from '../../src/index.js';
import { attachCollector, type AttachOutcome } from './attached-collector.js';
import { readRecordedTrace, type RecordedTrace } from './recorded-rings.js';

/** Where the trace of a load lies on the host. */
export const RECORDED = '/tmp/recorded-load.arrows';

export interface RecordedLoad {
  readonly outcome: AttachOutcome;
  readonly trace: RecordedTrace;
  readonly result: LoadResult;
  /** On stderr. */
  readonly said: string;
}

/** Records a load from before its first packet to after its last. */
export async function recordLoad(
  host: Host,
  device: 'net' | 'vsock',
  options: LoadOptions,
): Promise<RecordedLoad> {
  const load = await startLoad(host, device, options);
  const collector = await attachCollector(host, RECORDED);
  await load.go();
  const result = await load.result;
  const outcome = await collector.stop();
  return {
    outcome,
    trace: await readRecordedTrace(host, RECORDED),
    result,
    said: collector.said(),
  };
}

export const COMPLETE = { ended: 'SIGINT', complete: true, doubts: [], lost: {} };

/** Every virtqueue, with all of its heads, used entries and addresses. */
export function expectTruth({ outcome, trace, result }: RecordedLoad): void {
  expect(outcome).toMatchObject(COMPLETE);
  expect(trace.damage).toEqual([]);
  expect(trace.rings).toHaveLength(result.virtqueues.length);
  for (const [at, { num, desc, avail, used, entries_used }] of result.virtqueues.entries()) {
    const ring = trace.rings[at];
    expect(ring).toMatchObject({ owner: result.pid, num, heads: entries_used, used: entries_used });
    expect(ring?.areas).toEqual([desc, avail, used].map(BigInt));
    expect([...(ring?.chains ?? [])]).toEqual([result.chain]);
  }
  expect(trace.events['core_range_start'] ?? 0).toBe(trace.events['core_range_end'] ?? 0);
}
