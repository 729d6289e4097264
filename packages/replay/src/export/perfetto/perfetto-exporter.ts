/** A trace as Perfetto's TrackEvents: maps, rounds, invalidations, storms, rates. */
import {
  AMBIGUOUS,
  DEFAULT_STORM_RATE,
  HIT,
  INVALIDATION_CLASSES,
  KIND,
  NO_VQ,
  hasDetail,
  rangeStartOf,
  timeAt,
  type Engine,
  type EventBatch,
} from '@vhostscope/model';
import { recordingCounts, type OpenTrace } from '@vhostscope/trace';
import { findStorms, type FoundStorms } from '../../find-storms.js';
import type { ResultHead } from '../../result-head.js';
import { countRecording } from '../../recording-list.js';
import type { Decided } from '../decided-events.js';
import type { EventView } from '../event-view.js';
import type { Exporter } from '../exporter.js';
import type { ExportOutput } from '../export-output.js';
import { annotationsOf, judgementOf, keyOf, nameOf, type ClassOfStack } from './event-words.js';
import { createPacketStream, type Time } from './packet-sequence.js';
import { stepWidth } from './rate-counters.js';
import {
  createRecordingTracks,
  STORMS,
  type RecordingTracks,
  type VirtqueueTracks,
} from './recording-tracks.js';
import type { RangeLanes } from './range-lanes.js';
import { createStormSlices } from './storm-slices.js';

/** What is told of a virtqueue as instants. */
const INSTANTS: ReadonlyMap<number, string> = new Map([
  [KIND.addresses, 'addresses'],
  [KIND.unmap, 'unmap'],
  [KIND.reset, 'reset'],
  [KIND.iotlb, 'device IOTLB'],
  [KIND.iotlb_miss, 'device IOTLB miss'],
  [KIND.dirty_log, 'dirty log'],
]);

export function perfettoExporter(
  output: ExportOutput,
  head: ResultHead,
  trace: OpenTrace,
  view: EventView,
): Exporter {
  const stream = createPacketStream(output);
  const { recordings } = trace.index;
  const rangeStart = rangeStartOf(head.host);
  // One pass before the export finds the storms, and what kernel stacks stand for: a stack is told once, on one CPU,
  // and ranges of others may come before it.
  const found = findStorms(trace, DEFAULT_STORM_RATE, undefined, undefined, view.through);
  const storms = createStormSlices(stream, found);
  const classOf = head.host === 'stock' ? classesOf(found) : undefined;
  let tracks: RecordingTracks | undefined;
  let current = 0;
  let isOpening = true;
  let now: Time = 0;

  const begin = (time: Time, number: number): RecordingTracks => {
    const recording = recordings[number];
    const { first, last } =
      recording === undefined
        ? {}
        : (recordingCounts(trace.fd, recording) ?? countRecording(trace.fd, recording));
    const label = recordings.length > 1 ? `, recording ${number}` : '';
    const since = first === undefined ? 0n : BigInt(first) - view.timeBase(number);
    const width = stepWidth(Number(BigInt(last ?? 0) - BigInt(first ?? 0)));
    const made = createRecordingTracks(stream, label, since, width);
    made.sequence.instant(time, made.root, 'how it was judged', judgementOf(head));
    current = number;
    isOpening = true;
    return made;
  };

  const end = (ending: RecordingTracks): void => {
    ending.end(now);
    storms.tell(current, (dev) => ending.device(dev), STORMS);
  };

  /** Once the tables are read: all virtqueues of the recording, as it finds them. */
  const open = (to: RecordingTracks, engine: Engine): void => {
    isOpening = false;
    for (const vq of to.placed()) to.virtqueue(vq).maps.update(now, engine);
  };

  let judge: Engine | undefined;
  const updateMaps = (vq: number): void => {
    if (judge !== undefined) tracks?.virtqueue(vq).maps.update(now, judge);
  };

  return {
    visit: (batch, i, decided, engine) => {
      const kind = batch.kind[i] ?? 0;
      judge = engine;
      if (kind === KIND.recording && tracks !== undefined) end(tracks);
      now = exactTime(batch, i);
      if (tracks === undefined || kind === KIND.recording)
        tracks = begin(now, Math.max(0, decided.recording));
      if (kind === KIND.recording || kind === KIND.recording_end) return;
      if (kind === KIND.virtqueue) return place(tracks, batch, i);
      if (isOpening) open(tracks, engine);
      tracks.counters.reach(now);
      if (kind === KIND.access) countAccess(tracks, batch, i, now, decided);
      else tell(tracks, batch, i, now, decided, classOf?.(decided.recording), rangeStart);
      engine.visitTouched(updateMaps);
      if (kind === KIND.lost)
        for (const { maps } of tracks.virtqueues.values()) maps.update(now, engine);
    },
    finish: () => {
      if (tracks !== undefined) end(tracks);
      stream.flush();
    },
  };
}

/** By recording; what nobody knows has no name. */
function classesOf({ classOf }: FoundStorms): (recording: number) => ClassOfStack {
  return (recording) => (stack) => {
    const number = classOf(recording, stack) ?? UNKNOWN_CLASS;
    return number === UNKNOWN_CLASS ? undefined : INVALIDATION_CLASSES[number];
  };
}

