/**
 * Looks for hazards beside an engine: what its state and the events prove. It sees every event but
 * accesses, right after the engine; what accesses did in the meantime is the difference of the tallies.
 */
import { sharesCallbacks } from '../designs.js';
import type { EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import { takesPages } from '../invalidation-causes.js';
import { kindTable } from '../kind-table.js';
import { HIT } from '../outcome.js';
import type { Engine } from '../replay-engine.js';
import { createRingPlaces, notePlaces, wordsAt } from '../storms/ring-places.js';
import {
  addHazard,
  type FoundHazards,
  type HazardKind,
  type HazardList,
  type HazardSpan,
} from './hazard.js';
import { beginRange, endRange } from './ranges-under-way.js';
import { acquit, built, endSuspicion, hitsOf, suspect } from './stale-maps.js';
import {
  hasCallbacks,
  lengthen,
  markOf,
  slotsUnder,
  watched,
  type WatchState,
} from './watch-state.js';
import { noteBuilt, noteSpan, seeMaps } from './watched-maps.js';
import { endWrong, noteUnpaired, seeCount, seeEnd } from './wrong-counts.js';

export interface HazardWatch {
  /**
   * Event `i`, no access, which the engine is about to consume: since the last one, accesses may have shown that
   * there is a map, which the event may take away.
   */
  foresee(batch: EventBatch, i: number): void;
  /** Event `i`, no access, which the engine has just consumed. */
  see(batch: EventBatch, i: number): void;
  /** The trace has ended, and the engine is finished. */
  finish(): void;
  readonly found: FoundHazards;
}

/** @param span of what touches it only; absent for the whole trace, which is seen in any case */
export function createHazardWatch(engine: Engine, span?: HazardSpan): HazardWatch {
  const looksForAll = engine.design.maps === 'never' || sharesCallbacks(engine.design);
  const list: HazardList = {
    span,
    listed: [],
    counts: new Map(),
    notLookedFor: looksForAll ? [] : OF_DIRECT_MAPS,
  };
  const state: WatchState = {
    engine,
    design: engine.design,
    list,
    rings: createRingPlaces(),
    virtqueues: new Map(),
    ranges: [],
    hasForgottenRange: false,
    off: new Map(),
    refusedRanges: 0,
    recording: -1,
  };
  return {
    foresee: (batch, i) => {
      if (engine.design.maps !== 'never') foresee(state, batch, i);
    },
    see: (batch, i) => {
      if (engine.design.maps !== 'never') see(state, batch, i);
    },
    finish: () => endAll(state),
    found: list,
  };
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
  const kind = batch.kind[i];
  if (kind === KIND.recording) {
    endAll(state);
    state.rings = createRingPlaces();
    state.recording++;
    return;
  }
  if (kind === KIND.lost) return endAll(state);
  notePlaces(state.rings, batch, i);
  const row = batch.detail[i];
  switch (kind) {
    case KIND.range_start:
    case KIND.range_end:
      return seeRange(state, batch, i, batch.details.dev[row], kind === KIND.range_start);
    case KIND.core_range_start:
    case KIND.core_range_end:
      for (const dev of state.rings.devicesOfOwner.get(batch.details.owner[row]) ?? [])
        seeCoreRange(state, batch, i, dev, kind === KIND.core_range_start);
      return;
    case KIND.notifier:
      if (hasCallbacks(state)) seeNotifier(state, batch, i);
      return;
    case KIND.addresses:
      noteSpan(state, batch, i);
      break;
    case KIND.unmap:
    case KIND.reset:
      for (const range of state.ranges)
        if (range.slots.some((slot) => slot >> 2 === batch.vq[i])) range.isDoubtful = true;
      break;
    default:
  }
  if (!ABOUT_ONE[kind]) return;
  seeMaps(state, batch, i, batch.vq[i]);
  if (!hasCallbacks(state)) return;
  if (kind === KIND.round || kind === KIND.prefetch || kind === KIND.reset || kind === KIND.unmap)
    seeCount(state, batch, i, batch.vq[i]);
}

/** What the direct map's own callbacks and its registration around set-up bring about. */
const OF_DIRECT_MAPS = [
  'stale_map',
  'stuck_count',
  'negative_count',
  'forbidden_window',
] as const satisfies readonly HazardKind[];

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

function seeRange(
  state: WatchState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
  isCore = false,
): void {
  const { details } = batch;
  const row = batch.detail[i];
  if (isStart) noteRefused(state, batch, i);
  if (details.blockable[row] === 0) return;
  const start = wordsAt(details.start, row);
  const end = wordsAt(details.end, row);
  const pid = details.pid[row];
  const slots = slotsUnder(state, dev, start, end);
  if (isStart && slots.length > 0) {
    const mark = markOf(batch, i, 'begins over the ring');
    const isDoubtful = state.off.has(dev);
    const range = { dev, start, end, pid, isCore, slots, mark, isDoubtful };
    if (!beginRange(state.ranges, range)) state.hasForgottenRange = true;
    acquit(state, slots, start, end, pid);
  } else if (!isStart) {
    seeEnd(state, batch, i, slots, endRange(state.ranges, batch, i, dev));
  }
  for (const vq of state.rings.virtqueuesOf.get(dev) ?? []) seeMaps(state, batch, i, vq);
}

/** The memory manager's own call: on a stock host all there is; beside callbacks, what they may have missed. */
function seeCoreRange(
  state: WatchState,
  batch: EventBatch,
  i: number,
  dev: number,
  isStart: boolean,
): void {
  if (state.engine.host === 'stock') return seeRange(state, batch, i, dev, isStart, true);
  const off = state.off.get(dev);
  if (!isStart || off === undefined) return;
  const { details } = batch;
  const row = batch.detail[i];
  const start = wordsAt(details.start, row);
  const end = wordsAt(details.end, row);
  // Of a map that was there when the notifier went off, the suspicion that pages go stands already.
  if (!takesPages(details.cause[row], start, end)) return;
  // Pages below the end are changed; that the driver would count it in does not matter here.
  for (const slot of slotsUnder(state, dev, start, end - 1n)) {
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
      core: { start, end, pid: details.pid[row] },
    };
  }
}

