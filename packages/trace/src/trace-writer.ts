/**
 * Writes a trace file: events go into one batch per CPU, a full batch goes to the file at once, and
 * nothing waits or sorts. Kernel addresses become ids here.
 */
import type { EventLine } from '@vhostscope/model';
import { traceSchema } from './arrow-layout.js';
import { encodeBatchMetadata, type BatchRole } from './batch-metadata.js';
import { writeBatch, writeEndOfStream, writeSchema } from './batch-writer.js';
import {
  appendEvent,
  appendLine,
  BATCH_ROWS,
  clearBuilder,
  createEventBuilder,
  type EventBuilder,
} from './event-builder.js';
import { countsByName, type RecordingCounts } from './recording-counts.js';
import {
  addressOfVirtqueue,
  createRecordingObjects,
  deviceOfVirtqueue,
  hasUnplaced,
  placeVirtqueues,
  resolveObjects,
  virtqueuesByAddress,
  type RecordingObjects,
} from './recording-objects.js';
import { headerMetadata, type TraceHeader } from './trace-header.js';

export interface TraceWriter {
  readonly fd: number;
  readonly keepsPointers: boolean;
  /** Bytes given to the file so far. */
  bytes: number;
  /** Events of all recordings. */
  events: number;
  /** Recordings begun. */
  recordings: number;
  /** The recording that is being written; undefined before the first and after the last. */
  current: RecordingInProgress | undefined;
  /** Objects of the latest recording: the ids of the next go on from theirs. */
  lastObjects: RecordingObjects | undefined;
  /** Memory that recordings share. */
  readonly builders: (EventBuilder | undefined)[];
  readonly table: EventBuilder;
}

/** A recording that is being written. */
export interface RecordingInProgress {
  readonly number: number;
  readonly objects: RecordingObjects;
  readonly byKind: Float64Array;
  readonly lost: Map<string, bigint>;
  backward: number;
  first: bigint | undefined;
  last: bigint;
  /** The `recording` row waits for the first event, whose time it takes. */
  note: string | undefined;
  /** Builder of the last event, for rows that have no CPU of their own. */
  latest: EventBuilder | undefined;
}

/** Begins a trace in an open file. Throws what the file system throws. */
export function createTraceWriter(fd: number, header: TraceHeader): TraceWriter {
  return {
    fd,
    keepsPointers: header.keepsPointers,
    bytes: writeSchema(fd, traceSchema(headerMetadata(header))),
    events: 0,
    recordings: 0,
    current: undefined,
    lastObjects: undefined,
    builders: [],
    table: createEventBuilder(0),
  };
}

/** Begins a recording; one that is being written is ended. */
export function beginRecording(writer: TraceWriter, note: string): RecordingInProgress {
  endRecording(writer);
  writer.lastObjects = createRecordingObjects(writer.lastObjects);
  writer.current = {
    number: writer.recordings++,
    objects: writer.lastObjects,
    byKind: new Float64Array(256),
    lost: new Map(),
    backward: 0,
    first: undefined,
    last: 0n,
    note,
    latest: undefined,
  };
  return writer.current;
}

function addBuilder(writer: TraceWriter, cpu: number): EventBuilder {
  const builder = createEventBuilder(cpu);
  writer.builders[cpu] = builder;
  return builder;
}

/**
 * Appends an event whose `vq` and `dev` are kernel addresses. HOT.
 *
 * @param bytes what the line was read from
 * @param lineNumber number of the input line, from 1
 * @returns false, with nothing written, when it names more objects than a trace can have
 */
export function writeEvent(
  writer: TraceWriter,
  line: EventLine,
  bytes: Uint8Array,
  lineNumber: number,
): boolean {
  const recording = writer.current ?? beginRecording(writer, 'no header line');
  const { objects } = recording;
  if (!resolveObjects(objects, line)) return false;
  const builder = writer.builders[line.cpu] ?? addBuilder(writer, line.cpu);
  appendLine(builder, line, bytes, lineNumber);
  recording.latest = builder;
  if (hasUnplaced(objects)) {
    for (const vq of placeVirtqueues(objects)) describeVirtqueue(writer, recording, vq, undefined);
  }
  if (builder.length === BATCH_ROWS) flushEvents(writer, recording, builder);
  return true;
}

/** Notes that events were lost at this place of the stream, and by whom. */
export function writeLoss(
  writer: TraceWriter,
  howMany: bigint,
  by: string,
  lineNumber: number,
): void {
  const recording = writer.current ?? beginRecording(writer, 'no header line');
  recording.lost.set(by, (recording.lost.get(by) ?? 0n) + howMany);
  const builder = recording.latest ?? writer.builders[0] ?? addBuilder(writer, 0);
  appendEvent(builder, 'lost', latestTime(recording), lineNumber, { lost: howMany, note: by });
  if (builder.length === BATCH_ROWS) flushEvents(writer, recording, builder);
}

