/**
 * Writes several sources as one recording in the order of time. Of each CPU of each source one batch is in memory, and
 * of each CPU of the merged trace one more.
 */
import { hasDetail, KIND, NO_VQ, wordsAt, type EventBatch } from '@vhostscope/model';
import { appendCopy, type EventBuilder } from '../event-builder.js';
import { InputError } from '../file-errors.js';
import { createObjectIds, idOf, type ObjectIds } from '../object-ids.js';
import { createRecording, type RecordingInProgress } from '../recording-in-progress.js';
import { withName, naming } from '../trace-header.js';
import { flushFull } from '../batch-flow.js';
import { builderOf, type TraceWriter } from '../trace-writer.js';
import type { MergePlan } from './merge-plan.js';
import { comesBefore, openStream, visitBefore, type SourceStream } from './source-stream.js';
import type { SurveyedSource, TimeSpan } from './source-survey.js';
import {
  isTimely,
  ofEachKind,
  ofKind,
  renamed,
  tellsWhatHappened,
  toldOf,
  type ToldOf,
} from './told-together.js';

/** What was taken of a source. */
export interface MergedSource {
  readonly source: SurveyedSource;
  /** Events that are in the merged trace. */
  events: number;
  /** Events that another source tells, by kind. */
  readonly leftOut: Float64Array;
  /** Of these, those of a time of which the other tells no such event: they are missing. */
  leftOutBeyond: number;
}

/** Kernel stacks of one recorder. The programs tell some thousand. */
const MOST_STACKS = 1 << 20;
/** Lines are numbered in 32 bits; of more events the numbers begin again. */
const LINES = 0xffff_ffff;

/** At most so much later, ns, one recorder tells what another has told. */
const DELAY = 1_000_000n;

/** A source that is being read. */
interface Reading extends MergedSource {
  readonly number: number;
  readonly stream: SourceStream;
  readonly stacks: ObjectIds;
  /** What the latest event was told together with, and by whom that is told. */
  latest: ToldOf;
  teller: number;
  /** The kind of what was left out last of that, and from when to when the teller tells such events. */
  latestKind: number;
  tellersSpan: TimeSpan;
}

/**
 * Merges the sources of a plan into a trace in which nothing is written yet, and does not close it.
 *
 * @param pause asked now and then with how many events were read; the merge goes on when what it returned has come about
 * @param isOver asked now and then whether the rest is to be left out
 */
export async function mergeRecordings(
  writer: TraceWriter,
  plan: MergePlan,
  pause: (events: number) => Promise<void> | undefined,
  isOver: () => boolean,
): Promise<readonly MergedSource[]> {
  const { tellers, firstCpu, firstProcess } = plan;
  const { vqs, devs, objects } = plan.merged;
  const recording = createRecording(writer.recordings++, objects, plan.note);
  writer.lastObjects = objects;
  writer.current = recording;
  const all = plan.sources.map(startReading);
  /** By source, from when to when it tells what; of what goes by the ids of the merged trace. */
  const spans = plan.sources.map(
    (source, number) =>
      new Map(
        [...source.spans].map(([own, span]) => [renamed(own, vqs[number], devs[number]), span]),
      ),
  );
  let read = 0;
  let written = 0;

  /** HOT: once an event. */
  function take(from: Reading, batch: EventBatch, row: number): void {
    if (tellers !== undefined) {
      const own = toldOf(batch, row);
      if (own !== from.latest) {
        from.latest = own;
        from.latestKind = -1;
        const { number } = from;
        from.teller = tellers.get(renamed(own, vqs[number], devs[number])) ?? number;
      }
      if (from.teller !== from.number) return leaveOut(from, batch, row);
    }
    from.events++;
    const builder = builderOf(writer, batch.cpu + firstCpu[from.number]);
    appendCopy(builder, batch, row, (written++ % LINES) + 1);
    rename(from, builder);
    recording.latest = builder;
    flushFull(writer, recording, builder);
  }

  /** Puts the merged trace's numbers into the event that was appended last. HOT. */
  function rename({ number, stacks, source }: Reading, builder: EventBuilder): void {
    const { vq, kind, detail, details } = builder;
    const row = builder.length - 1;
    if (vq[row] !== NO_VQ) vq[row] = vqs[number][vq[row]];
    if (kind[row] === KIND.access || detail[row] === builder.detailCount) return;
    const at = detail[row];
    if (hasDetail(details, at, 'dev')) details.dev[at] = devs[number][details.dev[at]];
    if (hasDetail(details, at, 'owner')) details.owner[at] += firstProcess[number];
    if (hasDetail(details, at, 'pid')) details.pid[at] += firstProcess[number];
    if (hasDetail(details, at, 'stack')) {
      const id = idOf(stacks, details.stack[2 * at], details.stack[2 * at + 1]);
      if (id === MOST_STACKS)
        throw new InputError(`${source.name} names more than ${MOST_STACKS} kernel stacks`);
      // Each recorder numbers its own; a number is that of one stack all the same.
      details.stack[2 * at] = id * all.length + number + 1;
      details.stack[2 * at + 1] = 0;
    }
  }

  function leaveOut(from: Reading, { kind, time }: EventBatch, row: number): void {
    from.leftOut[kind[row]]++;
    if (!tellsWhatHappened(kind[row])) return;
    if (kind[row] !== from.latestKind) {
      from.latestKind = kind[row];
      from.tellersSpan = spanToldBy(from, from.latestKind);
    }
    const { first, last } = from.tellersSpan;
    const at = wordsAt(time, row);
    if (at < first - DELAY || at > last + DELAY) from.leftOutBeyond++;
  }

  /**
   * From when to when the teller of what a source told last tells such events: of that kind, and of the same object and
   * CPU. Where it tells none of that kind, of those by which it tells the same; of anything, where they are not told
   * when they happen.
   */
  function spanToldBy({ teller, number, latest }: Reading, kind: number): TimeSpan {
    const whole = plan.sources[teller];
    if (!isTimely(kind)) return whole;
    const told = renamed(latest, vqs[number], devs[number]);
    const own = spans[teller].get(ofKind(told, kind));
    return own ?? spanOfAll(ofEachKind(told).flatMap((one) => spans[teller].get(one) ?? []));
  }

  for (;;) {
    const [next, second] = firstTwo(all);
    if (next === undefined || isOver()) break;
    const goesFirst = second === undefined || next.number < second.number;
    try {
      visitBefore(next.stream, second?.stream, goesFirst, (batch, from, to) => {
        for (let row = from; row < to; row++) take(next, batch, row);
        read += to - from;
      });
    } catch (error) {
      throw withName(next.source.name, error);
    }
    const paused = pause(read);
    if (paused !== undefined) await paused;
  }
  tellEnd(recording, plan, all);
  return all;
}