function seeNotifier(state: WatchState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  const dev = details.dev[row];
  const isOn = details.registered[row] === 1 && details.error[row] === 0;
  const virtqueues = state.rings.virtqueuesOf.get(dev) ?? new Set<number>();
  if (!isOn) {
    const mark = markOf(batch, i, 'the notifier of the device is off from here on');
    state.off.set(dev, mark);
    for (const vq of virtqueues) {
      const open = state.ranges.filter(({ slots }) => slots.some((slot) => slot >> 2 === vq));
      const found = watched(state, vq);
      if (open.length > 0 || found.unpaired.length > 0)
        for (const one of [...open.map((range) => range.mark), mark]) noteUnpaired(found, one);
      suspect(state, batch, i, vq, mark);
    }
    return;
  }
  const off = state.off.get(dev);
  state.off.delete(dev);
  // None was under way when it was registered; this is told a little later.
  state.ranges = state.ranges.filter(
    (range) =>
      range.dev !== dev || range.isCore || (off !== undefined && range.mark.time >= off.time),
  );
  const mark = markOf(batch, i, 'the notifier is on again: what changed meanwhile was not told');
  for (const vq of virtqueues) {
    const found = watched(state, vq);
    if (found.unpaired.length > 0) noteUnpaired(found, mark);
    for (const { suspicion } of found.areas)
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

/** Nothing goes on from here: what there is is told, and what was known is forgotten. */
function endAll(state: WatchState): void {
  for (const [vq, found] of state.virtqueues) {
    endWrong(state, vq, found);
    for (const [area, one] of found.areas.entries()) endSuspicion(state, vq, area, one);
  }
  state.virtqueues = new Map();
  state.ranges = [];
  state.hasForgottenRange = false;
  state.off = new Map();
}
