/** What a watch for hazards holds while it goes through a trace. */
import { sharesCallbacks, type Design } from '../designs.js';
import { wordsAt, type EventBatch } from '../event-batch.js';
import { EVENT_NAMES } from '../events.js';
import type { Engine } from '../replay-engine.js';
import { AREA_COUNT } from '../ring.js';
import type { RangeIdentity } from '../paired-ranges.js';
import { areasUnder, createRingPlaces, type RingPlaces } from '../storms/ring-places.js';
import { accessIndex, OBSERVATIONS } from '../tallies.js';
import {
  listed,
  type FoundHazards,
  type HazardKind,
  type HazardList,
  type HazardMark,
  type HazardSpan,
} from './hazard.js';
import type { RangeUnderWay } from './ranges-under-way.js';

/** Events of a chain. */
export const MOST_MARKS = 8;

/** A map that may have gone stale. */
export interface Suspicion {
  grade: 'proven' | 'possible';
  readonly chain: HazardMark[];
  /** Hits of the area by then. */
  readonly hits: number;
  readonly begin: bigint;
  /** The range that makes it proven, until it shows that the callback was called for it all the same. */
  core: RangeIdentity | undefined;
}

export interface WatchedArea {
  /** A map was surely there, and is not surely gone. */
  hadMap: boolean;
  built: HazardMark | undefined;
  suspicion: Suspicion | undefined;
  /** The set-up by which the area crosses a page too many. */
  short: HazardMark | undefined;
}

export interface WrongCount {
  readonly kind: 'stuck_count' | 'negative_count';
  readonly chain: readonly HazardMark[];
  readonly refused: number;
  readonly begin: bigint;
}

export interface WatchedVirtqueue {
  readonly areas: readonly WatchedArea[];
  wrong: WrongCount | undefined;
  /** Why its count may be wrong: begins whose ends nobody told, ends whose begins nobody counted. */
  unpaired: HazardMark[];
}

export interface WatchState {
  readonly engine: Engine;
  readonly design: Design;
  readonly list: HazardList;
  rings: RingPlaces;
  virtqueues: Map<number, WatchedVirtqueue>;
  ranges: RangeUnderWay[];
  /** A range of this recording may be under way that is not among them: that none is cannot be proven. */
  hasForgottenRange: boolean;
  /** By device: when its notifier went off; absent while it is on or nothing is known. */
  off: Map<number, HazardMark>;
  refusedRanges: number;
  recording: number;
  /** As `Tallies.accesses`: what the engine has counted outside of a span, and taken back. */
  outside: Float64Array;
  /** While it does not count: what it had counted before. */
  left: { readonly accesses: Float64Array; readonly refusedRanges: number } | undefined;
}

export function createWatchState(engine: Engine, span: HazardSpan | undefined): WatchState {
  const { design } = engine;
  const looksForAll = design.maps === 'never' || sharesCallbacks(design);
  return {
    engine,
    design,
    list: {
      span,
      byKind: new Map(),
      counts: new Map(),
      notLookedFor: looksForAll ? [] : OF_DIRECT_MAPS,
    },
    rings: createRingPlaces(),
    virtqueues: new Map(),
    ranges: [],
    hasForgottenRange: false,
    off: new Map(),
    refusedRanges: 0,
    recording: -1,
    outside: new Float64Array(0),
    left: undefined,
  };
}

/** What the direct map's own callbacks and its registration around set-up bring about. */
const OF_DIRECT_MAPS = [
  'stale_map',
  'stuck_count',
  'negative_count',
  'forbidden_window',
] as const satisfies readonly HazardKind[];

export function foundBy({ list }: WatchState): FoundHazards {
  const { counts, notLookedFor } = list;
  return { listed: listed(list), counts, notLookedFor };
}

/** A hazard counts whole, so what it touched outside of a span is kept, which the engine takes back. */
export function countOutside(state: WatchState, isCounting: boolean): void {
  const { accesses, ranges } = state.engine.tallies;
  if (!isCounting) {
    state.left ??= { accesses: accesses.slice(), refusedRanges: ranges.refused };
    return;
  }
  const { left, outside } = state;
  if (left === undefined) return;
  state.left = undefined;
  state.refusedRanges = left.refusedRanges;
  state.outside = accesses.map((now, at) => now - (left.accesses[at] ?? 0) + (outside[at] ?? 0));
}

export function watched({ virtqueues }: WatchState, vq: number): WatchedVirtqueue {
  const known = virtqueues.get(vq);
  if (known !== undefined) return known;
  const areas = Array.from({ length: AREA_COUNT }, (): WatchedArea => ({
    hadMap: false,
    built: undefined,
    suspicion: undefined,
    short: undefined,
  }));
  const made: WatchedVirtqueue = { areas, wrong: undefined, unpaired: [] };
  virtqueues.set(vq, made);
  return made;
}

/** A map may outlive any number of such times: the first of them are enough. */
export function lengthen(chain: HazardMark[], mark: HazardMark): void {
  if (chain.length < MOST_MARKS) chain.push(mark);
}

export function virtqueuesOf(slots: readonly number[]): Set<number> {
  return new Set(slots.map((slot) => slot >> 2));
}

/** The areas of a device, as 4 * virtqueue + area, that the range of event `i` touches; by the driver's own test. */
export function slotsUnder(
  state: WatchState,
  { details, detail }: EventBatch,
  i: number,
  dev: number,
): number[] {
  const row = detail[i];
  return slotsTouching(state, dev, wordsAt(details.start, row), wordsAt(details.end, row));
}

/** Likewise those that [start, end] touches. */
export function slotsTouching(
  { rings }: WatchState,
  dev: number,
  start: bigint,
  end: bigint,
): number[] {
  return [...(rings.virtqueuesOf.get(dev) ?? [])].flatMap((vq) =>
    areasUnder(rings, vq, start, end).map((area) => 4 * vq + area),
  );
}

/** Accesses of an outcome so far, inside of a span and outside. */
export function counted(
  { engine, outside }: WatchState,
  vq: number,
  accessor: number,
  outcome: number,
): number {
  const { accesses } = engine.tallies;
  const first = accessIndex(vq, accessor, outcome);
  let sum = 0;
  for (let at = first; at < first + OBSERVATIONS; at++)
    sum += (accesses[at] ?? 0) + (outside[at] ?? 0);
  return sum;
}

export function markOf(batch: EventBatch, i: number, what: string): HazardMark {
  return {
    line: batch.line[i],
    time: wordsAt(batch.time, i),
    event: EVENT_NAMES[batch.kind[i]] ?? '',
    what,
  };
}

/** Others register at other times, or count other ranges: what follows from either is not known of them. */
export function hasCallbacks({ list }: WatchState): boolean {
  return list.notLookedFor.length === 0;
}
