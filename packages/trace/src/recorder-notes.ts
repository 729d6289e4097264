/** What whoever records, or imports, adds to a recording beside the lines that it reads. */
import { timeOfLine, type EventLine, type EventName } from '@vhostscope/model';
import { flushFull } from './batch-flow.js';
import { FIRST_LINK } from './checksums.js';
import { appendEvent, clearBuilder, type EventValues } from './event-builder.js';
import { forgetUnwritten, latestOfCpu, latestTime, type LiveEnd } from './recording-in-progress.js';
import type { KeptLine } from './open-ranges.js';
import { appendRangeLine, appendRingLine } from './ring-state.js';
import { beginRecording, builderOf, roomForEnd, type TraceWriter } from './trace-writer.js';

/** Notes that events were lost at this place of the stream, and by whom. */
export function writeLoss(
  writer: TraceWriter,
  howMany: bigint,
  by: string,
  lineNumber: number,
): void {
  const recording = writer.current ?? beginRecording(writer, 'no header line');
  recording.lost.set(by, (recording.lost.get(by) ?? 0n) + howMany);
  const builder = recording.latest ?? builderOf(writer, 0);
  appendEvent(builder, 'lost', latestTime(recording), lineNumber, { lost: howMany, note: by });
  flushFull(writer, recording, builder);
}

/** Notes that the recording is not what was to be recorded: its input was damaged or not read to its end. */
export function noteFlaw(writer: TraceWriter, what: string): void {
  writer.current?.flaws.push(what);
}

/** Notes what the recording cannot tell, although nothing is missing. */
export function noteLimit(writer: TraceWriter, what: string): void {
  writer.current?.notes.push(what);
}

/**
 * Says how a live recording ended, also one without events; to be called before it is ended. One of which the end is
 * in the file stays as it says there: what was refused behind that is no recording.
 */
export function noteLiveEnd(writer: TraceWriter, end: LiveEnd): void {
  if (writer.recordings === 0) beginRecording(writer, 'no header line');
  if (writer.current !== undefined) writer.current.live = end;
}

/**
 * Gives up what could not be written, when nothing is being written any more: events that wait for
 * their batch, and batches that are not whole in the file. The last whole ones are taken back, until there
 * is room for the end of the recording. All are counted as lost. A recording of which the end could not be written
 * has not ended: it is to be ended again, and to say what went wrong.
 */
export function dropUnwritten(writer: TraceWriter, by: string): void {
  writer.current ??= writer.ending;
  writer.ending = undefined;
  writer.output.cutBack(roomForEnd(writer));
  writer.link = writer.writtenLink;
  if (writer.schemaIs !== 'written') {
    writer.schemaIs = 'lost';
    writer.link = FIRST_LINK;
  }
  const recording = writer.current;
  if (recording === undefined) return;
  const unwritten = forgetUnwritten(recording);
  writer.events -= unwritten;
  let dropped = unwritten;
  for (const builder of writer.builders) {
    if (builder === undefined) continue;
    dropped += builder.length;
    clearBuilder(builder);
  }
  clearBuilder(writer.table);
  if (dropped > 0) recording.lost.set(by, (recording.lost.get(by) ?? 0n) + BigInt(dropped));
}

/** Tells the state of a ring, as a line of `RingState` has it, on the CPU that told it first. */
export function writeRingLine(writer: TraceWriter, line: EventLine, time: bigint): void {
  if (writer.current === undefined) return;
  appendRingLine(builderOf(writer, line.cpu), line, time);
}

/** Tells of a range again, on the CPU that told of it first; `place` as `appendRangeLine` has it. */
export function writeRangeLine(
  writer: TraceWriter,
  kept: KeptLine,
  time: bigint,
  place: number,
): void {
  if (writer.current === undefined) return;
  appendRangeLine(builderOf(writer, kept.line.cpu), kept, time, place);
}

/** Tells how far a CPU has come, unless its own events tell that already. */
export function writeHeartbeat(writer: TraceWriter, line: EventLine): void {
  const recording = writer.current;
  if (recording === undefined) return;
  const builder = builderOf(writer, line.cpu);
  const latest = latestOfCpu(recording, builder);
  const time = timeOfLine(line);
  if (latest === undefined || latest < time) appendRingLine(builder, line, time);
}

/** Whether events wait for their batch to be full, or to be flushed. */
export function hasWaiting({ builders }: TraceWriter): boolean {
  return builders.some((builder) => builder !== undefined && builder.length > 0);
}

/** An event that whoever records makes. */
export interface OwnEvent {
  readonly event: EventName;
  readonly time: bigint;
  readonly values: EventValues;
}

/**
 * Appends it to the events of a CPU. It is behind no line. Where a clock that lags gave it its time, it
 * gets the time of the CPU's latest event: that was there before it was made.
 */
export function writeOwnEvent(
  writer: TraceWriter,
  cpu: number,
  { event, time, values }: OwnEvent,
): void {
  const recording = writer.current;
  if (recording === undefined) return;
  const builder = builderOf(writer, cpu);
  const latest = latestOfCpu(recording, builder);
  appendEvent(builder, event, latest !== undefined && latest > time ? latest : time, 0, values);
  flushFull(writer, recording, builder);
}
