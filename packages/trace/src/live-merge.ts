/**
 * Merges the CPUs of a trace that may still grow. An event is let out when no CPU can tell an earlier one any
 * more: a CPU's batches come in time order, so the CPUs of which all has been seen hold back what is later than
 * their last event. Heartbeats keep an idle CPU from holding the others back. When the recording has ended
 * nothing is held back. A CPU that is silent for too long holds back only what is newest: what it may have told and
 * is still on its way. Once nobody tells anything any more it holds back nothing. An earlier event that it then
 * tells comes late, and is counted.
 *
 * It is asked for events as they are wanted, up to a time, so a player can stop at any moment.
 */
import { KIND, type EventBatch } from '@vhostscope/model';
import { createBatchMemory, lastTimeOf, readBatch } from './batch-reader.js';
import {
  createCursor,
  refill,
  removeFirst,
  rise,
  runEnd,
  secondOf,
  sink,
  type Cursor,
  type RunVisitor,
  type StandingCursor,
} from './cpu-cursors.js';
import type { TraceBytes } from './file-access.js';
import type { BatchPlace } from './place-list.js';
import type { RecordingIndex, TraceIndex } from './trace-index.js';

export interface MergeVisitor {
  /** Rows that say something of a recording, before its events, between them and after them. */
  words: RunVisitor;
  /** A run of events. Returns the row up to which it took them, one at least. */
  events(batch: EventBatch, from: number, to: number): number;
  /** Asked after each run: whether that is enough. */
  isDone?(): boolean;
}

export interface MergeLimits {
  /** Events from this time on stay, ns; undefined for no bound. */
  readonly before: bigint | undefined;
  /** About how many events at most. */
  readonly events: number;
  /** ms, of any clock that does not go back: to know which CPUs are silent. */
  readonly now: number;
  /** Nothing more comes. */
  readonly isOver: boolean;
}

/**
 * Why it stopped: `limit` of events; `before`: what is next is not before that time; `waits`: for CPUs, or for
 * anything at all; `stopped`: the visitor has enough; `over`: all is told, and nothing more comes.
 */
export type MergeStop = 'limit' | 'before' | 'waits' | 'stopped' | 'over';

export interface LiveMerge {
  advance(limits: MergeLimits, visit: MergeVisitor): MergeStop;
  /** Events that have arrived and were not let out; how far what was let out is behind the newest of them, ns. */
  waiting(): { readonly events: number; readonly lag: number };
  /** Events that were let out after later ones, as their CPU had been silent for too long. */
  readonly late: number;
  /** File offset of the first batch that was not read yet; Infinity where all of them were. */
  unreadFrom(): number;
}

/** A CPU that says nothing for so long is silent, ms. */
export const SILENCE = 2000;

/**
 * The same where `collector attach` records by bpftrace, ms. Each CPU of it tells heartbeats, so one of which nothing comes
 * is not idle: bpftrace empties the buffer of another CPU before it looks at this one, and what waits there is
 * earlier. Shown without it, a storm on that CPU is over before it is. Only a CPU that was taken offline is waited for
 * in vain.
 */
export const HEARTBEAT_SILENCE = 10_000;

/**
 * What a CPU that is silent may have told, and others have overtaken, ns: the program holds rounds back until the
 * next heartbeat, a tenth of a second; they are read within another, and written within half a second.
 */
export const ON_ITS_WAY = 750_000_000n;

interface CpuCursor extends Cursor {
  /** It is in the heap. */
  isStanding: boolean;
  /** Batches known, and when the last one came to be. */
  known: number;
  heardAt: number;
}

type Standing = CpuCursor & StandingCursor;

/** A time as words, as the columns have it. */
interface Moment {
  low: number;
  high: number;
}

/** Before any event. */
const NO_MOMENT: Moment = { low: 0, high: 0 };

