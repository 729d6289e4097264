/**
 * What is left of a trace of which a batch turns out to be damaged when it is read. Its length is in its metadata, which
 * is whole, so all other batches are known, and are used. Of its recording is left what came before: up to the last
 * event that the batch's CPU told before it, nothing of any CPU is missing. What the others tell from then on lacks
 * events, so that is left out too.
 */
import { createBatchMemory, DamagedBatchError, readBatch } from './batch-reader.js';
import type { TraceBytes } from './file-access.js';
import { visitRecording } from './merge-cpus.js';
import type { OpenTrace } from './open-trace.js';
import { createPlaceList, type BatchPlace, type PlaceList } from './place-list.js';
import type { RecordingIndex, TraceIndex } from './trace-index.js';

/** The trace without a batch of it that is damaged, and without what makes no sense without it. */
export function upToDamage<Trace extends DamageableTrace>(
  trace: Trace,
  { place, message }: DamagedBatchError,
): Trace {
  const { fd, name, index: all } = trace;
  const before = all.recordings.find(({ number }) => number === place.recording);
  if (before === undefined) throw new Error(`no recording ${place.recording} to leave out of`);
  try {
    const { left, without } = withoutBatch(fd, before, place);
    const index: TraceIndex = {
      ...all,
      recordings: all.recordings
        .map((recording) => (recording === before ? left : recording))
        .filter((recording) => recording !== undefined),
      damage: all.damage ?? message,
      leftOut: all.leftOut + toldOf(fd, before) - (left === undefined ? 0 : toldOf(fd, left)),
    };
    return { ...trace, index, damage: [...trace.damage, `${name}: ${message}, ${without}`] };
  } catch (error) {
    // Another one, before it: there the recording ends already.
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

interface Rest {
  /** Undefined where nothing of the recording can be told. */
  readonly left: RecordingIndex | undefined;
  /** What that leaves out, in words behind those of the damage. */
  readonly without: string;
}

/** @throws DamagedBatchError of another batch that is damaged, and would be read before */
function withoutBatch(fd: TraceBytes, recording: RecordingIndex, place: BatchPlace): Rest {
  switch (place.role) {
    case 'begin':
    case 'table':
    case 'close':
      return {
        left: undefined,
        without: 'its recording was left out, for all of its events depend on what stood there',
      };
    case 'end':
      return {
        left: { ...recording, end: undefined },
        without: 'what its recording held and lost in all was left out',
      };
    case 'events': {
      const left = endedBefore(fd, recording, place);
      return {
        left,
        without:
          left === undefined
            ? `its recording was left out, for nothing that CPU ${place.cpu} told before it is there`
            : `what its recording tells behind the last event that CPU ${place.cpu} told before it was left out`,
      };
    }
  }
}

/** The recording up to the last event that a batch's CPU told before it; undefined where it told none. */
function endedBefore(
  fd: TraceBytes,
  recording: RecordingIndex,
  { cpu, offset }: BatchPlace,
): RecordingIndex | undefined {
  const events = new Map(recording.events);
  events.set(
    cpu,
    firstOf(events.get(cpu), (place) => place.offset < offset),
  );
  const ended: RecordingIndex = { ...recording, events, end: undefined, brokenCpu: cpu };
  const told = new Map<number, number>();
  visitEvents(fd, ended, (from, rows) => told.set(from, (told.get(from) ?? 0) + rows));
  if (told.size === 0) return undefined;
  // Batches of which nothing is told are read by nobody.
  const read = [...told].map(([from, rows]) => {
    let left = rows;
    return [
      from,
      firstOf(events.get(from), (place) => {
        const isTold = left > 0;
        left -= place.rows;
        return isTold;
      }),
    ] as const;
  });
  return { ...ended, events: new Map(read) };
}

/** The first batches of a list, as long as they are wanted. */
function firstOf(list: PlaceList | undefined, isWanted: (place: BatchPlace) => boolean): PlaceList {
  const [any] = list ?? [];
  const first = createPlaceList(any?.recording ?? 0, any?.cpu ?? 0);
  for (const place of list ?? []) {
    if (!isWanted(place)) break;
    first.push(place);
  }
  return first;
}

/** Events of a recording that its visitor gets. */
function toldOf(fd: TraceBytes, recording: RecordingIndex): number {
  let told = 0;
  if (recording.brokenCpu !== undefined) visitEvents(fd, recording, (_cpu, rows) => (told += rows));
  else for (const places of recording.events.values()) for (const { rows } of places) told += rows;
  return told;
}

function visitEvents(
  fd: TraceBytes,
  recording: RecordingIndex,
  visit: (cpu: number, rows: number) => void,
): void {
  const onlyEvents = { ...recording, begin: undefined, tables: [], end: undefined };
  visitRecording(fd, onlyEvents, ({ cpu }, from, to) => visit(cpu, to - from));
}
