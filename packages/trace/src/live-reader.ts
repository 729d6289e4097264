/**
 * Somebody begins to read a trace while it is being written: what stream they get. It begins as a trace
 * of its own, with the header and the state of the rings at that moment, goes on with the batches of the
 * trace, and ends with counts of what it holds.
 */
import { EVENT_NAMES } from '@vhostscope/model';
import type { BatchRole } from './batch-metadata.js';
import { batchParts } from './batch-writer.js';
import { appendEvent, createEventBuilder, type EventBuilder } from './event-builder.js';
import { endOfStream } from './message-writer.js';
import { countsByName } from './recording-counts.js';
import { countsOf, latestTime, type RecordingInProgress } from './recording-in-progress.js';
import { describedVirtqueue, virtqueuesByAddress } from './recording-objects.js';
import { appendRingLine, type RingState } from './ring-state.js';
import { flushTrace, type TraceWriter } from './trace-writer.js';

/** A stream that began while the trace was being written. */
export interface JoinedStream {
  /** What it begins with. */
  readonly head: Uint8Array;
  /** Events by kind that the trace held then and the stream does not. */
  readonly before: Float64Array;
  /** Time of the trace's latest event then; undefined when it had none. */
  readonly since: bigint | undefined;
}

const NOTE = 'joined while it was being recorded';

/** The beginning of a stream; what the trace gets from now on belongs behind it. */
export function joinTrace(writer: TraceWriter, state: RingState): JoinedStream {
  flushTrace(writer);
  const recording = writer.current;
  if (recording === undefined || recording.note !== undefined) {
    // Nothing was written yet: the stream is the trace.
    return { head: writer.schema, before: new Float64Array(EVENT_NAMES.length), since: undefined };
  }
  const since = latestTime(recording);
  const begin = createEventBuilder(0);
  appendEvent(begin, 'recording', since, 0, { note: NOTE });
  const table = createEventBuilder(0);
  for (const vq of virtqueuesByAddress(recording.objects)) {
    appendEvent(table, 'virtqueue', since, 0, describedVirtqueue(recording.objects, vq));
  }
  const rings = createEventBuilder(recording.latest?.cpu ?? 0);
  for (const line of state.values()) appendRingLine(rings, line, since);
  const before = recording.byKind.slice();
  // What is told again is in both.
  for (const { kind } of state.values()) before[kind]--;
  const head = [
    writer.schema,
    batch(recording, begin, 'begin'),
    batch(recording, table, 'table'),
    batch(recording, rings, 'events'),
  ];
  return { head: Buffer.concat(head), before, since };
}

/** What a stream ends with; to be asked for when the trace has got its last events, before its own end. */
export function leaveTrace(writer: TraceWriter, { before, since }: JoinedStream): Uint8Array {
  const recording = writer.current;
  if (recording === undefined) return endOfStream();
  const counts = {
    ...countsOf(recording),
    events: countsByName(recording.byKind.map((count, kind) => count - before[kind])),
    ...(since !== undefined && { first: String(since) }),
  };
  const end = createEventBuilder(0);
  appendEvent(end, 'recording_end', recording.last, 0, { note: JSON.stringify(counts) });
  return Buffer.concat([batch(recording, end, 'end'), endOfStream()]);
}

function batch(
  { number }: RecordingInProgress,
  builder: EventBuilder,
  role: BatchRole,
): Uint8Array {
  if (builder.length === 0) return NO_BYTES;
  return Buffer.concat(batchParts(builder, { role, recording: number, cpu: builder.cpu }).parts);
}

const NO_BYTES = new Uint8Array(0);
