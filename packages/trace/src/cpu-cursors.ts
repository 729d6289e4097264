/**
 * The merge itself: a cursor for every CPU of a recording, in a heap with the one whose next event is the
 * earliest on top. Within a CPU the order of arrival is kept whatever its clock says; ties between CPUs go by
 * the number of the input line.
 */
import type { EventBatch } from '@vhostscope/model';
import { createBatchMemory, readBatch, type BatchMemory } from './batch-reader.js';
import type { TraceBytes } from './file-access.js';
import type { PlaceList } from './place-list.js';

/** Called with runs of events, `from` to `to` (exclusive), that follow one another in time. */
export type RunVisitor = (batch: EventBatch, from: number, to: number) => void;

export interface Cursor {
  readonly places: PlaceList;
  /** Index of the next batch to read. */
  next: number;
  readonly memory: BatchMemory;
  /** Undefined before the first. */
  batch: EventBatch | undefined;
  row: number;
}

/** A cursor that stands on an event. */
export interface StandingCursor extends Cursor {
  batch: EventBatch;
}

export function createCursor(places: PlaceList): Cursor {
  return { places, next: 0, memory: createBatchMemory(), batch: undefined, row: 0 };
}

/** Makes a heap of cursors that stand on events. */
export function heapify(heap: StandingCursor[]): void {
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at);
}

/** The cursor that comes after the first: one of its two children in the heap. */
export function secondOf<One extends StandingCursor>(heap: readonly One[]): One | undefined {
  if (heap.length < 3) return heap[1];
  return isBefore(heap[2], heap[1]) ? heap[2] : heap[1];
}

/** Restores the heap (a cursor never stands behind a later one at 2 * at + 1 and + 2) below a place. */
export function sink(heap: StandingCursor[], from: number): void {
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

/** Adds a cursor to the heap. */
export function rise<One extends StandingCursor>(heap: One[], cursor: One): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(cursor, heap[parent])) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = cursor;
}

/** Takes the first cursor away, which stands on no event any more. */
export function removeFirst(heap: StandingCursor[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  sink(heap, 0);
}

/** Reads the cursor's next batch when this one is used up. Returns false when there is none (yet). */
export function refill<One extends Cursor>(
  from: TraceBytes,
  cursor: One,
): cursor is One & StandingCursor {
  while (cursor.batch === undefined || cursor.row >= cursor.batch.length) {
    const place = cursor.places.at(cursor.next);
    if (place === undefined) return false;
    cursor.next++;
    cursor.batch = readBatch(from, place, cursor.memory);
    cursor.row = 0;
  }
  return true;
}

/** End of the run of rows of `cursor` that come before the next row of `other`. HOT. */
export function runEnd(cursor: StandingCursor, other: StandingCursor): number {
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

function isBefore(a: StandingCursor, b: StandingCursor): boolean {
  const wordA = 2 * a.row;
  const wordB = 2 * b.row;
  const high = a.batch.time[wordA + 1] - b.batch.time[wordB + 1];
  if (high !== 0) return high < 0;
  const low = a.batch.time[wordA] - b.batch.time[wordB];
  if (low !== 0) return low < 0;
  return a.batch.line[a.row] < b.batch.line[b.row];
}
