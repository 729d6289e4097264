/**
 * Writes a trace file: events go into one batch per CPU, a full batch goes to the file at once, and
 * nothing waits or sorts. Kernel addresses become ids here.
 */
import {
  createAccessRunMemory,
  forgetAddresses,
  readAccessRun,
  type EventLine,
} from '@vhostscope/model';
import type { Taken } from 'bpftrace-parser';
import {
  appendLinked,
  batchRowsOf,
  beginAgain,
  describeVirtqueue,
  flushEvents,
  flushFull,
  flushTable,
  MIN_BATCH_ROWS,
  writeMark,
  writeSchema,
} from './batch-flow.js';
import { closingBatch } from './batch-writer.js';
import { FIRST_LINK } from './checksums.js';
import { appendLine, createEventBuilder, type EventBuilder } from './event-builder.js';
import { endOfStream, schemaMessage } from './message-writer.js';
import { countsOf, createRecording, type RecordingInProgress } from './recording-in-progress.js';
import {
  createRecordingObjects,
  resolveObjects,
  virtqueuesByAddress,
} from './recording-objects.js';
import { headerMetadata, type TraceHeader } from './trace-header.js';
import { fileOutput, type TraceOutput } from './trace-output.js';
import type { TraceWriter } from './writer-state.js';

export type { TraceWriter };

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
    onEnd: undefined,
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
  writer.onEnd?.(writer.ended);
  const { first, live } = recording;
  const last = first === undefined ? (live?.span?.until ?? 0n) : recording.last;
  writer.ending = recording;
  writeMark(writer, recording, 'end', last, JSON.stringify(writer.ended), {
    onWritten: () => {
      if (writer.ending === recording) writer.ending = undefined;
    },
  });
  writer.current = undefined;
}
