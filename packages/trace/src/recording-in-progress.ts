/** A recording that is being written, and what adds up over its batches. */
import { KIND } from '@vhostscope/model';
import type { EventBuilder } from './event-builder.js';
import { countsByName, type RecordingCounts } from './recording-counts.js';
import type { RecordingObjects } from './recording-objects.js';

/** A recording that is being written. */
export interface RecordingInProgress {
  readonly number: number;
  readonly objects: RecordingObjects;
  readonly byKind: Float64Array;
  readonly lost: Map<string, bigint>;
  /** What is known to be wrong beside losses. */
  readonly flaws: string[];
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

/** A recording in which nothing has happened yet. */
export function createRecording(
  number: number,
  objects: RecordingObjects,
  note: string,
): RecordingInProgress {
  return {
    number,
    objects,
    byKind: new Float64Array(256),
    lost: new Map(),
    flaws: [],
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
  const { byKind, first, last, backward, lost, flaws } = recording;
  return {
    events: countsByName(byKind),
    ...(first !== undefined && { first: String(first), last: String(last) }),
    backward,
    lost: Object.fromEntries([...lost].map(([by, howMany]) => [by, String(howMany)])),
    ...(flaws.length > 0 && { flaws }),
    complete: lost.size > 0 || flaws.length > 0 ? false : null,
  };
}

/** Takes a batch into account that is about to be written. */
export function summariseBatch(recording: RecordingInProgress, builder: EventBuilder): void {
  const { time, length, cpu } = builder;
  countKinds(builder, recording.byKind);
  const backward = countBackward(time, length);
  const last = timeOf(builder, length - 1);
  const before = recording.lastOfCpu.get(cpu);
  recording.backward += backward + (before !== undefined && timeOf(builder, 0) < before ? 1 : 0);
  recording.lastOfCpu.set(cpu, last);
  if (recording.latest === builder) recording.latestFlushed = last;
  extendSpan(recording, builder, backward > 0);
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
    const time = timeOf(builder, row);
    if (recording.first === undefined || time < recording.first) recording.first = time;
    if (time > recording.last) recording.last = time;
  }
}

/** Adds up the kinds of a batch. */
function countKinds(
  { kind, length, others, otherCount }: EventBuilder,
  byKind: Float64Array,
): void {
  byKind[KIND.access] += length - otherCount;
  for (let i = 0; i < otherCount; i++) byKind[kind[others[i]]]++;
}

/** How often the clock of a batch's CPU went back. HOT: once per event written. */
function countBackward(time: Uint32Array, length: number): number {
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
export function latestTime({ latest, latestFlushed }: RecordingInProgress): bigint {
  return latest === undefined || latest.length === 0
    ? latestFlushed
    : timeOf(latest, latest.length - 1);
}

function timeOf(builder: EventBuilder, row: number): bigint {
  return (BigInt(builder.time[2 * row + 1]) << 32n) | BigInt(builder.time[2 * row]);
}
