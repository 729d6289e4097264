/** Whether the recordings of a trace follow one another on one clock: a moment says where one stands only then. */
import { createBatchMemory, lastTimeOf, readBatch, type RecordingIndex } from '@vhostscope/trace';
import type { SourceTrace } from '../source/source.js';

export interface ClockCheck {
  /** Looked up again when there is another recording. */
  areAlike(trace: SourceTrace): boolean;
}

export function createClockCheck(): ClockCheck {
  let checked: SourceTrace | undefined;
  let recordings = 0;
  let areAlike = true;
  return {
    areAlike: (trace) => {
      const { length } = trace.index.recordings;
      if (trace !== checked || length !== recordings) areAlike = followEachOther(trace);
      checked = trace;
      recordings = length;
      return areAlike;
    },
  };
}

function followEachOther(trace: SourceTrace): boolean {
  let last: bigint | undefined;
  const { recordings } = trace.index;
  // Of one that is alone, nothing need be read.
  if (recordings.length < 2) return true;
  for (const recording of recordings) {
    const begin = beginOf(trace, recording);
    if (last !== undefined && begin !== undefined && begin < last) return false;
    for (const places of recording.events.values()) {
      const place = places.lastWithin(Infinity);
      if (place === undefined) continue;
      const time = lastTimeOf(trace.bytes, place, createBatchMemory());
      if (last === undefined || time > last) last = time;
    }
  }
  return true;
}

/** Time of its first word. */
function beginOf({ bytes }: SourceTrace, { begin, events }: RecordingIndex): bigint | undefined {
  const [places] = events.values();
  const place = begin ?? places?.at(0);
  if (place === undefined) return undefined;
  const { time } = readBatch(bytes, place, createBatchMemory());
  return (BigInt(time[1]) << 32n) | BigInt(time[0]);
}