/** Ends the recording, and with it the file. */
export function closeTrace(writer: TraceWriter): void {
  endRecording(writer);
  writer.bytes += writeEndOfStream(writer.fd);
}

/** Ends the recording that is being written, if any; an event that follows begins another. */
export function endRecording(writer: TraceWriter): void {
  const recording = writer.current;
  if (recording === undefined) return;
  for (const builder of writer.builders) {
    if (builder !== undefined) flushEvents(writer, recording, builder);
  }
  for (const [rank, vq] of virtqueuesByAddress(recording.objects).entries()) {
    describeVirtqueue(writer, recording, vq, rank);
  }
  flushTable(writer, recording);
  beginFile(writer, recording);
  const counts: RecordingCounts = {
    events: countsByName(recording.byKind),
    ...(recording.first !== undefined && {
      first: String(recording.first),
      last: String(recording.last),
    }),
    backward: recording.backward,
    lost: Object.fromEntries([...recording.lost].map(([by, howMany]) => [by, String(howMany)])),
    complete: recording.lost.size > 0 ? false : null,
  };
  writeMark(writer, recording, 'end', recording.last, JSON.stringify(counts));
  writer.current = undefined;
}

function describeVirtqueue(
  writer: TraceWriter,
  recording: RecordingInProgress,
  vq: number,
  rank: number | undefined,
): void {
  const { table } = writer;
  const { objects } = recording;
  const dev = deviceOfVirtqueue(objects, vq);
  appendEvent(table, 'virtqueue', latestTime(recording), 0, {
    vq,
    ...(dev !== undefined && { dev }),
    ...(rank !== undefined && { rank }),
    ...(writer.keepsPointers && { pointer: addressOfVirtqueue(objects, vq) }),
  });
  if (table.length === BATCH_ROWS) flushTable(writer, recording);
}

function flushEvents(
  writer: TraceWriter,
  recording: RecordingInProgress,
  builder: EventBuilder,
): void {
  if (builder.length === 0) return;
  const { time, kind, length } = builder;
  countKinds(kind, length, recording.byKind);
  recording.backward += countBackward(time, length);
  const first = timeOf(builder, 0);
  const last = timeOf(builder, length - 1);
  if (recording.first === undefined || first < recording.first) recording.first = first;
  if (last > recording.last) recording.last = last;
  writer.events += length;
  flushTable(writer, recording);
  flush(writer, recording, builder, 'events');
}

function flushTable(writer: TraceWriter, recording: RecordingInProgress): void {
  if (writer.table.length > 0) flush(writer, recording, writer.table, 'table');
}

function flush(
  writer: TraceWriter,
  recording: RecordingInProgress,
  builder: EventBuilder,
  role: BatchRole,
): void {
  beginFile(writer, recording);
  const metadata = encodeBatchMetadata({ role, recording: recording.number, cpu: builder.cpu });
  writer.bytes += writeBatch(writer.fd, builder, metadata);
  clearBuilder(builder);
}

/** Writes the `recording` row before anything else of the recording. */
function beginFile(writer: TraceWriter, recording: RecordingInProgress): void {
  const { note } = recording;
  if (note === undefined) return;
  recording.note = undefined;
  writeMark(writer, recording, 'begin', recording.first ?? 0n, note);
}

function writeMark(
  writer: TraceWriter,
  recording: RecordingInProgress,
  role: 'begin' | 'end',
  time: bigint,
  note: string,
): void {
  const mark = createEventBuilder(0);
  appendEvent(mark, role === 'begin' ? 'recording' : 'recording_end', time, 0, { note });
  flush(writer, recording, mark, role);
}

/** Adds up the kinds of a batch. HOT: once per event written. */
function countKinds(kind: Uint8Array, length: number, byKind: Float64Array): void {
  for (let row = 0; row < length; row++) byKind[kind[row]]++;
}

/** How often the clock of a batch's CPU went back. HOT: once per event written. */
function countBackward(time: Uint32Array, length: number): number {
  let backward = 0;
  for (let word = 2; word < 2 * length; word += 2) {
    const high = time[word + 1] - time[word - 1];
    if (high < 0 || (high === 0 && time[word] < time[word - 2])) backward++;
  }
  return backward;
}

/** Time of the event written last, for rows that have no time of their own; 0 before the first. */
function latestTime({ latest, last }: RecordingInProgress): bigint {
  return latest === undefined || latest.length === 0 ? last : timeOf(latest, latest.length - 1);
}

function timeOf(builder: EventBuilder, row: number): bigint {
  return (BigInt(builder.time[2 * row + 1]) << 32n) | BigInt(builder.time[2 * row]);
}
