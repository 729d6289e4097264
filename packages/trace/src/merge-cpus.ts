/**
 * Merges the CPUs of a recording by time: one cursor per CPU, constant memory, no window, no event too
 * late. Within a CPU the order of arrival is kept whatever its clock says; ties between CPUs go by the
 * number of the input line.
 */
import type { EventBatch } from '@vhostscope/model';
import { createBatchMemory, readBatch, type BatchMemory } from './batch-reader.js';
import type { BatchPlace, RecordingIndex, TraceIndex } from './trace-index.js';

/** Called with runs of events, `from` to `to` (exclusive), that follow one another in time. */
export type RunVisitor = (batch: EventBatch, from: number, to: number) => void;

/** Visits all events of a trace: recordings one after the other, each with its tables first. */
export function visitTrace(fd: number, index: TraceIndex, visit: RunVisitor): void {
  for (const recording of index.recordings) visitRecording(fd, recording, visit);
}

/**
 * As `visitTrace`, for those who must wait now and then, for a slow output for example.
 *
 * @param pause asked after each run; the visit goes on when what it returned has come about
 */
export async function visitTraceAtPace(
  fd: number,
  index: TraceIndex,
  visit: RunVisitor,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  for (const recording of index.recordings) {
    visitOpening(fd, recording, visit);
    const heap = openCursors(fd, recording);
    while (heap.length > 0) {
      visitNext(fd, heap, visit);
      const paused = pause();
      if (paused !== undefined) await paused;
    }
    visitWhole(fd, recording.end, visit);
  }
}

/** Visits the events of one recording, its tables first. */
export function visitRecording(fd: number, recording: RecordingIndex, visit: RunVisitor): void {
  visitOpening(fd, recording, visit);
  const heap = openCursors(fd, recording);
  while (heap.length > 0) visitNext(fd, heap, visit);
  visitWhole(fd, recording.end, visit);
}

/** What a recording says first. */
function visitOpening(fd: number, { begin, tables }: RecordingIndex, visit: RunVisitor): void {
  visitWhole(fd, begin, visit);
  // Which device a virtqueue belongs to holds for the whole recording, whenever it was found out.
  for (const table of tables) visitWhole(fd, table, visit);
}

function visitWhole(fd: number, place: BatchPlace | undefined, visit: RunVisitor): void {
  if (place !== undefined) visit(readBatch(fd, place, createBatchMemory()), 0, place.rows);
}

interface Cursor {
  readonly places: readonly BatchPlace[];
  /** Index of the next batch to read. */
  next: number;
  readonly memory: BatchMemory;
  batch: EventBatch;
  row: number;
}

/** The cursors of a recording's CPUs as a heap, the one with the next event first. */
function openCursors(fd: number, recording: RecordingIndex): Cursor[] {
  const cursors: Cursor[] = [];
  for (const places of recording.events.values()) {
    const memory = createBatchMemory();
    const first = places[0];
    if (first !== undefined)
      cursors.push({ places, next: 1, memory, batch: readBatch(fd, first, memory), row: 0 });
  }
  const heap = cursors.filter((cursor) => refill(fd, cursor));
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at);
  return heap;
}

/** Visits the next run. A cursor that has come to its end leaves the heap. */
function visitNext(fd: number, heap: Cursor[], visit: RunVisitor): void {
  const [cursor] = heap;
  const from = cursor.row;
  const second = secondOf(heap);
  cursor.row = second === undefined ? cursor.batch.length : runEnd(cursor, second);
  visit(cursor.batch, from, cursor.row);
  if (!refill(fd, cursor)) {
    const last = heap.pop();
    if (last === undefined || last === cursor) return;
    heap[0] = last;
  }
  sink(heap, 0);
}

/** The cursor that comes after the first: one of its two children in the heap. */
function secondOf(heap: readonly Cursor[]): Cursor | undefined {
  if (heap.length < 3) return heap[1];
  return isBefore(heap[2], heap[1]) ? heap[2] : heap[1];
}

/** Restores the heap (a cursor never stands behind a later one at 2 * at + 1 and + 2) below a place. */
function sink(heap: Cursor[], from: number): void {
  const cursor = heap[from];
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
    if (!isBefore(heap[child], cursor)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = cursor;
}

/** Reads the cursor's next batch when this one is used up. Returns false when there is none. */
function refill(fd: number, cursor: Cursor): boolean {
  while (cursor.row >= cursor.batch.length) {
    const place = cursor.places[cursor.next++];
    if (place === undefined) return false;
    cursor.batch = readBatch(fd, place, cursor.memory);
    cursor.row = 0;
  }
  return true;
}

/** End of the run of rows of `cursor` that come before the next row of `other`. HOT. */
function runEnd(cursor: Cursor, other: Cursor): number {
  const { time, line, length } = cursor.batch;
  const low = other.batch.time[2 * other.row];
  const high = other.batch.time[2 * other.row + 1];
  const tie = other.batch.line[other.row];
  let row = cursor.row + 1;
  while (row < length) {
    const rowHigh = time[2 * row + 1];
    const rowLow = time[2 * row];
    if (rowHigh > high) break;
    if (rowHigh === high && (rowLow > low || (rowLow === low && line[row] > tie))) break;
    row++;
  }
  return row;
}

function isBefore(a: Cursor, b: Cursor): boolean {
  const wordA = 2 * a.row;
  const wordB = 2 * b.row;
  const high = a.batch.time[wordA + 1] - b.batch.time[wordB + 1];
  if (high !== 0) return high < 0;
  const low = a.batch.time[wordA] - b.batch.time[wordB];
  if (low !== 0) return low < 0;
  return a.batch.line[a.row] < b.batch.line[b.row];
}