/** @param index may grow between two calls */
export function createLiveMerge(bytes: TraceBytes, index: TraceIndex): LiveMerge {
  const silence = index.header.host?.bpftrace === undefined ? SILENCE : HEARTBEAT_SILENCE;
  /** Place of the recording at hand in the list, and what of it was told. */
  let place = 0;
  let isOpen = false;
  let isEnded = false;
  let tables = 0;
  let cursors = new Map<number, CpuCursor>();
  const heap: Standing[] = [];
  const released: Moment = { low: 0, high: 0 };
  /** Whose event is the latest that was let out. */
  let latest: Standing | undefined;
  let arrived = 0;
  /** When something came last, ms; the time of the newest event, and up to where no CPU that is silent holds back. */
  let arrivedAt = -Infinity;
  let newest = 0n;
  /** The time of the newest that tells more than that its CPU is there. */
  let news = 0n;
  const settled: Moment = { low: 0, high: 0 };
  let told = 0;
  let late = 0;
  const border: Moment = { low: 0, high: 0 };
  const memory = createBatchMemory();
  /** What may be let out: up to this time, inclusive. */
  const bound: Moment = { low: 0, high: 0 };

  function tell(batch: BatchPlace, visit: MergeVisitor): void {
    visit.words(readBatch(bytes, batch, createBatchMemory()), 0, batch.rows);
  }

  /** Whether a mark row (begin, end) lies before the border. */
  function isBefore(mark: BatchPlace): boolean {
    const { time } = readBatch(bytes, mark, createBatchMemory());
    return isUpTo(time[0], time[1], border);
  }

  function listen({ events }: RecordingIndex, now: number): void {
    // When nothing at all came for so long, it was the recorder that was held up, and no CPU was silent.
    const wasHeldUp = now - arrivedAt > silence;
    const arrivedBefore = arrivedAt;
    for (const [cpu, places] of events) {
      let cursor = cursors.get(cpu);
      if (cursor === undefined) {
        cursor = { ...createCursor(places), isStanding: false, known: 0, heardAt: now };
        cursors.set(cpu, cursor);
      }
      if (!cursor.isStanding) stand(cursor);
      if (places.length > cursor.known) {
        cursor.heardAt = now;
        arrivedAt = now;
        noteLast(cursor);
        for (; cursor.known < places.length; cursor.known++)
          arrived += places.at(cursor.known)?.rows ?? 0;
      }
    }
    if (wasHeldUp && arrivedAt !== arrivedBefore)
      for (const cursor of cursors.values()) cursor.heardAt = now;
  }

  /** The cursor's CPU has told more. */
  function noteLast({ batch, isStanding, next, places }: CpuCursor): void {
    const last = places.at(places.length - 1);
    if (last === undefined) return;
    // Who is up to date has read it just now.
    if (isStanding && batch !== undefined && next === places.length) {
      const { length, time, kind } = batch;
      const [low, high] = [time[2 * length - 2], time[2 * length - 1]];
      noteNewest(timeOf({ low, high }), isSignOfLife(last, kind[0]));
    } else {
      const time = lastTimeOf(bytes, last, memory);
      noteNewest(
        time,
        last.rows === 1 && isSignOfLife(last, readBatch(bytes, last, memory).kind[0]),
      );
    }
  }

  /** Nothing but that its CPU is there: with nothing to wait for, nobody is behind. */
  function isSignOfLife({ rows }: BatchPlace, kind: number): boolean {
    return rows === 1 && kind === KIND.heartbeat;
  }

  function noteNewest(time: bigint, isNothing: boolean): void {
    if (!isNothing && time > news) news = time;
    if (time <= newest) return;
    newest = time;
    const upTo = time > ON_ITS_WAY ? time - ON_ITS_WAY : 0n;
    settled.low = Number(upTo & 0xffff_ffffn);
    settled.high = Number(upTo >> 32n);
  }

  function stand(cursor: CpuCursor): void {
    if (!refill(bytes, cursor)) return;
    cursor.isStanding = true;
    rise(heap, cursor);
  }

  /** The first cursor stands on no event any more. */
  function leave(): void {
    heap[0].isStanding = false;
    removeFirst(heap);
  }

  /** What a CPU told more is damaged: what others tell from then on lacks that. */
  function endRecording(): void {
    heap.length = 0;
    isEnded = true;
    arrived = told;
  }

  /** The bound by the border, and by CPUs of which all has been seen. */
  function findBound(now: number, isWhole: boolean): void {
    bound.low = border.low;
    bound.high = border.high;
    if (isWhole) return;
    for (const cursor of cursors.values()) {
      const { batch, isStanding, heardAt } = cursor;
      if (isStanding || batch === undefined) continue;
      const isSilent = now - heardAt > silence;
      // Nobody tells anything: what there is is not held back for ever.
      if (isSilent && now - arrivedAt > silence) continue;
      const low = batch.time[2 * batch.length - 2];
      const high = batch.time[2 * batch.length - 1];
      if (isSilent && isUpTo(low, high, settled)) lower(bound, settled.low, settled.high);
      else lower(bound, low, high);
    }
  }

  /** Lets the next run out, or as much of it as is taken. Returns how many events that were. */
  function visitNext(visit: MergeVisitor, brokenCpu: number | undefined): number {
    const [cursor] = heap;
    const { batch } = cursor;
    const from = cursor.row;
    const second = secondOf(heap);
    // Whichever comes first ends the run.
    const end =
      second !== undefined && standsWithin(second, bound)
        ? runEnd(cursor, second)
        : boundedEnd(batch, from, bound);
    // Behind what others were let out with, and not behind its own clock.
    if (cursor !== latest) late += countLate(batch, from, end, released);
    const taken = visit.events(batch, from, end);
    cursor.row = taken;
    if (taken > from && !isUpTo(batch.time[2 * taken - 2], batch.time[2 * taken - 1], released)) {
      released.low = batch.time[2 * taken - 2];
      released.high = batch.time[2 * taken - 1];
      latest = cursor;
    }
    told += taken - from;
    if (refill(bytes, cursor)) sink(heap, 0);
    else if (batch.cpu === brokenCpu) endRecording();
    else leave();
    return taken - from;
  }

  function openRecording(recording: RecordingIndex, visit: MergeVisitor): boolean {
    if (!isOpen) {
      if (recording.begin !== undefined) {
        if (!isBefore(recording.begin)) return false;
        tell(recording.begin, visit);
      }
      isOpen = true;
    }
    // Which device a virtqueue belongs to holds for the whole recording, whenever it was found out.
    for (; tables < recording.tables.length; tables++) tell(recording.tables[tables], visit);
    return true;
  }

  function closeRecording(): void {
    place++;
    isOpen = false;
    isEnded = false;
    tables = 0;
    cursors = new Map();
    heap.length = 0;
    released.low = 0;
    released.high = 0;
    latest = undefined;
    newest = 0n;
    news = 0n;
    settled.low = 0;
    settled.high = 0;
  }

  /** Undefined when the next recording is to be looked at. */
  function advanceIn(
    recording: RecordingIndex,
    { events, now, isOver }: MergeLimits,
    visit: MergeVisitor,
  ): MergeStop | undefined {
    if (!openRecording(recording, visit)) return 'before';
    if (!isEnded) listen(recording, now);
    const isWhole = isOver || recording.end !== undefined || place + 1 < index.recordings.length;
    findBound(now, isWhole);
    for (let left = events; heap.length > 0;) {
      const { batch, row } = heap[0];
      const low = batch.time[2 * row];
      const high = batch.time[2 * row + 1];
      if (!isUpTo(low, high, border)) return 'before';
      if (!isUpTo(low, high, bound)) return 'waits';
      if (left <= 0) return 'limit';
      const standing = heap.length;
      left -= visitNext(visit, recording.brokenCpu);
      if (heap.length < standing) findBound(now, isWhole);
      if (visit.isDone?.() === true) return 'stopped';
    }
    if (!isWhole) return 'waits';
    if (recording.end !== undefined) {
      if (!isBefore(recording.end)) return 'before';
      tell(recording.end, visit);
    }
    closeRecording();
    return undefined;
  }

  function oldestWaiting(): bigint {
    if (heap.length === 0) return news;
    const { batch, row } = heap[0];
    return timeOf({ low: batch.time[2 * row], high: batch.time[2 * row + 1] });
  }

  return {
    advance: (limits, visit) => {
      const last = limits.before === undefined ? MOST : limits.before - 1n;
      if (last < 0n) return 'before';
      border.low = Number(last & 0xffff_ffffn);
      border.high = Number(last >> 32n);
      for (;;) {
        const recording = index.recordings[place];
        if (recording === undefined) return limits.isOver ? 'over' : 'waits';
        const stop = advanceIn(recording, limits, visit);
        if (stop !== undefined) return stop;
      }
    },
    waiting: () => {
      if (arrived === told) return { events: 0, lag: 0 };
      const lag =
        news -
        (isUpTo(released.low, released.high, NO_MOMENT) ? oldestWaiting() : timeOf(released));
      return { events: arrived - told, lag: Math.max(0, Number(lag)) };
    },
    get late() {
      return late;
    },
    unreadFrom: () => {
      let least = Infinity;
      const look = (batch: BatchPlace | undefined): void => {
        if (batch !== undefined && batch.offset < least) least = batch.offset;
      };
      for (let number = place; number < index.recordings.length; number++) {
        const recording = index.recordings[number];
        const isAtHand = number === place;
        if (!isAtHand || !isOpen) look(recording.begin);
        look(recording.tables[isAtHand ? tables : 0]);
        for (const [cpu, places] of recording.events)
          look(places.at(isAtHand ? (cursors.get(cpu)?.next ?? 0) : 0));
        look(recording.end);
      }
      return least;
    },
  };
}

