/**
 * The events of one source in the order in which a replay of it alone would see them, its times moved by the offset
 * of its clock. Holds one batch a CPU.
 */
import { KIND, type EventBatch } from '@vhostscope/model';
import {
  createCursor,
  heapify,
  refill,
  removeFirst,
  runEnd,
  secondOf,
  sink,
  type Cursor,
  type RunVisitor,
  type StandingCursor,
} from '../cpu-cursors.js';
import type { TraceBytes } from '../file-access.js';
import type { RecordingIndex } from '../trace-index.js';

export interface SourceStream {
  readonly bytes: TraceBytes;
  /** ns that are added to every time. */
  readonly offset: bigint;
  /** Its CPUs, the one with the next event first; empty at the end. */
  readonly heap: StandingCursor[];
}

export function openStream(
  bytes: TraceBytes,
  recording: RecordingIndex,
  offset: bigint,
): SourceStream {
  const heap = [...recording.events.values()]
    .map(createCursor)
    .filter((cursor) => refillMoved(bytes, cursor, offset));
  heapify(heap);
  return { bytes, offset, heap };
}

function refillMoved<One extends Cursor>(
  bytes: TraceBytes,
  cursor: One,
  offset: bigint,
): cursor is One & StandingCursor {
  const { next } = cursor;
  if (!refill(bytes, cursor)) return false;
  // The batch is the cursor's own memory, and was read just now.
  if (cursor.next !== next && offset !== 0n) moveTimes(cursor.batch, offset);
  return true;
}

/** HOT: once an event of a source whose clock is off. A loss before all events has no time, and stays there. */
function moveTimes({ time, kind, length }: EventBatch, offset: bigint): void {
  const low = Number(offset & 0xffff_ffffn);
  const high = Number((offset >> 32n) & 0xffff_ffffn);
  for (let word = 0; word < 2 * length; word += 2) {
    if (kind[word >> 1] === KIND.lost && time[word] === 0 && time[word + 1] === 0) continue;
    const sum = time[word] + low;
    time[word] = sum;
    time[word + 1] += high + (sum > 0xffff_ffff ? 1 : 0);
  }
}

/**
 * Visits the next events of a source that is not at its end, as many as come before the next of another.
 *
 * @param other undefined where there is none
 * @param goesFirst whether events of the same time as the other's come before it
 */
export function visitBefore(
  { bytes, offset, heap }: SourceStream,
  other: SourceStream | undefined,
  goesFirst: boolean,
  visit: RunVisitor,
): void {
  const [cursor] = heap;
  const from = cursor.row;
  const second = secondOf(heap);
  const end = second === undefined ? cursor.batch.length : runEnd(cursor, second);
  const [bound] = other?.heap ?? [];
  cursor.row = bound === undefined ? end : boundedEnd(cursor, end, bound, goesFirst);
  visit(cursor.batch, from, cursor.row);
  if (refillMoved(bytes, cursor, offset)) sink(heap, 0);
  else removeFirst(heap);
}

/** The first row before `end` that comes behind the bound; the row at hand does not. HOT. */
function boundedEnd(
  { batch: { time }, row }: StandingCursor,
  end: number,
  bound: StandingCursor,
  goesFirst: boolean,
): number {
  const low = bound.batch.time[2 * bound.row];
  const high = bound.batch.time[2 * bound.row + 1];
  for (let at = row + 1; at < end; at++) {
    const atHigh = time[2 * at + 1];
    const atLow = time[2 * at];
    if (atHigh > high) return at;
    if (atHigh === high && (atLow > low || (atLow === low && !goesFirst))) return at;
  }
  return end;
}

/** Whether the next event of one source is earlier than that of another. */
export function comesBefore(
  { heap: [one] }: SourceStream,
  { heap: [other] }: SourceStream,
): boolean {
  const { time: a } = one.batch;
  const { time: b } = other.batch;
  const high = a[2 * one.row + 1] - b[2 * other.row + 1];
  return high === 0 ? a[2 * one.row] < b[2 * other.row] : high < 0;
}
