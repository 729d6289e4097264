/** What a watch for hazards holds while it goes through a trace. */
import type { Design } from '../designs.js';
import type { EventBatch } from '../event-batch.js';
import { EVENT_NAMES } from '../events.js';
import type { Engine } from '../replay-engine.js';
import { AREA_COUNT } from '../ring.js';
import { areasUnder, wordsAt, type RingPlaces } from '../storms/ring-places.js';
import { accessIndex, OBSERVATIONS, type Tallies } from '../tallies.js';
import type { HazardList, HazardMark } from './hazard.js';
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
  core: { readonly start: bigint; readonly end: bigint; readonly pid: number } | undefined;
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

export function slotsUnder(
  { rings }: WatchState,
  dev: number,
  start: bigint,
  end: bigint,
): number[] {
  return [...(rings.virtqueuesOf.get(dev) ?? [])].flatMap((vq) =>
    areasUnder(rings, vq, start, end).map((area) => 4 * vq + area),
  );
}

export function counted(
  { accesses }: Tallies,
  vq: number,
  accessor: number,
  outcome: number,
): number {
  const first = accessIndex(vq, accessor, outcome);
  let sum = 0;
  for (let k = 0; k < OBSERVATIONS; k++) sum += accesses[first + k] ?? 0;
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
