/**
 * All that the screen tells of a trace up to a moment. It takes events in time order, lets them through an
 * engine for each design, and keeps what the tallies alone do not tell: the last while, who invalidates, storms.
 *
 * Nothing is made per access. Runs are cut where a slice of time ends, and before events that need all that came
 * before them in the tallies.
 */
import {
  AMBIGUOUS,
  AREA_COUNT,
  createDeviceIotlbWatch,
  createDirtyLogWatch,
  createEngine,
  createRingPlaces,
  HIT,
  KIND,
  notePlaces,
  OUTCOMES,
  sampleVirtqueue,
  VIRTQUEUE_SAMPLE_SIZE,
  type DeviceIotlbFound,
  type DirtyLogWatch,
  type Engine,
  type EngineOptions,
  type EventBatch,
  type RingPlaces,
} from '@vhostscope/model';
import { createInvalidations, type Invalidations } from './invalidations.js';
import { createMomentsByVirtqueue, type LastMoments } from './last-moments.js';
import { createStormList, type StormList } from './storm-list.js';
import { createTimeWindow, type Series, type TimeWindow } from './time-window.js';
import { createToldOfRecording, type ToldOfRecording } from './told-of-recording.js';
import { createVirtqueueList, type VirtqueueList } from './virtqueue-list.js';

export interface AccountOptions {
  /** Of the design that is looked at, and of another beside it. */
  readonly chosen: EngineOptions;
  readonly beside: EngineOptions | undefined;
  readonly stormRate: number;
  /** ns of the window. */
  readonly window: number;
  /** First event of the trace, ns of the clock: times are counted from it. */
  readonly first: bigint;
  /** Which virtqueues transmit; undefined where that is to be found out on the way. */
  readonly transmitting: ReadonlySet<number> | undefined;
}

/** What a design makes of the trace. */
export interface Judge {
  readonly engine: Engine;
  /** Rows of `sampleVirtqueue` by id. */
  readonly rows: Series;
  /** By id: hits, then hits and fallbacks together. */
  readonly ratios: Series;
}

export interface Account {
  readonly options: AccountOptions;
  readonly chosen: Judge;
  readonly beside: Judge | undefined;
  readonly virtqueues: VirtqueueList;
  readonly transmitting: ReadonlySet<number>;
  readonly invalidations: Invalidations;
  readonly storms: StormList;
  readonly told: ToldOfRecording;
  /** What no design changes: the device IOTLB, and the log of dirty memory. */
  readonly iotlb: DeviceIotlbFound;
  readonly logged: DirtyLogWatch['logged'];
  readonly rings: RingPlaces;
  /** Ranges over rings by virtqueue; ranges by maker; all ranges, at place 0. */
  readonly overlapping: Series;
  readonly byMaker: Series;
  readonly ranges: Series;
  readonly window: TimeWindow;
  /** Events taken. */
  readonly events: number;
  /** The last two moments at which there was an event; likewise rounds, of a virtqueue or of any. */
  readonly last: number;
  readonly beforeLast: number;
  lastRound(vq: number | undefined): LastMoments;
  /** Nobody asks for the window that ends before this moment. */
  skipUntil(moment: number): void;
  /** Rows that say something of a recording: no events, and their times are of no moment. */
  hear(batch: EventBatch, from: number, to: number): void;
  /** As `Engine.consume`. HOT. */
  consume(batch: EventBatch, from: number, to: number): void;
  /** The trace has ended. */
  finish(): void;
}

const ACCESS = KIND.access;

/** What is done with a kind of event beside the engines: it is counted, or more. */
const COUNTED = 1;
const SEEN = 2;

