/**
 * Merges the CPUs of a finished trace by time: one cursor per CPU, constant memory, no window, no event too
 * late. For one that still grows see live-merge.ts.
 */
import { createBatchMemory, readBatch } from './batch-reader.js';
import {
  createCursor,
  heapify,
  refill,
  removeFirst,
  runEnd,
  secondOf,
  sink,
  type RunVisitor,
  type StandingCursor,
} from './cpu-cursors.js';
import type { TraceBytes } from './file-access.js';
import type { BatchPlace } from './place-list.js';
import type { RecordingIndex, TraceIndex } from './trace-index.js';

export type { RunVisitor };

/** Visits all events of a trace: recordings one after the other, each with its tables first. */
export function visitTrace(bytes: TraceBytes, index: TraceIndex, visit: RunVisitor): void {
  for (const recording of index.recordings) visitRecording(bytes, recording, visit);
}

/**
 * As `visitTrace`, for those who must wait now and then, for a slow output for example.
 *
 * @param pause asked after each run; the visit goes on when what it returned has come about
 */
export async function visitTraceAtPace(
  bytes: TraceBytes,
  index: TraceIndex,
  visit: RunVisitor,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  for (const recording of index.recordings) {
    visitOpening(bytes, recording, visit);
    const heap = openCursors(bytes, recording);
    while (heap.length > 0) {
      visitNext(bytes, heap, visit, recording.brokenCpu);
      const paused = pause();
      if (paused !== undefined) await paused;
    }
    visitWhole(bytes, recording.end, visit);
  }
}

/** Visits the events of one recording, its tables first. */
export function visitRecording(
  bytes: TraceBytes,
  recording: RecordingIndex,
  visit: RunVisitor,
): void {
  visitOpening(bytes, recording, visit);
  const heap = openCursors(bytes, recording);
  while (heap.length > 0) visitNext(bytes, heap, visit, recording.brokenCpu);
  visitWhole(bytes, recording.end, visit);
}

/** What a recording says first. */
function visitOpening(
  bytes: TraceBytes,
  { begin, tables }: RecordingIndex,
  visit: RunVisitor,
): void {
  visitWhole(bytes, begin, visit);
  // Which device a virtqueue belongs to holds for the whole recording, whenever it was found out.
  for (const table of tables) visitWhole(bytes, table, visit);
}

function visitWhole(bytes: TraceBytes, place: BatchPlace | undefined, visit: RunVisitor): void {
  if (place !== undefined) visit(readBatch(bytes, place, createBatchMemory()), 0, place.rows);
}

/** The cursors of a recording's CPUs as a heap, the one with the next event first. */
function openCursors(bytes: TraceBytes, recording: RecordingIndex): StandingCursor[] {
  const heap = [...recording.events.values()]
    .map(createCursor)
    .filter((cursor) => refill(bytes, cursor));
  const { brokenCpu } = recording;
  // Not even its first event is there: it may have been the first of all.
  if (brokenCpu !== undefined && heap.every(({ batch }) => batch.cpu !== brokenCpu)) return [];
  heapify(heap);
  return heap;
}

/**
 * Visits the next run. A cursor that has come to its end leaves the heap; where its CPU told more, which is damaged,
 * all do: what others tell from then on lacks that.
 */
function visitNext(
  bytes: TraceBytes,
  heap: StandingCursor[],
  visit: RunVisitor,
  brokenCpu: number | undefined,
): void {
  const [cursor] = heap;
  const from = cursor.row;
  const { cpu } = cursor.batch;
  const second = secondOf(heap);
  cursor.row = second === undefined ? cursor.batch.length : runEnd(cursor, second);
  visit(cursor.batch, from, cursor.row);
  if (refill(bytes, cursor)) sink(heap, 0);
  else if (cpu === brokenCpu) heap.length = 0;
  else removeFirst(heap);
}
