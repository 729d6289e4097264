/** What a source of a merge holds, found by going through it once: which objects it names, and what it tells of them. */
import {
  hasDetail,
  KIND,
  NO_VQ,
  wordsAt,
  type DetailColumns,
  type EventBatch,
} from '@vhostscope/model';
import { createBatchMemory, readBatch } from '../batch-reader.js';
import { InputError } from '../file-errors.js';
import { visitTraceAtPace } from '../merge-cpus.js';
import type { OpenTrace } from '../open-trace.js';
import { recordedNothing, recordingCounts } from '../read-recording-counts.js';
import type { RecordingCounts } from '../recording-counts.js';
import { withName } from '../trace-header.js';
import type { RecordingIndex } from '../trace-index.js';
import { ofKind, toldOf, type ToldOf } from './told-together.js';

export interface MergeSource {
  readonly name: string;
  readonly trace: OpenTrace;
  /** ns that are to be added to its times; undefined where the user said nothing of its clock. */
  readonly offset: bigint | undefined;
}

/** A virtqueue as a source describes it; ids are those of the source. */
export interface SourceVirtqueue {
  readonly id: number;
  readonly rank: number;
  readonly address: bigint | undefined;
  readonly dev: number | undefined;
  /** Whether a line said which device is its, so that it does not follow from addresses. */
  readonly isDeviceTold: boolean;
  readonly owner: number | undefined;
  readonly place: number | undefined;
  readonly notified: number | undefined;
}

export interface TimeSpan {
  first: bigint;
  last: bigint;
}

export interface SurveyedSource extends MergeSource {
  /** The one recording that it holds. */
  readonly recording: RecordingIndex;
  /** Its first line, or what printed it. */
  readonly note: string;
  /** What its end says; undefined where it has none. */
  readonly counts: RecordingCounts | undefined;
  /** Times of its first and last event, as they will be in the merged trace. */
  readonly first: bigint;
  readonly last: bigint;
  readonly kinds: ReadonlySet<number>;
  /** How many events of each kind. */
  readonly events: Float64Array;
  readonly told: ReadonlySet<ToldOf>;
  /** Times of the first and the last event of each kind of each of these, as they will be in the merged trace. */
  readonly spans: ReadonlyMap<ToldOf, TimeSpan>;
  /** By id. */
  readonly virtqueues: ReadonlyMap<number, SourceVirtqueue>;
  /** Devices that it names, by id, with their addresses where they are known. */
  readonly devices: ReadonlyMap<number, bigint | undefined>;
  /** Processes whose memory it tells of. */
  readonly owners: ReadonlySet<number>;
  readonly mostCpu: number;
  readonly mostProcess: number;
  /** Losses that stand among its events, by who lost them. */
  readonly lost: ReadonlyMap<string, bigint>;
}

/** ns. */
export const MOST_TIME = (1n << 63n) - 1n;

/**
 * @param pause asked now and then with how many events were read; the survey goes on when what it returned has come
 *   about
 * @throws InputError where it cannot be merged by itself, TraceFormatError where it cannot be read; both name it
 */
export async function surveySource(
  source: MergeSource,
  pause: (events: number) => Promise<void> | undefined,
): Promise<SurveyedSource> {
  try {
    return await surveyed(source, pause);
  } catch (error) {
    throw withName(source.name, error);
  }
}

