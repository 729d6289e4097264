/** Where a trace begins and ends, as far as it is there. */
import { extentOf } from '@vhostscope/replay';
import { createBatchMemory, lastTimeOf, readBatch, type BatchPlace } from '@vhostscope/trace';
import type { SourceTrace } from '../source/source.js';

/** Time of the first event, ns of the clock; undefined while there is none. */
export function firstTimeOf(trace: SourceTrace, isFinished: boolean): bigint | undefined {
  const [recording] = trace.index.recordings;
  if (recording === undefined) return undefined;
  if (isFinished) return extentOf({ ...trace, fd: trace.bytes }).first;
  if (recording.begin === undefined) return 0n;
  const { time } = readBatch(trace.bytes, recording.begin, createBatchMemory());
  return (BigInt(time[1]) << 32n) | BigInt(time[0]);
}

/** The last event that there is, ns since the first; a few bytes are read. */
export function lastMomentOf(trace: SourceTrace, first: bigint): number {
  const recording = trace.index.recordings.at(-1);
  let last = first;
  for (const places of recording?.events.values() ?? []) {
    const time = timeAt(trace, places.lastWithin(Infinity));
    if (time !== undefined && time > last) last = time;
  }
  return Number(last - first);
}

/** Up to which moment every CPU has told all, within so many bytes of the trace. */
export function wholeUntil(trace: SourceTrace, first: bigint, bytes: number): number {
  const recording = trace.index.recordings.at(-1);
  let least: bigint | undefined;
  for (const places of recording?.events.values() ?? []) {
    const time = timeAt(trace, places.lastWithin(bytes)) ?? first;
    if (least === undefined || time < least) least = time;
  }
  return least === undefined ? 0 : Math.max(0, Number(least - first));
}

function timeAt({ bytes }: SourceTrace, place: BatchPlace | undefined): bigint | undefined {
  return place === undefined ? undefined : lastTimeOf(bytes, place, createBatchMemory());
}
