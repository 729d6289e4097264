/**
 * Somebody begins to read a trace while it is being written: what stream they get. It begins as a trace
 * of its own, with the header and the state of the rings at that moment, goes on with the batches of the
 * trace, and ends with counts of what it holds.
 *
 * CPUs do not come to a moment together. So the rings are told at a time before which none tells anything any
 * more, and ranges that are under way when they began: their ends may come from a CPU that lags behind.
 */
import { EVENT_NAMES, KIND } from '@vhostscope/model';
import type { BatchRole } from './batch-metadata.js';
import { batchParts, closingBatch } from './batch-writer.js';
import { appendEvent, createEventBuilder, type EventBuilder } from './event-builder.js';
import { endOfStream } from './message-writer.js';
import { countsByName } from './recording-counts.js';
import { countsOf, latestTime, type RecordingInProgress } from './recording-in-progress.js';
import { describedVirtqueue, virtqueuesByAddress } from './recording-objects.js';
import { hasOrphans, linesOfAll, type KeptLine } from './open-ranges.js';
import { appendRangeLine, appendRingLine, earliest, type RingState } from './ring-state.js';
import { flushTrace, type TraceWriter } from './trace-writer.js';

/** A stream that began while the trace was being written. */
export interface JoinedStream {
  /** What it begins with. */
  readonly head: Uint8Array;
  /** Events by kind that the trace held then and the stream does not. */
  readonly before: Float64Array;
  /** When the stream begins; undefined when the trace had no event then. */
  readonly since: bigint | undefined;
}

const NOTE = 'joined while it was being recorded';

/** The beginning of a stream; what the trace gets from now on belongs behind it. */
export function joinTrace(writer: TraceWriter, state: RingState): JoinedStream {
  flushTrace(writer);
  const recording = writer.current;
  if (recording === undefined || recording.note !== undefined) {
    // Nothing was written yet: the stream is the trace.
    return {
      head: writer.schema.bytes,
      before: new Float64Array(EVENT_NAMES.length),
      since: undefined,
    };
  }
  const latest = latestTime(recording);
  const ranges = linesOfAll(state.ranges);
  const since = earliest([latest, ...state.heard.values(), ...ranges.map(({ time }) => time)]);
  const begin = createEventBuilder(0);
  appendEvent(begin, 'recording', since, 0, { note: NOTE });
  const table = createEventBuilder(0);
  for (const vq of virtqueuesByAddress(recording.objects)) {
    appendEvent(table, 'virtqueue', since, 0, describedVirtqueue(recording.objects, vq));
  }
  const rings = createEventBuilder(recording.latest?.cpu ?? 0);
  const isLossy = recording.lost.size > 0 || state.ranges.isPartial || hasOrphans(state.ranges);
  const tellLoss = (builder: EventBuilder, time: bigint): void =>
    appendEvent(builder, 'lost', time, 0, { lost: totalOf(recording.lost), note: LOST_BEFORE });
  // What was lost before the rings are told makes nobody doubt where they lie.
  const knowsRings = state.knowsRings();
  if (isLossy && knowsRings) tellLoss(rings, since);
  for (const line of state.rings.values()) appendRingLine(rings, line, since);
  for (const { values } of state.stacks) appendEvent(rings, 'stack', since, 0, values);
  const before = recording.byKind.slice();
  // What is told again is in both.
  before[KIND.stack] -= state.stacks.length;
  for (const { kind } of state.rings.values()) before[kind]--;
  for (const { line } of ranges) before[line.kind]--;
  if (isLossy) before[KIND.lost]--;
  const lost = createEventBuilder(rings.cpu);
  if (isLossy && !knowsRings) tellLoss(lost, latest);
  const head = headOf(
    writer,
    recording,
    [
      { builder: begin, role: 'begin' as const },
      { builder: table, role: 'table' as const },
      ...[rings, ...tellRanges(ranges), lost].map((builder) => ({
        builder,
        role: 'events' as const,
      })),
    ].filter(({ builder }) => builder.length > 0),
  );
  return { head, before, since };
}

/** Behind its last batch come those of the trace, which rest on what the trace holds. */
function headOf(
  { schema, link: next }: TraceWriter,
  { number }: RecordingInProgress,
  batches: readonly { readonly builder: EventBuilder; readonly role: BatchRole }[],
): Uint8Array {
  const parts: Uint8Array[] = [schema.bytes];
  let { link } = schema;
  for (const [at, { builder, role }] of batches.entries()) {
    const isLast = at === batches.length - 1;
    const metadata = { role, recording: number, cpu: builder.cpu };
    const batch = batchParts(builder, metadata, link, isLast ? next : undefined);
    parts.push(...batch.parts);
    link = batch.link;
  }
  return Buffer.concat(parts);
}

/** Behind this nothing is taken for certain that a line could have told which was lost. */
const LOST_BEFORE = 'before this reader joined';

function totalOf(lost: ReadonlyMap<string, bigint>): bigint {
  return [...lost.values()].reduce((sum, howMany) => sum + howMany, 0n);
}

/** On the CPUs that told of them first. */
function tellRanges(ranges: readonly KeptLine[]): EventBuilder[] {
  const builders = new Map<number, EventBuilder>();
  for (const [index, kept] of ranges.entries()) {
    const { cpu } = kept.line;
    const builder = builders.get(cpu) ?? createEventBuilder(cpu);
    builders.set(cpu, builder);
    appendRangeLine(builder, kept, kept.time, index + 1);
  }
  return [...builders.values()];
}

/** What a stream ends with; to be asked for when the trace has got its last events, before its own end. */
export function leaveTrace(writer: TraceWriter, { before, since }: JoinedStream): Uint8Array {
  const recording = writer.current;
  // Whoever reads along has got all that was appended, whatever became of it in the file.
  if (recording === undefined) return closed([], writer.appendedLink);
  const counts = {
    ...countsOf(recording),
    events: countsByName(recording.byKind.map((count, kind) => count - before[kind])),
    ...(since !== undefined && { first: String(since) }),
  };
  const end = createEventBuilder(0);
  appendEvent(end, 'recording_end', recording.last, 0, { note: JSON.stringify(counts) });
  const metadata = { role: 'end', recording: recording.number, cpu: end.cpu } as const;
  const { parts, link } = batchParts(end, metadata, writer.appendedLink);
  return closed(parts, link);
}

function closed(parts: readonly Uint8Array[], link: number): Uint8Array {
  return Buffer.concat([...parts, closingBatch(link).bytes, endOfStream()]);
}
