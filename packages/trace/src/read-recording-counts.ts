/** Reads what the end of a recording says that it holds. */
import { createBatchMemory, readBatch } from './batch-reader.js';
import type { TraceBytes } from './file-access.js';
import { recordingCountsSchema } from './recording-counts-schema.js';
import type { RecordingCounts } from './recording-counts.js';
import type { OpenTrace } from './open-trace.js';
import type { RecordingIndex } from './trace-index.js';

/** The counts of a recording, or undefined when it has no (readable) end. */
export function recordingCounts(
  bytes: TraceBytes,
  { end }: Pick<RecordingIndex, 'end'>,
): RecordingCounts | undefined {
  if (end === undefined) return undefined;
  const { note } = readBatch(bytes, end, createBatchMemory()).details;
  const text = new TextDecoder().decode(note.bytes.subarray(note.offsets[0], note.offsets[1]));
  try {
    return recordingCountsSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What is to be said of live recordings without an event; undefined where there is one, or nobody recorded live. */
export function recordedNothing({ name, fd, index }: OpenTrace): string | undefined {
  const { recordings } = index;
  if (recordings.some(({ events }) => events.size > 0)) return undefined;
  const live = recordings
    .map((recording) => recordingCounts(fd, recording))
    .filter((counts) => counts?.ended !== undefined);
  if (live.length === 0) return undefined;
  return live.every((counts) => counts?.complete === true)
    ? `nothing happened while ${name} was recorded`
    : `${name} was recorded and holds no event, but it is not known whether that is all`;
}
