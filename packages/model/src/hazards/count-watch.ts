/** What moves the counts of rings, and what shows that one of them is wrong: all that need be followed for that. */
import { wordsAt, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import { kindTable } from '../kind-table.js';
import { rangeIdentity } from '../paired-ranges.js';
import type { Engine } from '../replay-engine.js';
import { createRingPlaces, isOverRing, notePlaces } from '../storms/ring-places.js';
import type { FoundHazards, HazardSpan } from './hazard.js';
import { beginRange, endRange } from './ranges-under-way.js';
import { endSuspicion } from './stale-maps.js';
import {
  countOutside,
  createWatchState,
  foundBy,
  hasCallbacks,
  markOf,
  slotsUnder,
  watched,
  type WatchState,
} from './watch-state.js';
import { endWrong, noteUnpaired, seeCount, seeEnd } from './wrong-counts.js';

export interface HazardWatch {
  /** By kind: 1 where its events are to be told, 0 where they may be left out. No access is. */
  readonly wants: Uint8Array;
  /**
   * Event `i`, no access, which the engine is about to consume: since the last one, accesses may have shown that
   * there is a map, which the event may take away.
   */
  foresee(batch: EventBatch, i: number): void;
  /** Event `i`, no access, which the engine has just consumed. */
  see(batch: EventBatch, i: number): void;
  /** The engine is about to be told that what follows is to be counted, or is not. */
  count(isCounting: boolean): void;
  /** The trace has ended, and the engine is finished. */
  finish(): void;
  readonly found: FoundHazards;
}

/**
 * Looks for counts that are proven wrong, and for nothing else: cheaper than a watch for all hazards.
 *
 * @param span of what touches it only; absent for the whole trace, which is seen in any case
 */
export function createCountWatch(engine: Engine, span?: HazardSpan): HazardWatch {
  const state = createWatchState(engine, span);
  if (engine.design.maps === 'never' || !hasCallbacks(state)) return watchOf(state, NOTHING);
  return watchOf(state, {
    wants: WANTED,
    foresee: () => undefined,
    see: (batch, i) => followCounts(state, batch, i),
  });
}

/** What a watch looks at: see there. */
type Looks = Pick<HazardWatch, 'wants' | 'foresee' | 'see'>;

export const NOTHING: Looks = {
  wants: kindTable([]),
  foresee: () => undefined,
  see: () => undefined,
};

/** @param looks goes on from the state, and puts what it finds there */
export function watchOf(state: WatchState, looks: Looks): HazardWatch {
  return {
    ...looks,
    count: (isCounting) => countOutside(state, isCounting),
    finish: () => endAll(state),
    get found() {
      return foundBy(state);
    },
  };
}

/** Kinds of events that `followCounts` looks at. */
export const MOVES_COUNTS = [
  KIND.recording,
  KIND.lost,
  KIND.virtqueue,
  KIND.addresses,
  KIND.reset,
  KIND.unmap,
  KIND.notifier,
  KIND.round,
  KIND.prefetch,
  KIND.range_start,
  KIND.range_end,
  KIND.core_range_start,
  KIND.core_range_end,
] as const;

const WANTED = kindTable(MOVES_COUNTS);

/** Kinds of events after which a count is looked at. */
const SHOWS_COUNT = kindTable([KIND.round, KIND.prefetch, KIND.unmap, KIND.reset]);

export function followCounts(state: WatchState, batch: EventBatch, i: number): void {
  const kind = batch.kind[i];
  if (kind === KIND.recording) {
    endAll(state);
    state.rings = createRingPlaces();
    state.recording++;
    return;
  }
  if (kind === KIND.lost) return endAll(state);
  notePlaces(state.rings, batch, i);
  const { dev, owner } = batch.details;
  const row = batch.detail[i];
  switch (kind) {
    case KIND.range_start:
    case KIND.range_end:
      if (state.engine.host === 'direct-map')
        followRange(state, batch, i, dev[row], kind === KIND.range_start);
      return;
    case KIND.core_range_start:
    case KIND.core_range_end:
      if (state.engine.host === 'direct-map') return;
      for (const one of state.rings.devicesOfOwner.get(owner[row]) ?? [])
        followRange(state, batch, i, one, kind === KIND.core_range_start);
      return;
    case KIND.notifier:
      if (hasCallbacks(state)) followNotifier(state, batch, i);
      return;
    case KIND.unmap:
    case KIND.reset:
      for (const range of state.ranges)
        if (range.slots.some((slot) => slot >> 2 === batch.vq[i])) range.isDoubtful = true;
      break;
    default:
  }
  if (SHOWS_COUNT[kind] === 1 && hasCallbacks(state)) seeCount(state, batch, i, batch.vq[i]);
}

function followRange(
  state: WatchState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
): void {
  const { details, detail } = batch;
  const row = detail[i];
  if (details.blockable[row] === 0) return;
  const isOver = isOverRing(
    state.rings,
    dev,
    wordsAt(details.start, row),
    wordsAt(details.end, row),
  );
  // Most are over no ring, and their ends can only be of those that were when they began.
  if (!isOver && (isStart || state.ranges.length === 0)) return;
  const slots = slotsUnder(state, batch, i, dev);
  if (!isStart) return seeEnd(state, batch, i, slots, endRange(state.ranges, batch, i, dev));
  const isFollowed = beginRange(state.ranges, {
    identity: rangeIdentity(batch, i, dev),
    isCore: state.engine.host === 'stock',
    slots,
    mark: markOf(batch, i, 'begins over the ring'),
    isDoubtful: state.off.has(dev),
  });
  if (!isFollowed) state.hasForgottenRange = true;
}

function followNotifier(state: WatchState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  const dev = details.dev[row];
  const virtqueues = state.rings.virtqueuesOf.get(dev) ?? [];
  if (details.registered[row] === 0 || details.error[row] !== 0) {
    const mark = markOf(batch, i, 'the notifier of the device is off from here on');
    state.off.set(dev, mark);
    for (const vq of virtqueues) {
      const open = state.ranges.filter(({ slots }) => slots.some((slot) => slot >> 2 === vq));
      const found = watched(state, vq);
      if (open.length > 0 || found.unpaired.length > 0)
        for (const one of [...open.map((range) => range.mark), mark]) noteUnpaired(found, one);
    }
    return;
  }
  const off = state.off.get(dev);
  state.off.delete(dev);
  // None was under way when it was registered; this is told a little later.
  state.ranges = state.ranges.filter(
    ({ identity, isCore, mark }) =>
      identity.whose !== dev || isCore || (off !== undefined && mark.time >= off.time),
  );
  for (const vq of virtqueues) {
    const found = watched(state, vq);
    if (found.unpaired.length > 0) noteUnpaired(found, markOf(batch, i, NOTIFIER_IS_BACK));
  }
}

export const NOTIFIER_IS_BACK = 'the notifier is on again: what changed meanwhile was not told';

/** Nothing goes on from here: what there is is told, and what was known is forgotten. */
export function endAll(state: WatchState): void {
  for (const [vq, found] of state.virtqueues) {
    endWrong(state, vq, found);
    for (const [area, one] of found.areas.entries()) endSuspicion(state, vq, area, one);
  }
  state.virtqueues = new Map();
  state.ranges = [];
  state.hasForgottenRange = false;
  state.off = new Map();
}
