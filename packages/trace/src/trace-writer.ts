/**
 * Writes a trace file: events go into one batch per CPU, a full batch goes to the file at once, and
 * nothing waits or sorts. Kernel addresses become ids here.
 */
import {
  createAccessRunMemory,
  forgetAddresses,
  readAccessRun,
  type AccessRunMemory,
  type EventLine,
} from '@vhostscope/model';
import type { BatchRole } from './batch-metadata.js';
import type { Taken } from 'bpftrace-parser';
import { batchParts, closingBatch } from './batch-writer.js';
import {
  appendEvent,
  appendLine,
  assignCpu,
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
import type { RecordingCounts } from './recording-counts.js';
import {
  addressOfVirtqueue,
  createRecordingObjects,
  describedVirtqueue,
  hasUnplaced,
  placeVirtqueues,
  resolveObjects,
  virtqueuesByAddress,
  type RecordingObjects,
} from './recording-objects.js';
import { FIRST_LINK } from './checksums.js';
import { endOfStream, schemaMessage, type LinkedMessage } from './message-writer.js';
import { headerMetadata, type TraceHeader } from './trace-header.js';
import { fileOutput, type TraceOutput } from './trace-output.js';
import type { PieceFate } from './write-behind.js';

export interface TraceWriter {
  readonly output: TraceOutput;
  /** The schema's message, with which every stream of the trace begins. */
  readonly schema: LinkedMessage;
  /** What the next message rests on, and what it would if all that was appended were written, as who reads along has it. */
  link: number;
  appendedLink: number;
  /** Link of what is whole in the file. */
  writtenLink: number;
  /** Whether the schema is in the file, or on its way there. */
  schemaIs: 'underway' | 'written' | 'lost';
  readonly keepsPointers: boolean;
  /** Bytes given to the file so far. */
  bytes: number;
  /** Events of all recordings that were given to the file, and that are in it. */
  events: number;
  eventsWritten: number;
  /** Recordings begun. */
  recordings: number;
  /** The recording that is being written; undefined before the first and after the last. */
  current: RecordingInProgress | undefined;
  /** The recording of which the end is on its way to the file; undefined when it is there. */
  ending: RecordingInProgress | undefined;
  /** Counts of the recording that ended last. */
  ended: RecordingCounts | undefined;
  /** Objects of the latest recording: the ids of the next go on from theirs. */
  lastObjects: RecordingObjects | undefined;
  /** Memory that recordings share. */
  readonly builders: (EventBuilder | undefined)[];
  readonly table: EventBuilder;
  /** Builders whose batch is written, to be used again. */
  readonly spare: EventBuilder[];
  /** CPUs seen, and how many rows a batch of one of them gets at present. */
  cpus: number;
  batchRows: number;
  /** Rows written in full batches since the last look for rows that wait for long, and the number of that look. */
  rowsSinceLook: number;
  looks: number;
  /** By CPU, after which look its last batch was written. */
  readonly writtenAfter: number[];
  /** Access lines that look like the latest are read by a path of their own. */
  readonly accessRuns: AccessRunMemory;
}

/** Rows of all CPUs together that wait for their batch to be full; readers need memory for as many. */
const MAX_WAITING_ROWS = 8 * BATCH_ROWS;
const MIN_BATCH_ROWS = 512;
/**
 * Nor do more wait than a quarter of those that are written, so that a file which is cut early holds most of what
 * came until then.
 */
const WAITING_SHARE = 1 / 4;

/**
 * Begins a trace.
 *
 * @param to an open, empty file, a pipe, or whatever takes the bytes
 * @param behind true to write on another thread: then wait for `settleTrace` (or `abandonTrace`) before
 *   the file is closed or read, and what the file system throws may be of an earlier write
 * @throws what the file system throws, as all functions here that write
 */
export function createTraceWriter(
  to: number | TraceOutput,
  header: TraceHeader,
  { behind = false } = {},
): TraceWriter {
  const output = typeof to === 'number' ? fileOutput(to, behind) : to;
  const schema = schemaMessage(headerMetadata(header));
  const writer: TraceWriter = {
    output,
    schema,
    link: FIRST_LINK,
    appendedLink: FIRST_LINK,
    writtenLink: FIRST_LINK,
    schemaIs: 'lost',
    keepsPointers: header.keepsPointers,
    bytes: 0,
    events: 0,
    eventsWritten: 0,
    recordings: 0,
    current: undefined,
    ending: undefined,
    ended: undefined,
    lastObjects: undefined,
    builders: [],
    table: createEventBuilder(0),
    spare: [],
    cpus: 0,
    batchRows: MIN_BATCH_ROWS,
    rowsSinceLook: 0,
    looks: 0,
    writtenAfter: [],
    accessRuns: createAccessRunMemory(),
  };
  writeSchema(writer);
  return writer;
}

function writeSchema(writer: TraceWriter): void {
  const { bytes, link } = writer.schema;
  writer.schemaIs = 'underway';
  appendLinked(writer, [bytes], bytes.length, link, {
    onWritten: () => (writer.schemaIs = 'written'),
  });
}

/** Begins a recording; one that is being written is ended. */
export function beginRecording(writer: TraceWriter, note: string): RecordingInProgress {
  endRecording(writer);
  forgetAddresses(writer.accessRuns);
  writer.lastObjects = createRecordingObjects(writer.lastObjects);
  writer.current = createRecording(writer.recordings++, writer.lastObjects, note);
  return writer.current;
}

/** Where the events of a CPU go. */
export function builderOf(writer: TraceWriter, cpu: number): EventBuilder {
  return writer.builders[cpu] ?? addBuilder(writer, cpu);
}

function addBuilder(writer: TraceWriter, cpu: number): EventBuilder {
  const builder = createEventBuilder(cpu);
  writer.builders[cpu] = builder;
  writer.cpus++;
  writer.batchRows = batchRowsOf(writer);
  return builder;
}

function batchRowsOf({ cpus, events }: TraceWriter): number {
  const waiting = Math.min(MAX_WAITING_ROWS, WAITING_SHARE * events);
  return Math.max(MIN_BATCH_ROWS, Math.min(BATCH_ROWS, Math.floor(waiting / cpus)));
}

/**
 * Appends accesses of the CPU of the latest event, straight from their lines. HOT.
 *
 * @param bytes input; lines begin at `start`, and `end` is just past a LF
 * @param lineNumber number of the first input line, from 1
 * @param taken says how they are numbered, and gets how many there were
 * @returns index just past the last line's LF; `start`, with nothing written, when the first line is
 *   another kind of event or not of the usual shape: then `writeEvent` is to be asked
 */
export function writeAccessLines(
  writer: TraceWriter,
  bytes: Uint8Array,
  start: number,
  end: number,
  lineNumber: number,
  taken: Taken,
): number {
  const recording = writer.current;
  const builder = recording?.latest;
  if (recording === undefined || builder === undefined) return start;
  const before = builder.length;
  const rows = Math.min(builder.rowCapacity, writer.batchRows);
  const next = readAccessRun(
    writer.accessRuns,
    bytes,
    start,
    end,
    builder,
    rows,
    lineNumber,
    taken.lineStep,
  );
  taken.lines = builder.length - before;
  builder.detailCount = builder.detail[builder.length];
  flushFull(writer, recording, builder);
  return next;
}

/**
 * Appends an event whose `vq` and `dev` are kernel addresses. HOT.
 *
 * @param bytes what the line was read from: its comm lies there
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
  if (!resolveObjects(recording.objects, line)) return false;
  const builder = builderOf(writer, line.cpu);
  appendLine(builder, line, bytes, lineNumber);
  recording.latest = builder;
  flushFull(writer, recording, builder);
  return true;
}

/**
 * Puts ids in the place of the kernel addresses of `vq` and `dev` in a line, as `writeEvent` does, and
 * writes nothing.
 *
 * @returns false when it names more objects than a trace can have
 */
export function knowObjects(writer: TraceWriter, line: EventLine): boolean {
  const recording = writer.current ?? beginRecording(writer, 'no header line');
  return resolveObjects(recording.objects, line);
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
  beginAgain(writer);
  const closing = closingBatch(writer.link);
  appendLinked(writer, [closing.bytes], closing.bytes.length, closing.link);
  const mark = endOfStream();
  writer.output.append([mark], mark.length);
  writer.bytes += mark.length;
}

/**
 * Resolves when not much waits to be written: what goes on faster than the disk takes memory without end.
 * undefined when that is so already.
 */
export function keepPace({ output }: TraceWriter): Promise<void> | undefined {
  return output.keepPace();
}

/** Resolves when everything is written. */
export function settleTrace({ output }: TraceWriter): Promise<void> {
  return output.settle();
}

/** Resolves when nothing is being written any more, whatever became of it. */
export function abandonTrace({ output }: TraceWriter): Promise<void> {
  return output.abandon();
}

/** More than the end of the recording that is being written takes in the file, bytes; 0 when none is. */
export function roomForEnd({ current }: TraceWriter): number {
  if (current === undefined) return 0;
  return END_BYTES + current.objects.virtqueues.addresses.length * VIRTQUEUE_BYTES;
}

/** A table, a mark with the counts in words, and what closes the trace take 12 KiB; what is wrong, in words, is most of the rest. */
const END_BYTES = 3 << 13;
const VIRTQUEUE_BYTES = 320;

/** Ends the recording that is being written, if any; an event that follows begins another. */
export function endRecording(writer: TraceWriter): void {
  const recording = writer.current;
  if (recording === undefined) return;
  flushTrace(writer);
  if (recording.note !== undefined && recording.live === undefined) {
    // Nothing happened in it. Headers one after the other are no recordings; one that somebody made is, and has an end.
    writer.recordings--;
    writer.current = undefined;
    return;
  }
  for (const [rank, vq] of virtqueuesByAddress(recording.objects).entries()) {
    describeVirtqueue(writer, recording, vq, rank);
  }
  flushTable(writer, recording);
  writer.ended = countsOf(recording);
  const { last } = recording;
  writer.ending = recording;
  writeMark(writer, recording, 'end', last, JSON.stringify(writer.ended), {
    onWritten: () => {
      if (writer.ending === recording) writer.ending = undefined;
    },
  });
  writer.current = undefined;
}

/** All virtqueues stand in the end, and no events before it refer to a table that is taken back: they are, too. */
const TOLD_AGAIN: PieceFate = { onTakenBack: () => {} };

function describeVirtqueue(
  writer: TraceWriter,
  recording: RecordingInProgress,
  vq: number,
  rank: number | undefined,
): void {
  const { table } = writer;
  const { objects } = recording;
  appendEvent(table, 'virtqueue', latestTime(recording), 0, {
    ...describedVirtqueue(objects, vq),
    ...(rank !== undefined && { rank }),
    ...(writer.keepsPointers && { pointer: addressOfVirtqueue(objects, vq) }),
  });
  if (table.length === BATCH_ROWS) flush(writer, recording, table, 'table', TOLD_AGAIN);
}

/** Writes the events of a builder when they are a full batch. */
export function flushFull(
  writer: TraceWriter,
  recording: RecordingInProgress,
  builder: EventBuilder,
): void {
  if (builder.length < writer.batchRows) return;
  writer.rowsSinceLook += builder.length;
  flushEvents(writer, recording, builder);
  writer.batchRows = batchRowsOf(writer);
  if (writer.rowsSinceLook >= writer.cpus * writer.batchRows) flushSlow(writer, recording);
}

/** Writes what has waited since before the last look: a CPU of few events fills no batch for long. */
function flushSlow(writer: TraceWriter, recording: RecordingInProgress): void {
  for (const builder of writer.builders)
    if (builder !== undefined && writer.writtenAfter[builder.cpu] !== writer.looks)
      flushEvents(writer, recording, builder);
  writer.looks++;
  writer.rowsSinceLook = 0;
}

function flushEvents(
  writer: TraceWriter,
  recording: RecordingInProgress,
  builder: EventBuilder,
): void {
  if (builder.length === 0) return;
  const kinds = summariseBatch(recording, builder);
  const events = builder.length;
  writer.events += events;
  writer.writtenAfter[builder.cpu] = writer.looks;
  try {
    flushTable(writer, recording);
    flush(writer, recording, builder, 'events', {
      onWritten: () => {
        writer.eventsWritten += events;
        recording.unwritten.delete(kinds);
      },
      onTakenBack: () => {
        writer.eventsWritten -= events;
        recording.unwritten.add(kinds);
      },
    });
  } catch (error) {
    // Counted as unwritten; not to be counted, or written, again.
    clearBuilder(builder);
    throw error;
  }
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
  if (writer.table.length > 0) flush(writer, recording, writer.table, 'table', TOLD_AGAIN);
}

function flush(
  writer: TraceWriter,
  recording: RecordingInProgress,
  builder: EventBuilder,
  role: BatchRole,
  fate: PieceFate = {},
): void {
  beginFile(writer, recording);
  beginAgain(writer);
  const metadata = { role, recording: recording.number, cpu: builder.cpu };
  const { parts, bytes, link } = batchParts(builder, metadata, writer.link);
  if (builder.length >= LENT_ROWS && role === 'events') {
    replaceBuilder(writer, recording, builder);
    appendLinked(writer, parts, bytes, link, {
      ...fate,
      onWritten: () => {
        fate.onWritten?.();
        clearBuilder(builder);
        writer.spare.push(builder);
      },
    });
  } else {
    const copy = Buffer.concat(parts);
    clearBuilder(builder);
    appendLinked(writer, [copy], bytes, link, fate);
  }
}

/** From so many rows on a batch's memory is lent to the write; of a smaller one a copy is cheaper. */
const LENT_ROWS = 1024;

/** Gives a builder's CPU another one. */
function replaceBuilder(
  writer: TraceWriter,
  recording: RecordingInProgress,
  builder: EventBuilder,
): void {
  const { cpu, rowCapacity, detailCapacity } = builder;
  const other = writer.spare.pop() ?? createEventBuilder(cpu, rowCapacity, detailCapacity);
  assignCpu(other, cpu);
  writer.builders[cpu] = other;
  if (recording.latest === builder) recording.latest = other;
}

/** What could not be written was given up, and the schema may have been among it: without it nothing can be read. */
function beginAgain(writer: TraceWriter): void {
  if (writer.schemaIs === 'lost') writeSchema(writer);
}

/** @param link of what is appended, on which the next message rests */
function appendLinked(
  writer: TraceWriter,
  parts: readonly Uint8Array[],
  bytes: number,
  link: number,
  { onWritten, onTakenBack }: PieceFate = {},
): void {
  const before = writer.link;
  writer.link = link;
  writer.appendedLink = link;
  writer.output.append(parts, bytes, {
    onWritten: () => {
      writer.writtenLink = link;
      onWritten?.();
    },
    ...(onTakenBack !== undefined && {
      onTakenBack: () => {
        writer.writtenLink = before;
        onTakenBack();
      },
    }),
  });
  writer.bytes += bytes;
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
  fate?: PieceFate,
): void {
  const mark = createEventBuilder(0);
  appendEvent(mark, role === 'begin' ? 'recording' : 'recording_end', time, 0, { note });
  flush(writer, recording, mark, role, fate);
}