async function surveyed(
  source: MergeSource,
  pause: (events: number) => Promise<void> | undefined,
): Promise<SurveyedSource> {
  const { name, trace, offset = 0n } = source;
  const recording = onlyRecording(source);
  const events = new Float64Array(256);
  const told = new Set<ToldOf>();
  const spans = new Map<ToldOf, TimeSpan>();
  const vqs = new Set<number>();
  const devices = new Map<number, bigint | undefined>();
  const owners = new Set<number>();
  const lost = new Map<string, bigint>();
  let first: bigint | undefined;
  let last = 0n;
  let mostProcess = 0;
  let latest = -1;
  let latestKind = -1;
  let span: TimeSpan | undefined;
  let read = 0;

  /** HOT: once an event. */
  function noteTime(batch: EventBatch, row: number): void {
    const time = wordsAt(batch.time, row);
    if (first === undefined || time < first) first = time;
    if (time > last) last = time;
    if (span === undefined) return;
    if (time < span.first) span.first = time;
    if (time > span.last) span.last = time;
  }

  function spanOf(one: ToldOf): TimeSpan {
    const known = spans.get(one);
    if (known !== undefined) return known;
    const begun = { first: MOST_TIME, last: 0n };
    spans.set(one, begun);
    return begun;
  }

  function noteDetails(details: DetailColumns, at: number): void {
    if (hasDetail(details, at, 'dev')) devices.set(details.dev[at], undefined);
    if (hasDetail(details, at, 'owner')) {
      owners.add(details.owner[at]);
      mostProcess = Math.max(mostProcess, details.owner[at]);
    }
    if (hasDetail(details, at, 'pid')) mostProcess = Math.max(mostProcess, details.pid[at]);
  }

  await visitTraceAtPace(
    trace.fd,
    {
      ...trace.index,
      recordings: [{ ...recording, begin: undefined, tables: [], end: undefined }],
    },
    (batch, from, to) => {
      read += to - from;
      for (let row = from; row < to; row++) {
        const kind = batch.kind[row];
        events[kind]++;
        const one = toldOf(batch, row);
        if (one !== latest || kind !== latestKind) {
          latest = one;
          latestKind = kind;
          told.add(one);
          span = one === 0 ? undefined : spanOf(ofKind(one, kind));
          if (batch.vq[row] !== NO_VQ) vqs.add(batch.vq[row]);
        }
        if (kind === KIND.access) {
          noteTime(batch, row);
          continue;
        }
        const at = batch.detail[row];
        if (batch.detail[row + 1] > at) noteDetails(batch.details, at);
        if (kind === KIND.lost) noteLoss(lost, batch.details, at);
        // A clock may go back, and a loss before all events has no time.
        else noteTime(batch, row);
      }
    },
    () => pause(read),
  );
  const virtqueues = virtqueuesOf(trace, recording, vqs);
  for (const { dev, owner } of virtqueues.values()) {
    if (dev !== undefined) devices.set(dev, undefined);
    if (owner === undefined) continue;
    owners.add(owner);
    mostProcess = Math.max(mostProcess, owner);
  }
  const known = trace.objects?.devices;
  for (const dev of devices.keys()) devices.set(dev, known?.addresses[dev - known.firstId]);
  for (const one of spans.values()) {
    one.first += offset;
    one.last += offset;
  }
  const begins = (first ?? 0n) + offset;
  if (begins < 0n || last + offset > MOST_TIME)
    throw new InputError(
      `with its offset, ${name} would have events ${begins < 0n ? 'before the time 0' : 'after all times that there are'}`,
    );
  return {
    ...source,
    recording,
    note: noteOf(trace, recording),
    counts: recordingCounts(trace.fd, recording),
    first: begins,
    last: last + offset,
    kinds: new Set([...events.keys()].filter((kind) => events[kind] > 0)),
    events,
    told,
    spans,
    virtqueues,
    devices,
    owners,
    mostCpu: Math.max(0, ...recording.events.keys()),
    mostProcess,
    lost,
  };
}

function onlyRecording({ name, trace }: MergeSource): RecordingIndex {
  const [recording, ...others] = trace.index.recordings.filter(({ events }) => events.size > 0);
  if (recording === undefined) {
    const nothing = recordedNothing(trace);
    throw new InputError(
      nothing === undefined
        ? `no events in ${name}`
        : `${nothing}: there is nothing to merge; merge the others without it`,
    );
  }
  if (others.length > 0)
    throw new InputError(
      `${name} holds ${others.length + 1} recordings, one after the other, each of which begins with nothing known: a merge takes one of each file`,
    );
  return recording;
}

function noteLoss(lost: Map<string, bigint>, details: DetailColumns, at: number): void {
  const by = textAt(details, at);
  lost.set(by, (lost.get(by) ?? 0n) + wordsAt(details.lost, at));
}

function noteOf({ fd }: OpenTrace, { begin }: RecordingIndex): string {
  if (begin === undefined) return '';
  const { kind, details } = readBatch(fd, begin, createBatchMemory());
  return kind[0] === KIND.recording ? textAt(details, 0) : '';
}

function textAt({ note: { offsets, bytes } }: DetailColumns, at: number): string {
  return new TextDecoder().decode(bytes.subarray(offsets[at], offsets[at + 1]));
}

/** Those that its tables describe, the latest word on each, and those that it names without one. */
function virtqueuesOf(
  { fd, objects }: OpenTrace,
  { tables }: RecordingIndex,
  named: ReadonlySet<number>,
): Map<number, SourceVirtqueue> {
  const found = new Map<number, SourceVirtqueue>();
  const memory = createBatchMemory();
  const known = objects?.virtqueues;
  const addressOf = (id: number): bigint | undefined => known?.addresses[id - known.firstId];
  for (const table of tables) {
    const { length, vq, detail, details } = readBatch(fd, table, memory);
    for (let row = 0; row < length; row++) {
      const at = detail[row];
      const id = vq[row];
      const value = (field: 'dev' | 'owner' | 'place' | 'notified' | 'rank'): number | undefined =>
        hasDetail(details, at, field) ? details[field][at] : undefined;
      found.set(id, {
        id,
        rank: value('rank') ?? id,
        address: hasDetail(details, at, 'pointer') ? wordsAt(details.pointer, at) : addressOf(id),
        dev: value('dev'),
        // Of a trace file, what its writer found out or was told.
        isDeviceTold:
          known === undefined
            ? value('dev') !== undefined
            : objects?.told[id - known.firstId] !== undefined,
        owner: value('owner'),
        place: value('place'),
        notified: value('notified'),
      });
    }
  }
  for (const id of named)
    if (!found.has(id))
      found.set(id, {
        id,
        rank: id,
        address: addressOf(id),
        dev: undefined,
        isDeviceTold: false,
        owner: undefined,
        place: undefined,
        notified: undefined,
      });
  return found;
}
