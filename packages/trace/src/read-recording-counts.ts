/** Reads what the end of a recording says that it holds. */
import { createBatchMemory, readBatch } from './batch-reader.js';
import type { TraceBytes } from './file-access.js';
import { recordingCountsSchema } from './recording-counts-schema.js';
import type { RecordingCounts } from './recording-counts.js';
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
