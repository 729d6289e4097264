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
  /** Kept after a recording for the ids of the next. */
  objects: RecordingObjects | undefined;
  /** Memory that recordings share. */
  readonly builders: (EventBuilder | undefined)[];
  readonly table: EventBuilder;
}

interface RecordingInProgress {
  readonly number: number;
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
    objects: undefined,
    builders: [],
    table: createEventBuilder(0),
  };
}

/** Begins a recording; one that is being written is ended. */
export function beginRecording(writer: TraceWriter, note: string): void {
  endRecording(writer);
  writer.current = {
    number: writer.recordings++,
    byKind: new Float64Array(256),
    lost: new Map(),
    backward: 0,
    first: undefined,
    last: 0n,
    note,
    latest: undefined,
  };
  writer.objects = createRecordingObjects(writer.objects);
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
  if (writer.current === undefined) beginRecording(writer, 'no header line');
  const recording = writer.current!;
  const objects = writer.objects!;
  const virtqueues = objects.virtqueues.size;
  const devices = objects.devices.size;
  if (!resolveObjects(objects, line)) return false;
  const builder =
    writer.builders[line.cpu] ?? (writer.builders[line.cpu] = createEventBuilder(line.cpu));
  appendLine(builder, line, bytes, lineNumber);
  recording.byKind[line.kind]++;
  recording.latest = builder;
  if (objects.virtqueues.size !== virtqueues || objects.devices.size !== devices) {
    for (const vq of placeVirtqueues(objects, virtqueues, devices))
      describeVirtqueue(writer, vq, undefined);
  }
  if (builder.length === BATCH_ROWS) flushEvents(writer, builder);
  return true;
}

/** Notes that events were lost at this place of the stream, and by whom. */
export function writeLoss(
  writer: TraceWriter,
  howMany: bigint,
  by: string,
  lineNumber: number,
): void {
  if (writer.current === undefined) beginRecording(writer, 'no header line');
  const recording = writer.current!;
  recording.lost.set(by, (recording.lost.get(by) ?? 0n) + howMany);
  const builder = recording.latest ?? (writer.builders[0] ??= createEventBuilder(0));
  appendEvent(builder, 'lost', latestTime(recording), lineNumber, { lost: howMany, note: by });
  if (builder.length === BATCH_ROWS) flushEvents(writer, builder);
}

/** Ends the recording, and with it the file. */
export function closeTrace(writer: TraceWriter): void {
  endRecording(writer);
  writer.bytes += writeEndOfStream(writer.fd);
}

/** Ends the recording that is being written, if any; an event that follows begins another. */
export function endRecording(writer: TraceWriter): void {
  const recording = writer.current;
  const objects = writer.objects;
  if (recording === undefined || objects === undefined) return;
  for (const builder of writer.builders) if (builder !== undefined) flushEvents(writer, builder);
  for (const [rank, vq] of virtqueuesByAddress(objects).entries())
    describeVirtqueue(writer, vq, rank);
  flushTable(writer);
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

function describeVirtqueue(writer: TraceWriter, vq: number, rank: number | undefined): void {
  const { table, objects, current } = writer;
  if (objects === undefined || current === undefined) return;
  const dev = deviceOfVirtqueue(objects, vq);
  appendEvent(table, 'virtqueue', latestTime(current), 0, {
    vq,
    ...(dev !== undefined && { dev }),
    ...(rank !== undefined && { rank }),
    ...(writer.keepsPointers && { pointer: addressOfVirtqueue(objects, vq) }),
  });
  if (table.length === BATCH_ROWS) flushTable(writer);
}

function flushEvents(writer: TraceWriter, builder: EventBuilder): void {
  const recording = writer.current;
  if (builder.length === 0 || recording === undefined) return;
  summarise(recording, builder);
  writer.events += builder.length;
  flushTable(writer);
  flush(writer, recording, builder, 'events');
}

function flushTable(writer: TraceWriter): void {
  if (writer.table.length > 0 && writer.current !== undefined)
    flush(writer, writer.current, writer.table, 'table');
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

/** Time bounds of the recording, and how often a CPU's clock went back. */
function summarise(recording: RecordingInProgress, builder: EventBuilder): void {
  const { time, length } = builder;
  let low = time[0];
  let high = time[1];
  for (let word = 2; word < 2 * length; word += 2) {
    if (time[word + 1] < high || (time[word + 1] === high && time[word] < low))
      recording.backward++;
    low = time[word];
    high = time[word + 1];
  }
  const first = timeOf(builder, 0);
  const last = timeOf(builder, length - 1);
  if (recording.first === undefined || first < recording.first) recording.first = first;
  if (last > recording.last) recording.last = last;
}

/** Time of the event written last, for rows that have no time of their own; 0 before the first. */
function latestTime({ latest, last }: RecordingInProgress): bigint {
  return latest === undefined || latest.length === 0 ? last : timeOf(latest, latest.length - 1);
}

function timeOf(builder: EventBuilder, row: number): bigint {
  return (BigInt(builder.time[2 * row + 1]) << 32n) | BigInt(builder.time[2 * row]);
}
