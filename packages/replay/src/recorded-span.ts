/** How long was recorded. */
import {
  createBatchMemory,
  lastTimeOf,
  recordingCounts,
  type BatchPlace,
  type RecordingIndex,
  type TraceBytes,
} from '@vhostscope/trace';
import { countRecording } from './recording-list.js';

/** First and last time, ns. */
export interface TraceExtent {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * From the first event of a recording to its last, or, where nothing happened in it, from its beginning to its end;
 * undefined where it tells neither.
 */
export function recordedSpan(
  bytes: TraceBytes,
  recording: RecordingIndex,
): TraceExtent | undefined {
  const { first, last } = recordingCounts(bytes, recording) ?? countRecording(bytes, recording);
  if (first !== undefined && last !== undefined)
    return { first: BigInt(first), last: BigInt(last) };
  const { begin, end } = recording;
  if (begin === undefined || end === undefined) return undefined;
  const begins = timeOfMark(bytes, begin);
  // Older recorders, and those of which only losses came, do not say when it was.
  return begins === 0n ? undefined : { first: begins, last: timeOfMark(bytes, end) };
}

function timeOfMark(bytes: TraceBytes, mark: BatchPlace): bigint {
  return lastTimeOf(bytes, mark, createBatchMemory());
}
