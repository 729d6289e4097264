/**
 * What is left of a trace of which a batch turns out to be damaged when it is read. As with other damage, nothing behind
 * it is used. Its CPU is known: up to the last event that this told before, all events are there; of what the
 * others tell from then on some may be missing, so that is left out too.
 */
import { createBatchMemory, DamagedBatchError, readBatch } from './batch-reader.js';
import type { TraceBytes } from './file-access.js';
import { visitRecording } from './merge-cpus.js';
import type { OpenTrace } from './open-trace.js';
import type { BatchPlace } from './place-list.js';
import { indexTrace, type RecordingIndex, type TraceIndex } from './trace-index.js';

/** The trace up to a batch of it that is damaged, which its damage says. */
export function upToDamage<Trace extends DamageableTrace>(
  trace: Trace,
  { place, message }: DamagedBatchError,
): Trace {
  const { fd, name, index: all } = trace;
  const found = indexTrace(fd, place.offset);
  const recordings = found.recordings.map((recording) =>
    recording.number === place.recording && place.role === 'events'
      ? { ...recording, brokenCpu: place.cpu }
      : recording,
  );
  const { fileBytes } = all;
  try {
    const index: TraceIndex = {
      ...found,
      recordings,
      fileBytes,
      damage: message,
      leftOut: all.leftOut + eventsOf(all.recordings) - recordings.reduce(toldEvents(fd), 0),
    };
    const told = `${name}: ${message}, the last ${fileBytes - place.offset} bytes were left out`;
    return { ...trace, index, damage: [...trace.damage, told] };
  } catch (error) {
    // Another one, before it.
    if (error instanceof DamagedBatchError) return upToDamage(trace, error);
    throw error;
  }
}

/** A trace that may come from elsewhere than an open file. */
type DamageableTrace = Pick<OpenTrace, 'name' | 'index' | 'damage'> & { readonly fd: TraceBytes };

/** Reads all batches. @throws as `readBatch`, of the first in the file that is damaged */
export function checkBatches({ fd, index }: OpenTrace): void {
  const memory = createBatchMemory();
  const places = index.recordings.flatMap(({ begin, tables, events, end }): BatchPlace[] =>
    [begin, ...tables, ...[...events.values()].flatMap((list) => [...list]), end].filter(
      (place) => place !== undefined,
    ),
  );
  for (const place of places.toSorted((a, b) => a.offset - b.offset)) readBatch(fd, place, memory);
}

function eventsOf(recordings: readonly RecordingIndex[]): number {
  let rows = 0;
  for (const { events } of recordings)
    for (const places of events.values()) for (const place of places) rows += place.rows;
  return rows;
}

/** Events of a recording that its visitor gets. */
function toldEvents(fd: TraceBytes): (sum: number, recording: RecordingIndex) => number {
  return (sum, recording) => {
    if (recording.brokenCpu === undefined) return sum + eventsOf([recording]);
    let rows = 0;
    const onlyEvents = { ...recording, begin: undefined, tables: [], end: undefined };
    visitRecording(fd, onlyEvents, (_batch, from, to) => (rows += to - from));
    return sum + rows;
  };
}