/** From the earliest beginning of some spans to their latest end. */
function spanOfAll([one, ...others]: readonly TimeSpan[]): TimeSpan {
  return others.reduce(
    (all, { first, last }) => ({
      first: first < all.first ? first : all.first,
      last: last > all.last ? last : all.last,
    }),
    one,
  );
}

function startReading(source: SurveyedSource, number: number): Reading {
  return {
    source,
    number,
    events: 0,
    leftOut: new Float64Array(256),
    leftOutBeyond: 0,
    stream: naming(source.name, () =>
      openStream(source.trace.fd, source.recording, source.offset ?? 0n),
    ),
    stacks: createObjectIds(0, MOST_STACKS),
    latest: -1,
    teller: number,
    latestKind: -1,
    tellersSpan: source,
  };
}

/** The sources of the next two events. They are few, and so they are looked through. */
function firstTwo(all: readonly Reading[]): [Reading | undefined, Reading | undefined] {
  let first: Reading | undefined;
  let second: Reading | undefined;
  for (const one of all) {
    if (one.stream.heap.length === 0) continue;
    // At one time the source that was named before goes first.
    if (first === undefined || comesBefore(one.stream, first.stream)) {
      second = first;
      first = one;
    } else if (second === undefined || comesBefore(one.stream, second.stream)) second = one;
  }
  return [first, second];
}

/** The merged trace is as whole as the worst of its sources, and what they lost adds up. */
function tellEnd(
  recording: RecordingInProgress,
  { sources, flaws }: MergePlan,
  all: readonly MergedSource[],
): void {
  for (const { counts, lost } of sources) {
    const told = counts === undefined ? lost : new Map(Object.entries(counts.lost));
    for (const [by, howMany] of told)
      recording.lost.set(by, (recording.lost.get(by) ?? 0n) + BigInt(howMany));
  }
  recording.flaws.push(...flaws);
  for (const { name, counts } of sources)
    recording.notes.push(...(counts?.notes ?? []).map((note) => `${name}: ${note}`));
  for (const { source, leftOutBeyond } of all)
    if (leftOutBeyond > 0)
      recording.flaws.push(
        `${source.name}: ${leftOutBeyond} of its events were left out, as another file tells them, and lie before the ` +
          'first or after the last such event of that file',
      );
  const isLive = ({ counts }: SurveyedSource): boolean => counts?.ended !== undefined;
  if (!sources.some(isLive)) return;
  const missing = new Map<string, number>();
  for (const { counts } of sources)
    for (const [by, howMany] of Object.entries(counts?.missing ?? {}))
      missing.set(by, (missing.get(by) ?? 0) + howMany);
  recording.live = {
    ended: sources
      .map(({ name, counts }) => `${name}: ${counts?.ended ?? 'not recorded live'}`)
      .join('; '),
    doubts: sources.flatMap((source) =>
      isLive(source)
        ? (source.counts?.doubts ?? []).map((doubt) => `${source.name}: ${doubt}`)
        : [`${source.name}: nobody counted what was to arrive`],
    ),
    missing: Object.fromEntries(missing),
  };
}
