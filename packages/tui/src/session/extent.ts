/** Where a trace begins and ends, as far as it is there. */
import { extentOf } from '@vhostscope/replay';
import {
  createBatchMemory,
  lastTimeOf,
  readBatch,
  type BatchPlace,
  type RecordingIndex,
} from '@vhostscope/trace';
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

/**
 * Finds the last moment at which there is an event, ns since the first. A few bytes are read, of a recording that
 * another one follows but once: its clock may be ahead of that of those behind it.
 */
export function createLastMoment(trace: SourceTrace, first: bigint): () => number {
  let followed = 0;
  let lastBefore = first;
  /** What was found, in so many bytes. */
  let bytes = -1;
  let last = 0;
  return () => {
    const { recordings, goodBytes } = trace.index;
    if (goodBytes === bytes) return last;
    for (; followed < recordings.length - 1; followed++)
      lastBefore = lastIn(trace, recordings[followed], lastBefore);
    last = Number(lastIn(trace, recordings.at(-1), lastBefore) - first);
    bytes = goodBytes;
    return last;
  };
}

function lastIn(trace: SourceTrace, recording: RecordingIndex | undefined, before: bigint): bigint {
  let last = before;
  for (const places of recording?.events.values() ?? []) {
    const time = timeAt(trace, places.lastWithin(Infinity));
    if (time !== undefined && time > last) last = time;
  }
  return last;
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