const MOST = (1n << 63n) - 1n;

function isUpTo(low: number, high: number, last: Moment): boolean {
  return high < last.high || (high === last.high && low <= last.low);
}

function timeOf({ low, high }: Moment): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

function lower(moment: Moment, low: number, high: number): void {
  if (!isUpTo(low, high, moment)) return;
  moment.low = low;
  moment.high = high;
}

function standsWithin({ batch, row }: StandingCursor, bound: Moment): boolean {
  return isUpTo(batch.time[2 * row], batch.time[2 * row + 1], bound);
}

/** The first row after a bound, or the end of the batch; the row `from` is not. HOT. */
function boundedEnd({ time, length }: EventBatch, from: number, bound: Moment): number {
  const { low, high } = bound;
  for (let row = from + 1; row < length; row++) {
    const rowHigh = time[2 * row + 1];
    if (rowHigh > high || (rowHigh === high && time[2 * row] > low)) return row;
  }
  return length;
}

/** Rows at the beginning of a run that lie before what was let out already. */
function countLate({ time }: EventBatch, from: number, end: number, released: Moment): number {
  let row = from;
  while (
    row < end &&
    isUpTo(time[2 * row], time[2 * row + 1], released) &&
    !(time[2 * row] === released.low && time[2 * row + 1] === released.high)
  )
    row++;
  return row - from;
}