const UNKNOWN_CLASS = INVALIDATION_CLASSES.indexOf('unknown');

/** HOT: nearly all events. */
function countAccess(
  tracks: RecordingTracks,
  { vq, n }: EventBatch,
  i: number,
  time: Time,
  { outcome }: Decided,
): void {
  const accesses = outcome < 0 ? 0 : (n[i] ?? 0);
  const hits = outcome === HIT ? accesses : 0;
  const ambiguous = outcome === AMBIGUOUS ? accesses : 0;
  const of = tracks.virtqueue(vq[i] ?? 0);
  of.rounds.act(time);
  count(tracks, of, accesses, hits, ambiguous);
}

function count(
  tracks: RecordingTracks,
  of: VirtqueueTracks,
  accesses: number,
  hits: number,
  ambiguous: number,
): void {
  of.rounds.count(accesses, hits, ambiguous);
  of.accesses(accesses);
  of.ratios(accesses, hits, ambiguous);
  tracks.accesses(accesses);
  tracks.ratios(accesses, hits, ambiguous);
}

/**
 * Every event that is no access.
 *
 * @param rangeStart the event that tells of each range, where others tell of the same
 */
function tell(
  tracks: RecordingTracks,
  batch: EventBatch,
  i: number,
  time: Time,
  decided: Decided,
  classOf: ClassOfStack | undefined,
  rangeStart: number,
): void {
  const { sequence } = tracks;
  const { details } = batch;
  const kind = batch.kind[i] ?? 0;
  const vq = batch.vq[i] ?? NO_VQ;
  const detail = batch.detail[i] ?? 0;
  for (const { outcome, estimate } of decided.derived) {
    const hits = outcome === HIT ? estimate : 0;
    const ambiguous = outcome === AMBIGUOUS ? estimate : 0;
    count(tracks, tracks.virtqueue(vq), estimate, hits, ambiguous);
  }
  const instant = INSTANTS.get(kind);
  if (instant !== undefined) {
    sequence.instant(time, tracks.virtqueue(vq).track, instant, annotationsOf(batch, i));
    return;
  }
  switch (kind) {
    case KIND.round:
      tracks.virtqueue(vq).rounds.begin(time);
      return;
    case KIND.prefetch:
      tracks.virtqueue(vq).rounds.act(time);
      return;
    case KIND.round_end:
      tracks.virtqueue(vq).rounds.end(time);
      return;
    case KIND.notifier: {
      const dev = details.dev[detail] ?? 0;
      // None is registered while a range is under way: those that seem to be ended while nobody was told.
      if (details.registered[detail] === 1 && details.error[detail] === 0)
        tracks.rangesOfDevice(dev).abandon(time);
      sequence.instant(time, tracks.device(dev), 'notifier', annotationsOf(batch, i));
      return;
    }
    case KIND.range_start:
    case KIND.core_range_start: {
      if (kind === rangeStart) tracks.invalidations(1);
      const annotations = annotationsOf(batch, i);
      lanesOf(tracks, batch, i).start(
        time,
        keyOf(batch, i),
        nameOf(batch, i, classOf),
        annotations,
      );
      return;
    }
    case KIND.range_end:
    case KIND.core_range_end:
      lanesOf(tracks, batch, i).end(time, keyOf(batch, i), nameOf(batch, i, classOf));
      return;
    case KIND.tlb_flush:
      sequence.instant(
        time,
        tracks.flushes(details.owner[detail] ?? 0),
        nameOf(batch, i, classOf),
        annotationsOf(batch, i),
      );
      return;
    case KIND.lost:
      // The ends of ranges may be among what is lost.
      tracks.abandonRanges(time);
      sequence.instant(time, tracks.root, 'events lost', annotationsOf(batch, i));
  }
}

function place(tracks: RecordingTracks, { vq, detail, details }: EventBatch, i: number): void {
  const at = detail[i] ?? 0;
  tracks.place(
    vq[i] ?? 0,
    hasDetail(details, at, 'dev') ? details.dev[at] : undefined,
    hasDetail(details, at, 'owner') ? details.owner[at] : undefined,
  );
}

/** vhost's own callbacks are of a device, the memory manager's calls of a process. */
function lanesOf(tracks: RecordingTracks, batch: EventBatch, i: number): RangeLanes {
  const { kind, detail, details } = batch;
  const at = detail[i] ?? 0;
  return kind[i] === KIND.range_start || kind[i] === KIND.range_end
    ? tracks.rangesOfDevice(details.dev[at] ?? 0)
    : tracks.rangesOfOwner(details.owner[at] ?? 0);
}

/** High word of the first time that is no exact number (104 days of ns). */
const WIDE = 1 << 21;

function exactTime(batch: EventBatch, i: number): Time {
  const high = batch.time[2 * i + 1] ?? 0;
  return high < WIDE ? high * 2 ** 32 + (batch.time[2 * i] ?? 0) : timeAt(batch, i);
}
