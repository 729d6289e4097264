/**
 * Ranges over rings as they come: who makes them and why, over which virtqueues, and what fell back after them.
 *
 * A fallback is put down to the range that came last over its virtqueue, until the round after the one in which
 * a map was built again: from then on it has another reason. So has one that invalidate_count refused in a round that
 * began while no range was under way over the virtqueue: the count is stuck, which `replay hazards` proves.
 */
import {
  commAt,
  fallbacksOf,
  hasDetail,
  INVALIDATION_CLASSES,
  KIND,
  mapsBuilt,
  noteStack,
  rangeIdentity,
  rangeStartOf,
  refusedByCountOf,
  ringsUnder,
  stackKey,
  wordsAt,
  type EventBatch,
  type HostKind,
  type RingPlaces,
  type StackClasses,
  type Tallies,
} from '@vhostscope/model';
import { createMomentsByVirtqueue, type LastMoments } from './last-moments.js';
import { createRangesUnderWay } from './ranges-under-way.js';
import type { Series } from './time-window.js';

/** Who makes ranges, why. */
export interface Maker {
  /** Its place in the series of counts. */
  readonly index: number;
  readonly recording: number;
  /** Of enum mmu_notifier_event. */
  readonly cause: number;
  readonly stack: bigint | undefined;
  readonly pid: number;
  readonly comm: string;
  /** Of ranges over rings. */
  ranges: number;
  /** Put down to them, of stretches that are over. */
  fallbacks: number;
}

/** A range over a ring. */
export interface SeenRange {
  readonly at: number;
  readonly line: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly maker: Maker;
  /** ns; undefined while it is under way, and not known where its end may have been lost. */
  lasted: number | 'not known' | undefined;
}

/** Ranges kept for each virtqueue. */
const MOST_KEPT = 16;
/** Makers told apart; the others are one. */
const MOST_MAKERS = 4096;
/** Seconds in which ranges of a device are counted. */
const MOST_SECONDS = 600;

/** Whose fallbacks those of a virtqueue are at present. */
interface Blamed {
  readonly maker: Maker;
  /** Fallbacks, and maps built, when its range came. */
  readonly fallbacks: number;
  readonly built: number;
  /** Those that the count had refused when the first round began without a range under way. */
  refused: number | undefined;
}

export interface Invalidations {
  readonly makers: ReadonlyMap<string, Maker>;
  /** Ranges over the rings of each virtqueue. */
  readonly overlapping: Float64Array;
  /** The last ranges over a virtqueue, oldest first. */
  rangesOf(vq: number): readonly SeenRange[];
  /** Fallbacks put down to a maker, to this moment. */
  fallbacksOf(maker: Maker): number;
  classOf(maker: Maker): string | undefined;
  /** Ranges over rings of a device by whole second of the trace. */
  perSecond(dev: number, from: number, to: number): readonly number[];
  /** Whether the beginning of a range is over a ring; of one virtqueue, or of any. */
  isOver(batch: EventBatch, i: number, vq: number | undefined): boolean;
  /** The last moments, one before the other, at which a range over a ring began; of one virtqueue, or of any. */
  lastOf(vq: number | undefined): LastMoments;
  /** A range begins or ends. All before it is in the tallies. */
  note(batch: EventBatch, i: number, at: number): void;
  /** Events were lost, or callbacks are entered no more: ends may not come. */
  noteGap(batch: EventBatch, i: number): void;
  noteStack(batch: EventBatch, i: number): void;
  /** A round begins. All before it is in the tallies. */
  noteRound(vq: number): void;
  /** A recording begins: nothing goes on. */
  begin(recording: number): void;
}

/**
 * @param tallies of the design by which fallbacks are told
 * @param counts ranges by maker, for the window
 */
