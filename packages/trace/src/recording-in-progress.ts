/** A recording that is being written, and what adds up over its batches. */
import { EVENT_NAMES, KIND, timeAt } from '@vhostscope/model';
import type { EventBuilder } from './event-builder.js';
import { countsByName, type RecordingCounts } from './recording-counts.js';
import type { RecordingObjects } from './recording-objects.js';

/** A recording that is being written. */
export interface RecordingInProgress {
  readonly number: number;
  readonly objects: RecordingObjects;
  readonly byKind: Float64Array;
  /** What of it stands in batches that are not in the file yet, one by one. */
  readonly unwritten: Set<Float64Array>;
  readonly lost: Map<string, bigint>;
  /** What is known to be wrong beside losses. */
  readonly flaws: string[];
  /** What it cannot tell, or tells in another way, without anything being missing. */
  readonly notes: string[];
  /** How a live recording ended; undefined for what was imported. */
  live: LiveEnd | undefined;
  backward: number;
  first: bigint | undefined;
  last: bigint;
  /** The `recording` row waits for the first event, whose time it takes. */
  note: string | undefined;
  /** Builder of the last event, for rows that have no CPU of their own, and its time when it is empty. */
  latest: EventBuilder | undefined;
  latestFlushed: bigint;
  /** Time of every CPU's last event that was written. */
  readonly lastOfCpu: Map<number, bigint>;
}

/** What only who recorded can know of a recording's end. */
export interface LiveEnd {
  /** In words: why the recording ended. */
  readonly ended: string;
  /** Why it is not known whether all events arrived; none when all that were emitted were counted. */
  readonly doubts: readonly string[];
  /** Lines that the kernel counted and that never arrived, by class. */
  readonly missing: Readonly<Record<string, number>>;
  /** When it began and ended, ns: of one in which nothing happened no event tells. */
  readonly span?: { readonly from: bigint; readonly until: bigint };
}

/** A recording in which nothing has happened yet. */
export function createRecording(
  number: number,
  objects: RecordingObjects,
  note: string,
): RecordingInProgress {
  return {
    number,
    objects,
    byKind: new Float64Array(KINDS),
    unwritten: new Set(),
    lost: new Map(),
    flaws: [],
    notes: [],
    live: undefined,
    backward: 0,
    first: undefined,
    last: 0n,
    note,
    latest: undefined,
    latestFlushed: 0n,
    lastOfCpu: new Map(),
  };
}

/** What the recording holds, for its end. */
export function countsOf(recording: RecordingInProgress): RecordingCounts {
  const { byKind, first, last, backward, lost, flaws, notes, live } = recording;
  const isFlawed = lost.size > 0 || flaws.length > 0;
  const isCounted = live !== undefined && live.doubts.length === 0;
  return {
    events: countsByName(byKind),
    ...(first !== undefined && { first: String(first), last: String(last) }),
    backward,
    lost: Object.fromEntries([...lost].map(([by, howMany]) => [by, String(howMany)])),
    ...(flaws.length > 0 && { flaws }),
    ...(notes.length > 0 && { notes }),
    ...(live !== undefined && { ended: live.ended, doubts: live.doubts, missing: live.missing }),
    complete: isFlawed ? false : isCounted ? true : null,
  };
}

/**
 * Takes a batch into account that is about to be written.
 *
 * @returns its events by kind, to be taken from `unwritten` when it is written
 */
export function summariseBatch(
  recording: RecordingInProgress,
  builder: EventBuilder,
): Float64Array {
  const { time, length, cpu } = builder;
  const kinds = countKinds(builder);
  addKinds(recording.byKind, kinds, 1);
  recording.unwritten.add(kinds);
  const backward = countBackward(time, length);
  const last = timeAt(builder, length - 1);
  const before = recording.lastOfCpu.get(cpu);
  recording.backward += backward + (before !== undefined && timeAt(builder, 0) < before ? 1 : 0);
  recording.lastOfCpu.set(cpu, last);
  if (recording.latest === builder) recording.latestFlushed = last;
  extendSpan(recording, builder, backward > 0);
  return kinds;
}

/** Takes back what was not written. Returns how many events it were. */
export function forgetUnwritten({ byKind, unwritten }: RecordingInProgress): number {
  let events = 0;
  for (const kinds of unwritten) {
    addKinds(byKind, kinds, -1);
    events += kinds.reduce((sum, count) => sum + count, 0);
  }
  unwritten.clear();
  return events;
}

/** Takes the first and last time of a batch into account. A loss before all events has none. */
function extendSpan(
  recording: RecordingInProgress,
  builder: EventBuilder,
  unordered: boolean,
): void {
  const { kind, length } = builder;
  let row = 0;
  while (row < length && kind[row] === KIND.lost) row++;
  // In order the first and the last row are enough.
  for (; row < length; row = unordered || row === length - 1 ? row + 1 : length - 1) {
    const time = timeAt(builder, row);
    if (recording.first === undefined || time < recording.first) recording.first = time;
    if (time > recording.last) recording.last = time;
  }
}

const KINDS = EVENT_NAMES.length;

function countKinds({ kind, length, others, otherCount }: EventBuilder): Float64Array {
  const kinds = new Float64Array(KINDS);
  kinds[KIND.access] = length - otherCount;
  for (let i = 0; i < otherCount; i++) kinds[kind[others[i]]]++;
  return kinds;
}

function addKinds(to: Float64Array, kinds: Float64Array, times: 1 | -1): void {
  for (let kind = 0; kind < KINDS; kind++) to[kind] += times * kinds[kind];
}

/** How often the clock of a batch's CPU went back. HOT: once per event written. */
export function countBackward(time: Uint32Array, length: number): number {
  let backward = 0;
  let beforeLow = 0;
  let beforeHigh = 0;
  for (let row = 0; row < length; row++) {
    const low = time[2 * row];
    const high = time[2 * row + 1];
    if (low < beforeLow ? high <= beforeHigh : high < beforeHigh) backward++;
    beforeLow = low;
    beforeHigh = high;
  }
  return backward;
}

/** Time of the event written last, for rows that have no time of their own; 0 before the first. */
export function latestTime({ latest, latestFlushed, last }: RecordingInProgress): bigint {
  if (latest !== undefined && latest.length > 0) return timeAt(latest, latest.length - 1);
  // None of the events may have come from a line: heartbeats and what is told again do not.
  return latestFlushed > last ? latestFlushed : last;
}

/** Time of the latest event of a builder's CPU, written or not; undefined before the first. */
export function latestOfCpu(
  { lastOfCpu }: RecordingInProgress,
  builder: EventBuilder,
): bigint | undefined {
  return builder.length === 0 ? lastOfCpu.get(builder.cpu) : timeAt(builder, builder.length - 1);
}