export function createAccount(options: AccountOptions): Account {
  const { first } = options;
  const { host = 'direct-map' } = options.chosen;
  const firstLow = Number(first & 0xffff_ffffn);
  const firstHigh = Number(first >> 32n);
  const window = createTimeWindow(options.window);
  const virtqueues = createVirtqueueList();
  /** Runs of events that the engines have got. */
  let fed = 0;
  /** Does nothing where they have got none since the last time. */
  const whenFed = (refresh: (now: Float64Array) => Float64Array): typeof refresh => {
    let done = -1;
    return (now) => {
      if (done === fed) return now;
      done = fed;
      return refresh(now);
    };
  };
  const judgeOf = (engineOptions: EngineOptions): Judge => {
    const engine = createEngine(engineOptions);
    const rows = window.add(
      0,
      whenFed((now) => {
        const size = virtqueues.size * VIRTQUEUE_SAMPLE_SIZE;
        const into = now.length === size ? now : new Float64Array(size);
        for (let vq = 0; vq < virtqueues.size; vq++)
          sampleVirtqueue(engine.tallies, vq, into, vq * VIRTQUEUE_SAMPLE_SIZE);
        return into;
      }),
    );
    const ratios = window.add(
      0,
      whenFed((now) => {
        const size = 2 * virtqueues.size;
        const into = now.length === size ? now : new Float64Array(size);
        for (let vq = 0; vq < virtqueues.size; vq++) sumRatio(rows.now, vq, into);
        return into;
      }),
    );
    return { engine, rows, ratios };
  };
  const chosen = judgeOf(options.chosen);
  const beside = options.beside === undefined ? undefined : judgeOf(options.beside);
  const engines = beside === undefined ? [chosen.engine] : [chosen.engine, beside.engine];
  let rings = createRingPlaces();
  const byMaker = window.add(64);
  const invalidations = createInvalidations(host, () => rings, chosen.engine.tallies, byMaker);
  const overlapping = window.add(0, () => invalidations.overlapping);
  const ranges = window.add(1, (now) => {
    now[0] = chosen.engine.tallies.ranges.start;
    return now;
  });
  const storms = createStormList(host, options.stormRate, chosen.engine, (dev, from, to) =>
    invalidations.perSecond(dev, Number(from - first), Number(to - first)),
  );
  const told = createToldOfRecording();
  const iotlb = createDeviceIotlbWatch(options.stormRate);
  const dirtyLog = createDirtyLogWatch();
  let transmitting: ReadonlySet<number> = options.transmitting ?? new Set();
  storms.transmit(transmitting, -1n);

  const does = new Uint8Array(256).fill(COUNTED);
  for (const kind of [
    KIND.recording,
    KIND.virtqueue,
    KIND.round,
    KIND.lost,
    KIND.notifier,
    KIND.heartbeat,
  ])
    does[kind] = SEEN;
  for (let kind = 0; kind < 256; kind++) if (storms.wants[kind] === 1) does[kind] = SEEN;
  let recording = -1;
  let events = 0;
  let last = -1;
  let beforeLast = -1;
  const rounds = createMomentsByVirtqueue();

  /** ns since the first event. HOT. */
  function momentOf({ time }: EventBatch, i: number): number {
    return (time[2 * i + 1] - firstHigh) * 2 ** 32 + (time[2 * i] - firstLow);
  }

  function transmit(found: ReadonlySet<number>, moment: number): void {
    if (found === transmitting) return;
    transmitting = found;
    storms.transmit(found, first + BigInt(Math.max(0, moment)));
  }

  function findTransmitting(): void {
    if (options.transmitting === undefined)
      transmit(virtqueues.transmitting(chosen.engine.tallies), last);
  }

  function see(batch: EventBatch, i: number): void {
    const kind = batch.kind[i];
    told.byKind[kind]++;
    if (storms.wants[kind] === 1) storms.consume(batch, i);
    switch (kind) {
      case KIND.recording:
        recording++;
        rings = createRingPlaces();
        invalidations.begin(recording);
        told.begin();
        return;
      case KIND.virtqueue:
        virtqueues.note(batch, i, Math.max(0, recording));
        notePlaces(rings, batch, i);
        return;
      case KIND.addresses:
      case KIND.reset:
        notePlaces(rings, batch, i);
        return;
      case KIND.round: {
        const vq = batch.vq[i];
        rounds.note(vq, momentOf(batch, i));
        invalidations.noteRound(vq);
        return;
      }
      case KIND.lost:
        told.noteLoss(batch, i);
        invalidations.noteGap(batch, i);
        return;
      case KIND.notifier:
        invalidations.noteGap(batch, i);
        return;
      case KIND.heartbeat:
        told.noteHeartbeat(batch, i);
        return;
      case KIND.stack:
        invalidations.noteStack(batch, i);
        return;
      case KIND.range_start:
      case KIND.range_end:
      case KIND.core_range_start:
      case KIND.core_range_end:
        invalidations.note(batch, i, momentOf(batch, i));
    }
  }

  function watch(batch: EventBatch, i: number): void {
    const kind = batch.kind[i];
    if (iotlb.wants[kind] === 1) iotlb.consume(batch, i, i + 1);
    if (dirtyLog.wants[kind] === 1) dirtyLog.consume(batch, i, i + 1);
  }

  function feed(batch: EventBatch, from: number, to: number): void {
    fed++;
    chosen.engine.consume(batch, from, to);
    beside?.engine.consume(batch, from, to);
  }

  /** HOT: one comparison for each event that is an access. */
  function consumeSlice(batch: EventBatch, from: number, to: number): void {
    const { kind: kinds } = batch;
    const { byKind } = told;
    let begin = from;
    let others = 0;
    for (let i = from; i < to; i++) {
      const kind = kinds[i];
      if (kind === ACCESS) continue;
      others++;
      watch(batch, i);
      if (does[kind] === COUNTED) {
        byKind[kind]++;
        continue;
      }
      if (i > begin) feed(batch, begin, i);
      begin = i;
      see(batch, i);
    }
    if (to > begin) feed(batch, begin, to);
    byKind[KIND.access] += to - from - others;
  }

  function consume(batch: EventBatch, from: number, to: number): void {
    for (let begin = from; begin < to;) {
      let end = to;
      if (momentOf(batch, to - 1) >= window.next) {
        end = begin;
        while (end < to && momentOf(batch, end) < window.next) end++;
      }
      if (end > begin) consumeSlice(batch, begin, end);
      if (end < to) {
        // Its time may be behind the last event of the slice, where a clock went back.
        window.cross(momentOf(batch, end));
        findTransmitting();
      }
      begin = end;
    }
    noteTimes(batch, from, to);
    events += to - from;
  }

  function noteTimes(batch: EventBatch, from: number, to: number): void {
    const moment = momentOf(batch, to - 1);
    if (moment === last) return;
    let row = to - 2;
    while (row >= from && momentOf(batch, row) === moment) row--;
    beforeLast = row >= from ? momentOf(batch, row) : last;
    last = moment;
  }

  return {
    options,
    chosen,
    beside,
    virtqueues,
    get transmitting() {
      return transmitting;
    },
    invalidations,
    storms,
    told,
    iotlb: iotlb.found,
    logged: dirtyLog.logged,
    get rings() {
      return rings;
    },
    overlapping,
    byMaker,
    ranges,
    window,
    get events() {
      return events;
    },
    get last() {
      return last;
    },
    get beforeLast() {
      return beforeLast;
    },
    lastRound: (vq) => rounds.of(vq),
    skipUntil: (moment) => window.skipUntil(moment - options.window),
    hear: (batch, from, to) => {
      for (let i = from; i < to; i++) see(batch, i);
      for (let i = from; i < to; i++) watch(batch, i);
      feed(batch, from, to);
      findTransmitting();
    },
    consume,
    finish: () => {
      for (const engine of engines) engine.finish();
      fed++;
      // A range may be under way up to the end.
      if (last >= 0) storms.until(first + BigInt(last));
      storms.finish();
    },
  };
}

/** Of a virtqueue's row: what hit, and what was decided by the design. */
function sumRatio(rows: Float64Array, vq: number, into: Float64Array): void {
  let hits = 0;
  let decided = 0;
  for (let area = 0; area < AREA_COUNT; area++) {
    const first = vq * VIRTQUEUE_SAMPLE_SIZE + area * OUTCOMES;
    hits += rows[first + HIT];
    decided += rows[first + HIT];
    for (let outcome = AMBIGUOUS + 1; outcome < OUTCOMES; outcome++)
      decided += rows[first + outcome];
  }
  into[2 * vq] = hits;
  into[2 * vq + 1] = decided;
}
