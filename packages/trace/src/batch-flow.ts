/**
 * How events become batches of the file: when the rows of a CPU are a batch, what goes before it, and on which message
 * it rests.
 */
import type { BatchRole } from './batch-metadata.js';
import { batchParts } from './batch-writer.js';
import {
  appendEvent,
  assignCpu,
  BATCH_ROWS,
  clearBuilder,
  createEventBuilder,
  type EventBuilder,
} from './event-builder.js';
import { latestTime, summariseBatch, type RecordingInProgress } from './recording-in-progress.js';
import {
  addressOfVirtqueue,
  describedVirtqueue,
  hasUnplaced,
  placeVirtqueues,
} from './recording-objects.js';
import type { PieceFate } from './write-behind.js';
import type { TraceWriter } from './writer-state.js';

/** Rows of all CPUs together that wait for their batch to be full; readers need memory for as many. */
const MAX_WAITING_ROWS = 8 * BATCH_ROWS;
export const MIN_BATCH_ROWS = 512;
/**
 * Nor do more wait than a quarter of those that are written, so that a file which is cut early holds most of what
 * came until then.
 */
const WAITING_SHARE = 1 / 4;

export function batchRowsOf({ cpus, events }: TraceWriter): number {
  const waiting = Math.min(MAX_WAITING_ROWS, WAITING_SHARE * events);
  return Math.max(MIN_BATCH_ROWS, Math.min(BATCH_ROWS, Math.floor(waiting / cpus)));
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

export function flushEvents(
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
export function flushTable(writer: TraceWriter, recording: RecordingInProgress): void {
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

/** All virtqueues stand in the end, and no events before it refer to a table that is taken back: they are, too. */
const TOLD_AGAIN: PieceFate = { onTakenBack: () => {} };

export function describeVirtqueue(
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
export function beginAgain(writer: TraceWriter): void {
  if (writer.schemaIs === 'lost') writeSchema(writer);
}

/** @param link of what is appended, on which the next message rests */
export function appendLinked(
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
  const { note, first, live } = recording;
  if (note === undefined) return;
  recording.note = undefined;
  writeMark(writer, recording, 'begin', first ?? live?.span?.from ?? 0n, note);
}

export function writeMark(
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

export function writeSchema(writer: TraceWriter): void {
  const { bytes, link } = writer.schema;
  writer.schemaIs = 'underway';
  appendLinked(writer, [bytes], bytes.length, link, {
    onWritten: () => (writer.schemaIs = 'written'),
  });
}
