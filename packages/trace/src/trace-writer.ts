/**
 * Writes a trace file: events go into one batch per CPU, a full batch goes to the file at once, and
 * nothing waits or sorts. Kernel addresses become ids here.
 */
import {
  createAccessLineMemory,
  forgetAddresses,
  KIND,
  readAccessRow,
  rememberAccessLine,
  SLOT,
  type AccessLineMemory,
  type EventLine,
} from '@vhostscope/model';
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
import {
  countsOf,
  createRecording,
  latestTime,
  summariseBatch,
  type RecordingInProgress,
} from './recording-in-progress.js';
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
  /** CPUs seen, and how many rows a batch of one of them gets. */
  cpus: number;
  batchRows: number;
  /** Access lines that look like the latest are read by a path of their own. */
  readonly accessLines: AccessLineMemory;
}

/** Rows of all CPUs together that wait for their batch to be full; readers need memory for as many. */
const MAX_WAITING_ROWS = 8 * BATCH_ROWS;
const MIN_BATCH_ROWS = 512;

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
    cpus: 0,
    batchRows: BATCH_ROWS,
    accessLines: createAccessLineMemory(),
  };
}

/** Begins a recording; one that is being written is ended. */
export function beginRecording(writer: TraceWriter, note: string): RecordingInProgress {
  endRecording(writer);
  forgetAddresses(writer.accessLines);
  writer.lastObjects = createRecordingObjects(writer.lastObjects);
  writer.current = createRecording(writer.recordings++, writer.lastObjects, note);
  return writer.current;
}

function addBuilder(writer: TraceWriter, cpu: number): EventBuilder {
  const builder = createEventBuilder(cpu);
  writer.builders[cpu] = builder;
  writer.cpus++;
  writer.batchRows = Math.max(
    MIN_BATCH_ROWS,
    Math.min(BATCH_ROWS, Math.floor(MAX_WAITING_ROWS / writer.cpus)),
  );
  return builder;
}

/**
 * Appends an access of the CPU of the latest event, straight from its line. HOT.
 *
 * @param bytes input; the line begins at `start`, and its LF lies in them
 * @param lineNumber number of the input line, from 1
 * @returns index just past the line's LF, or -1, with nothing written, when the line is another kind of
 *   event or not of the usual shape: then `writeEvent` is to be asked
 */
export function writeAccessLine(
  writer: TraceWriter,
  bytes: Uint8Array,
  start: number,
  lineNumber: number,
): number {
  const recording = writer.current;
  const builder = recording?.latest;
  if (recording === undefined || builder === undefined) return -1;
  if (builder.length === builder.rowCapacity) return -1;
  const row = builder.length;
  const next = readAccessRow(writer.accessLines, bytes, start, builder, row);
  if (next < 0) return -1;
  builder.line[row] = lineNumber;
  builder.detail[row + 1] = builder.detailCount;
  builder.length = row + 1;
  if (row + 1 >= writer.batchRows) flushEvents(writer, recording, builder);
  return next;
}

/**
 * Appends an event whose `vq` and `dev` are kernel addresses. HOT.
 *
 * @param bytes what the line was read from
 * @param start index of the line's tag in them
 * @param lineNumber number of the input line, from 1
 * @returns false, with nothing written, when it names more objects than a trace can have
 */
export function writeEvent(
  writer: TraceWriter,
  line: EventLine,
  bytes: Uint8Array,
  start: number,
  lineNumber: number,
): boolean {
  const recording = writer.current ?? beginRecording(writer, 'no header line');
  if (!resolveObjects(recording.objects, line)) return false;
  const builder = writer.builders[line.cpu] ?? addBuilder(writer, line.cpu);
  appendLine(builder, line, bytes, lineNumber);
  recording.latest = builder;
  if (line.kind === KIND.access) {
    rememberAccessLine(writer.accessLines, bytes, start, line.words[2 * SLOT.vq]);
  }
  if (builder.length >= writer.batchRows) flushEvents(writer, recording, builder);
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
  if (builder.length >= writer.batchRows) flushEvents(writer, recording, builder);
}

/** Notes that the recording is not what was to be recorded: its input was damaged or not read to its end. */
export function noteFlaw(writer: TraceWriter, what: string): void {
  writer.current?.flaws.push(what);
}

/** Hands all events that wait for a full batch to the file. */
export function flushTrace(writer: TraceWriter): void {
  const recording = writer.current;
  if (recording === undefined) return;
  for (const builder of writer.builders) {
    if (builder !== undefined) flushEvents(writer, recording, builder);
  }
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
  flushTrace(writer);
  if (recording.note !== undefined) {
    // Nothing happened in it. Headers one after the other are no recordings.
    writer.recordings--;
    writer.current = undefined;
    return;
  }
  for (const [rank, vq] of virtqueuesByAddress(recording.objects).entries()) {
    describeVirtqueue(writer, recording, vq, rank);
  }
  flushTable(writer, recording);
  writeMark(writer, recording, 'end', recording.last, JSON.stringify(countsOf(recording)));
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
  if (table.length === BATCH_ROWS) flush(writer, recording, table, 'table');
}

function flushEvents(
  writer: TraceWriter,
  recording: RecordingInProgress,
  builder: EventBuilder,
): void {
  if (builder.length === 0) return;
  summariseBatch(recording, builder);
  writer.events += builder.length;
  flushTable(writer, recording);
  flush(writer, recording, builder, 'events');
}

/**
 * Writes what is new of virtqueues. Not when it is found out: devices that turn up one by one may take
 * all virtqueues from one another each time.
 */
function flushTable(writer: TraceWriter, recording: RecordingInProgress): void {
  const { objects } = recording;
  if (hasUnplaced(objects)) {
    for (const vq of placeVirtqueues(objects)) describeVirtqueue(writer, recording, vq, undefined);
  }
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
