/** The recordings of a trace and their virtqueues, from the rows that the writer made at their ends. */
import { hasDetail, KIND, timeAt, wordsAt, type EventBatch } from '@vhostscope/model';
import {
  countsByName,
  createBatchMemory,
  readBatch,
  visitRecording,
  type OpenTrace,
  type RecordingCounts,
  type RecordingIndex,
  type TraceBytes,
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
  /** Place in its device, from 0; undefined where the recording does not tell. */
  readonly place: number | undefined;
  /** Whether its address space had notifiers; undefined when nobody looked. */
  readonly notified: boolean | undefined;
  /** Kernel address; undefined when the trace does not keep it. */
  readonly pointer: bigint | undefined;
}

/** What a recording without an end holds, counted event by event. */
export function countRecording(
  bytes: TraceBytes,
  recording: RecordingIndex,
): Pick<RecordingCounts, 'events' | 'first' | 'last'> {
  const byKind = new Float64Array(256);
  let first: bigint | undefined;
  let last = 0n;
  visitRecording(bytes, recording, (batch, from, to) => {
    for (let row = from; row < to; row++) {
      byKind[batch.kind[row] ?? 0]++;
    }
    first ??= timeAt(batch, from);
    last = timeAt(batch, to - 1);
  });
  const events = countsByName(byKind);
  for (const mark of ['recording', 'virtqueue', 'recording_end']) delete events[mark];
  return { events, ...(first !== undefined && { first: String(first), last: String(last) }) };
}

/** All virtqueues of a trace: by recording, and in address order within one. */
export function listVirtqueues(trace: OpenTrace): VirtqueueDescription[] {
  const found = new Map<number, VirtqueueDescription>();
  const memory = createBatchMemory();
  for (const { number, tables } of trace.index.recordings) {
    for (const table of tables) {
      const batch = readBatch(trace.fd, table, memory);
      for (let row = 0; row < batch.length; row++) {
        if (batch.kind[row] !== KIND.virtqueue) continue;
        const described = describedVirtqueue(batch, row, number);
        found.set(described.id, described);
      }
    }
  }
  return inAddressOrder(found.values());
}

/** By recording, and in address order within one. */
export function inAddressOrder(virtqueues: Iterable<VirtqueueDescription>): VirtqueueDescription[] {
  return [...virtqueues].toSorted(
    (a, b) => a.recording - b.recording || a.rank - b.rank || a.id - b.id,
  );
}

/** What a `virtqueue` row tells. */
export function describedVirtqueue(
  { vq, detail, details }: EventBatch,
  row: number,
  recording: number,
): VirtqueueDescription {
  const at = detail[row] ?? 0;
  const id = vq[row] ?? 0;
  return {
    id,
    recording,
    dev: hasDetail(details, at, 'dev') ? details.dev[at] : undefined,
    rank: hasDetail(details, at, 'rank') ? (details.rank[at] ?? id) : id,
    place: hasDetail(details, at, 'place') ? details.place[at] : undefined,
    notified: hasDetail(details, at, 'notified') ? details.notified[at] === 1 : undefined,
    pointer: hasDetail(details, at, 'pointer') ? wordsAt(details.pointer, at) : undefined,
  };
}
