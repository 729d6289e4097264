/**
 * Looks for hazards beside an engine: what its state and the events prove. It sees every event but
 * accesses, right after the engine; what accesses did in the meantime is the difference of the tallies.
 */
import { wordsAt, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import { takesPages } from '../invalidation-causes.js';
import { kindTable } from '../kind-table.js';
import { HIT } from '../outcome.js';
import { rangeIdentity } from '../paired-ranges.js';
import type { Engine } from '../replay-engine.js';
import {
  followCounts,
  MOVES_COUNTS,
  NOTHING,
  NOTIFIER_IS_BACK,
  watchOf,
  type HazardWatch,
} from './count-watch.js';
import { addHazard, type HazardSpan } from './hazard.js';
import { acquit, built, hasCore, hitsOf, suspect } from './stale-maps.js';
import {
  createWatchState,
  hasCallbacks,
  lengthen,
  markOf,
  slotsTouching,
  slotsUnder,
  watched,
  type WatchState,
} from './watch-state.js';
import { noteBuilt, noteSpan, seeMaps } from './watched-maps.js';

/** @param span of what touches it only; absent for the whole trace, which is seen in any case */
export function createHazardWatch(engine: Engine, span?: HazardSpan): HazardWatch {
  const state = createWatchState(engine, span);
  if (engine.design.maps === 'never') return watchOf(state, NOTHING);
  return watchOf(state, {
    wants: WANTED,
    foresee: (batch, i) => foresee(state, batch, i),
    see: (batch, i) => see(state, batch, i),
  });
}

function foresee(state: WatchState, batch: EventBatch, i: number): void {
  const { rings } = state;
  const { dev, owner } = batch.details;
  const row = batch.detail[i];
  const ofDevice = (one: number): void => {
    for (const vq of rings.virtqueuesOf.get(one) ?? []) noteBuilt(state, batch, i, vq);
  };
  const kind = batch.kind[i];
  if (ABOUT_ONE[kind]) noteBuilt(state, batch, i, batch.vq[i]);
  else if (kind === KIND.range_start || kind === KIND.notifier) ofDevice(dev[row]);
  else if (kind === KIND.core_range_start)
    for (const one of rings.devicesOfOwner.get(owner[row]) ?? []) ofDevice(one);
}

function see(state: WatchState, batch: EventBatch, i: number): void {
  followCounts(state, batch, i);
  const { host } = state.engine;
  const { dev, owner } = batch.details;
  const kind = batch.kind[i];
  const row = batch.detail[i];
  switch (kind) {
    case KIND.range_start:
    case KIND.range_end:
      if (host === 'direct-map') seeRange(state, batch, i, dev[row], kind === KIND.range_start);
      return;
    case KIND.core_range_start:
    case KIND.core_range_end:
      for (const one of state.rings.devicesOfOwner.get(owner[row]) ?? [])
        if (host === 'stock') seeRange(state, batch, i, one, kind === KIND.core_range_start);
        else if (kind === KIND.core_range_start) seeUntold(state, batch, i, one);
      return;
    case KIND.notifier:
      if (hasCallbacks(state)) seeNotifier(state, batch, i);
      return;
    case KIND.addresses:
      noteSpan(state, batch, i);
      break;
    default:
  }
  if (ABOUT_ONE[kind] === 1) seeMaps(state, batch, i, batch.vq[i]);
}

/** Kinds of events after which the maps of their virtqueue may be others. */
const ABOUT_ONE = kindTable([
  KIND.round,
  KIND.round_end,
  KIND.prefetch,
  KIND.effect_start,
  KIND.effect_end,
  KIND.addresses,
  KIND.unmap,
  KIND.reset,
  KIND.iotlb,
]);

const WANTED = kindTable([
  ...MOVES_COUNTS,
  KIND.round_end,
  KIND.effect_start,
  KIND.effect_end,
  KIND.iotlb,
]);

function seeRange(
  state: WatchState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
): void {
  if (isStart) noteRefused(state, batch, i);
  if (batch.details.blockable[batch.detail[i]] === 0) return;
  if (isStart && hasCore(state, dev))
    acquit(state, slotsUnder(state, batch, i, dev), rangeIdentity(batch, i, dev));
  for (const vq of state.rings.virtqueuesOf.get(dev) ?? []) seeMaps(state, batch, i, vq);
}

/** The memory manager's own call, beside callbacks: what they may have missed. */
function seeUntold(state: WatchState, batch: EventBatch, i: number, dev: number): void {
  const off = state.off.get(dev);
  if (off === undefined) return;
  const { details } = batch;
  const row = batch.detail[i];
  const start = wordsAt(details.start, row);
  const end = wordsAt(details.end, row);
  // Of a map that was there when the notifier went off, the suspicion that pages go stands already.
  if (!takesPages(details.cause[row], start, end)) return;
  // Pages below the end are changed; that the driver would count it in does not matter here.
  for (const slot of slotsTouching(state, dev, start, end - 1n)) {
    const [vq, area] = [slot >> 2, slot & 3];
    const one = watched(state, vq).areas[area];
    if (state.engine.mapOf(vq, area) !== HIT || one.suspicion?.grade === 'proven') continue;
    one.suspicion = {
      grade: 'proven',
      chain: [
        ...built(one),
        off,
        markOf(batch, i, 'the memory manager changes pages of the ring; nobody tells vhost'),
      ],
      hits: hitsOf(state, vq, area),
      begin: wordsAt(batch.time, i),
      core: rangeIdentity(batch, i, dev),
    };
  }
}

function seeNotifier(state: WatchState, batch: EventBatch, i: number): void {
  const dev = batch.details.dev[batch.detail[i]];
  const off = state.off.get(dev);
  const virtqueues = state.rings.virtqueuesOf.get(dev) ?? [];
  if (off !== undefined) {
    for (const vq of virtqueues) suspect(state, batch, i, vq, off);
    return;
  }
  const mark = markOf(batch, i, NOTIFIER_IS_BACK);
  for (const vq of virtqueues) {
    for (const { suspicion } of watched(state, vq).areas)
      if (suspicion !== undefined) lengthen(suspicion.chain, mark);
    seeMaps(state, batch, i, vq);
  }
}

function noteRefused(state: WatchState, batch: EventBatch, i: number): void {
  const { refused } = state.engine.tallies.ranges;
  if (refused === state.refusedRanges) return;
  state.refusedRanges = refused;
  const mark = markOf(batch, i, 'must not block');
  addHazard(state.list, {
    kind: 'refused_range',
    grade: 'proven',
    recording: state.recording,
    vq: undefined,
    area: undefined,
    begin: mark.time,
    end: mark,
    accesses: 0,
    chain: [mark],
  });
}
