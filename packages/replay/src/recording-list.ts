/** The recordings of a trace and their virtqueues, from the rows that the writer made at their ends. */
import { DETAIL_BIT, KIND } from '@vhostscope/model';
import {
  createBatchMemory,
  readBatch,
  recordingCountsSchema,
  type OpenTrace,
  type RecordingCounts,
  type RecordingIndex,
} from '@vhostscope/trace';

/** A virtqueue as a trace describes it. */
export interface VirtqueueDescription {
  readonly id: number;
  /** Number of its recording, from 0. */
  readonly recording: number;
  /** Device id; undefined when no device was seen. */
  readonly dev: number | undefined;
  /** Place in address order within its recording. */
  readonly rank: number;
  /** Kernel address; undefined when the trace does not keep it. */
  readonly pointer: bigint | undefined;
}

/** The counts of a recording, or undefined when it has no (readable) end. */
export function recordingCounts(
  fd: number,
  recording: RecordingIndex,
): RecordingCounts | undefined {
  if (recording.end === undefined) return undefined;
  const { details } = readBatch(fd, recording.end, createBatchMemory());
  const { offsets, bytes } = details.note;
  const text = new TextDecoder().decode(bytes.subarray(offsets[0], offsets[1]));
  try {
    return recordingCountsSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** All virtqueues of a trace: by recording, and in address order within one. */
export function listVirtqueues(trace: OpenTrace): VirtqueueDescription[] {
  const found = new Map<number, VirtqueueDescription>();
  const memory = createBatchMemory();
  for (const { number, tables } of trace.index.recordings) {
    for (const table of tables) {
      const { length, kind, vq, detail, details } = readBatch(trace.fd, table, memory);
      for (let row = 0; row < length; row++) {
        if (kind[row] !== KIND.virtqueue) continue;
        const at = detail[row] ?? 0;
        const has = (bit: number): boolean => (((details.present[at] ?? 0) >>> bit) & 1) === 1;
        const id = vq[row] ?? 0;
        found.set(id, {
          id,
          recording: number,
          dev: has(DETAIL_BIT.dev) ? details.dev[at] : undefined,
          rank: has(DETAIL_BIT.rank) ? (details.rank[at] ?? id) : id,
          pointer: has(DETAIL_BIT.pointer)
            ? (BigInt(details.pointer[2 * at + 1] ?? 0) << 32n) |
              BigInt(details.pointer[2 * at] ?? 0)
            : undefined,
        });
      }
    }
  }
  return [...found.values()].toSorted(
    (a, b) => a.recording - b.recording || a.rank - b.rank || a.id - b.id,
  );
}