export function createInvalidations(
  host: HostKind,
  rings: () => RingPlaces,
  tallies: Tallies,
  counts: Series,
): Invalidations {
  const rangeStart = rangeStartOf(host);
  const rangeEnd = host === 'stock' ? KIND.core_range_end : KIND.range_end;
  const makers = new Map<string, Maker>();
  const classes: StackClasses = new Map();
  const blamed = new Map<number, Blamed>();
  const kept = new Map<number, SeenRange[]>();
  const seconds = new Map<number, Map<number, number>>();
  const moments = createMomentsByVirtqueue();
  const underWay = createRangesUnderWay<SeenRange>();
  let overlapping = new Float64Array(16);
  let recording = 0;

  function makerOf(batch: EventBatch, row: number): Maker {
    const { details } = batch;
    const stack = hasDetail(details, row, 'stack') ? wordsAt(details.stack, row) : undefined;
    const cause = details.cause[row];
    const pid = details.pid[row];
    const comm = commAt(details.comm, row);
    const isFull = makers.size >= MOST_MAKERS;
    const key = `${recording} ${cause} ${stack} ${pid} ${comm}`;
    const known = makers.get(key) ?? (isFull ? makers.get(OTHERS) : undefined);
    if (known !== undefined) return known;
    const made: Maker = {
      index: makers.size,
      recording,
      cause: isFull ? -1 : cause,
      stack: isFull ? undefined : stack,
      pid: isFull ? 0 : pid,
      comm: isFull ? '' : comm,
      ranges: 0,
      fallbacks: 0,
    };
    makers.set(isFull ? OTHERS : key, made);
    return made;
  }

  /** Fallbacks of a virtqueue that are put down to the range that came last over it. */
  function shareOf(vq: number, { fallbacks, refused }: Blamed): number {
    const share = fallbacksOf(tallies, vq) - fallbacks;
    return refused === undefined ? share : share - (refusedByCountOf(tallies, vq) - refused);
  }

  function settle(vq: number): void {
    const one = blamed.get(vq);
    if (one === undefined) return;
    one.maker.fallbacks += shareOf(vq, one);
    blamed.delete(vq);
  }

  function begins(batch: EventBatch, i: number, at: number): void {
    const { details } = batch;
    const row = batch.detail[i];
    const start = wordsAt(details.start, row);
    const end = wordsAt(details.end, row);
    let seen: SeenRange | undefined;
    const virtqueues: number[] = [];
    for (const dev of devicesUnder(batch, i)) {
      const under = ringsUnder(rings(), dev, start, end);
      if (under.length === 0) continue;
      seen ??= newRange(batch, i, at, start, end);
      addSecond(dev, at);
      for (const vq of under) touch(vq, seen, at);
      virtqueues.push(...under);
    }
    if (seen === undefined) return;
    underWay.begin({ identity: rangeIdentity(batch, i, whoOf(batch, i)), seen, virtqueues });
  }

  function newRange(
    batch: EventBatch,
    i: number,
    at: number,
    start: bigint,
    end: bigint,
  ): SeenRange {
    const maker = makerOf(batch, batch.detail[i]);
    maker.ranges++;
    if (counts.now.length <= maker.index) counts.now = grown(counts.now, maker.index);
    counts.now[maker.index]++;
    return { at, line: batch.line[i], start, end, maker, lasted: undefined };
  }

  function touch(vq: number, seen: SeenRange, at: number): void {
    if (overlapping.length <= vq) overlapping = grown(overlapping, vq);
    overlapping[vq]++;
    moments.note(vq, at);
    settle(vq);
    blamed.set(vq, {
      maker: seen.maker,
      fallbacks: fallbacksOf(tallies, vq),
      built: mapsBuilt(tallies, vq),
      refused: undefined,
    });
    const list = kept.get(vq);
    if (list === undefined) kept.set(vq, [seen]);
    else {
      list.push(seen);
      if (list.length > MOST_KEPT) list.shift();
    }
  }

  function addSecond(dev: number, at: number): void {
    const second = Math.floor(at / 1e9);
    const counted = seconds.get(dev) ?? new Map<number, number>();
    seconds.set(dev, counted);
    counted.set(second, (counted.get(second) ?? 0) + 1);
    if (counted.size <= MOST_SECONDS) return;
    // Maps keep the order in which keys came; one came at most.
    const [oldest] = counted.keys();
    if (oldest !== undefined) counted.delete(oldest);
  }

  function ends(batch: EventBatch, i: number, at: number): void {
    const seen = underWay.end(batch, i, whoOf(batch, i));
    if (seen !== undefined) seen.lasted = Math.max(0, at - seen.at);
  }

  return {
    makers,
    get overlapping() {
      return overlapping;
    },
    rangesOf: (vq) => kept.get(vq) ?? [],
    fallbacksOf: (maker) => {
      let sum = maker.fallbacks;
      for (const [vq, one] of blamed) if (one.maker === maker) sum += shareOf(vq, one);
      return sum;
    },
    classOf: ({ recording: of, stack }) => {
      if (stack === undefined) return undefined;
      const code = classes.get(stackKey(of, stack)) ?? 0;
      return INVALIDATION_CLASSES[code] ?? String(code);
    },
    perSecond: (dev, from, to) => {
      const counted = seconds.get(dev);
      const first = Math.floor(from / 1e9);
      return Array.from(
        { length: Math.floor(to / 1e9) - first + 1 },
        (_, second) => counted?.get(first + second) ?? 0,
      );
    },
    lastOf: (vq) => moments.of(vq),
    isOver: (batch, i, vq) => {
      const { details } = batch;
      const row = batch.detail[i];
      if (details.blockable[row] === 0) return false;
      const start = wordsAt(details.start, row);
      const end = wordsAt(details.end, row);
      for (const dev of devicesUnder(batch, i)) {
        const under = ringsUnder(rings(), dev, start, end);
        if (vq === undefined ? under.length > 0 : under.includes(vq)) return true;
      }
      return false;
    },
    note: (batch, i, at) => {
      const kind = batch.kind[i];
      if (batch.details.blockable[batch.detail[i]] === 0) return;
      if (kind === rangeStart) begins(batch, i, at);
      else if (kind === rangeEnd) ends(batch, i, at);
    },
    noteGap: (batch, i) => {
      const isOfAll = batch.kind[i] === KIND.lost;
      // Of a stock host the calls are told that the callbacks would be made by, whoever is attached.
      if (!isOfAll && host === 'stock') return;
      const dev = batch.details.dev[batch.detail[i]];
      for (const seen of underWay.drop(isOfAll ? 'all' : dev)) seen.lasted = 'not known';
    },
    noteStack: (batch, i) => noteStack(classes, recording, batch, i),
    noteRound: (vq) => {
      const one = blamed.get(vq);
      if (one === undefined) return;
      if (mapsBuilt(tallies, vq) > one.built) settle(vq);
      else if (one.refused === undefined && !underWay.isOver(vq))
        one.refused = refusedByCountOf(tallies, vq);
    },
    begin: (number) => {
      // Entries may go while a map is gone through.
      for (const vq of blamed.keys()) settle(vq);
      underWay.drop('all');
      recording = number;
    },
  };

  function devicesUnder({ details, detail }: EventBatch, i: number): Iterable<number> {
    if (host === 'direct-map') return [details.dev[detail[i]]];
    return rings().devicesOfOwner.get(details.owner[detail[i]]) ?? [];
  }

  function whoOf({ details, detail }: EventBatch, i: number): number {
    return host === 'stock' ? details.owner[detail[i]] : details.dev[detail[i]];
  }
}

const OTHERS = 'others';

function grown(array: Float64Array, index: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(2 * array.length, index + 1));
  larger.set(array);
  return larger;
}
