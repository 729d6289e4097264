/**
 * Ranges order: a callback's effects happen at an unknown moment after its entry. From the entry until
 * a bound proves them done (`callbacks.ts`) they widen the interval of each count they may change, and
 * a map they may remove is unknown.
 */
import { NO_CPU, slotAt, type Callback } from './callbacks.js';
import { addToCount, forgetCount } from './counts.js';
import { devicesOfOwner, isOrdered } from './device-state.js';
import { PERHAPS_REBUILT, START_UNDER_WAY, TOUCHED_IN_ROUND } from './doubts.js';
import { recycle, type EngineState } from './engine-state.js';
import { forgetCpu, stopFollowing } from './followed-callbacks.js';
import { doubtMapsUpToNow, follow, loosen } from './loose-effects.js';
import { AMBIGUOUS, HIT, INVALIDATED, PENDING } from './outcome.js';
import { sameRange } from './paired-ranges.js';
import { endAtOnce, startAtOnce } from './stock-host/at-once.js';
import { mayChange } from './stock-host/round-changes.js';
import { compareSeen } from './attempts.js';
import { doubtMap, setMap } from './virtqueue-state.js';

/**
 * A callback is entered. Returns whether the engine goes on following it.
 *
 * @param isBegun the start of the same range is known to have returned (of an end only)
 */
export function enterCallback(engine: EngineState, callback: Callback, isBegun: boolean): boolean {
  if (engine.isAtOnce) return enterAtOnce(engine, callback);
  return callback.isStart ? enterStart(engine, callback) : enterEnd(engine, callback, isBegun);
}

function enterAtOnce(engine: EngineState, callback: Callback): boolean {
  if (callback.isStart && startAtOnce(engine, callback)) {
    follow(engine, callback);
    return true;
  }
  if (!callback.isStart) endAtOnce(engine, callback);
  return false;
}

/** A map that was there may go at any moment. */
export function mayLose(engine: EngineState, slot: number): void {
  const { virtqueues } = engine;
  const map = virtqueues.map[slot];
  if ((map & (PENDING - 1)) === HIT)
    doubtMap(virtqueues, slot, START_UNDER_WAY, AMBIGUOUS | (map & PENDING));
}

function enterStart(engine: EngineState, callback: Callback): boolean {
  if (callback.slotCount === 0) return false;
  for (let i = 0; i < callback.slotCount; i++) {
    const slot = slotAt(callback, i);
    if (callback.slots[i] < 0) forgetCount(engine, slot >> 2);
    else addToCount(engine, slot >> 2, 0, 1);
    mayChange(engine.virtqueues, slot, TOUCHED_IN_ROUND);
    mayLose(engine, slot);
  }
  callback.inOrder = isWalkKnown(engine, callback);
  // The memory manager's call may sleep in a device of the process that was not told of yet; its return is told.
  if (!callback.inOrder || engine.host === 'stock') callback.cpu = NO_CPU;
  follow(engine, callback);
  return true;
}

/**
 * Whether it is known which areas a callback comes to, one after the other, in the recording kernel:
 * not where that may have other ranges than the design, nor across virtqueues whose order is unknown.
 */
function isWalkKnown(engine: EngineState, { dev, slots, slotCount }: Callback): boolean {
  for (const vq of engine.devices.virtqueues[dev] ?? [])
    if (engine.virtqueues.diverged[vq] === 1) return false;
  // The memory manager calls the devices of a process one after the other, in an order that is not known.
  const owner = engine.devices.owner[dev];
  if (engine.host === 'stock' && owner !== undefined)
    if (devicesOfOwner(engine.devices, owner).length > 1) return false;
  const isOneVirtqueue = slots[0] >> 2 === slots[slotCount - 1] >> 2;
  return isOneVirtqueue || isOrdered(engine.devices, dev);
}

function enterEnd(engine: EngineState, callback: Callback, isBegun: boolean): boolean {
  if (!isBegun) completeMatchingStart(engine, callback);
  if (callback.slotCount === 0) return false;
  for (let i = 0; i < callback.slotCount; i++) {
    const slot = slotAt(callback, i);
    if (callback.slots[i] < 0) forgetCount(engine, slot >> 2);
    else addToCount(engine, slot >> 2, -1, 0);
  }
  // Of a stock host, the return of the call shows that it is over, however its kernel preempts.
  if (engine.preemption === 'voluntary' || engine.host === 'stock') {
    callback.inOrder = isWalkKnown(engine, callback);
    follow(engine, callback);
    return true;
  }
  loosen(engine, callback);
  return false;
}

/**
 * The same thread entered the end of a range, so its start callback has returned. Of several equal
 * starts one has returned, and nobody knows which: all that is sure is what follows if it was the one
 * known to have come furthest, and the CPU and the age of the others are no longer certain. Where the
 * recording begins in the middle, its start may have been entered before.
 */
function completeMatchingStart(engine: EngineState, end: Callback): void {
  // Of a stock host, ends are told only where their start was.
  if (engine.host === 'direct-map' && engine.devices.paired[end.dev] !== true) return;
  completeAlike(engine, end, true);
}

/** The memory manager's call that ran this callback has returned. */
export function completeReturned(engine: EngineState, returned: Callback): void {
  completeAlike(engine, returned, returned.isStart);
}

/** One of the starts, or ends, of that range has returned. */
function completeAlike(engine: EngineState, like: Callback, isStart: boolean): void {
  const { open } = engine;
  let found = -1;
  let matches = 0;
  let oldest = Infinity;
  for (let i = 0; i < open.length; i++) {
    const callback = open[i];
    if (callback.isStart !== isStart || !sameRange(callback, like)) continue;
    matches++;
    if (callback.enteredAt < oldest) oldest = callback.enteredAt;
    if (found < 0 || toDo(callback) < toDo(open[found])) found = i;
  }
  if (found < 0) return;
  if (matches > 1) {
    for (const other of open) {
      if (other.isStart !== isStart || !sameRange(other, like)) continue;
      forgetCpu(engine, other);
      other.enteredAt = oldest;
      other.beforeAt = -1;
      other.isOneOfSeveral = true;
    }
  }
  const returned = stopFollowing(engine, found);
  complete(engine, returned, returned.slotCount);
  recycle(engine, returned);
}

function toDo(callback: Callback): number {
  return callback.slotCount - callback.done;
}

/** All callbacks of a device have returned: unregistration waits for them. */
export function completeDevice(engine: EngineState, dev: number): void {
  let kept = 0;
  for (const callback of engine.open) {
    if (callback.dev !== dev) {
      engine.open[kept++] = callback;
      continue;
    }
    forgetCpu(engine, callback);
    complete(engine, callback, callback.slotCount);
    recycle(engine, callback);
  }
  engine.open.length = kept;
  const { looseStarts, looseEnds, untracked } = engine.virtqueues;
  for (const vq of engine.devices.virtqueues[dev] ?? []) {
    if (untracked[vq] === 1 || looseStarts[vq] > 0) doubtMapsUpToNow(engine, vq);
    addToCount(engine, vq, looseStarts[vq], -looseEnds[vq]);
    looseStarts[vq] = 0;
    looseEnds[vq] = 0;
    untracked[vq] = 0;
  }
}

/**
 * Callbacks entered on `cpu` have come as far as they can without leaving it: ends are done, starts up
 * to the first area that may have had a map.
 */
export function passCallbacks(engine: EngineState, cpu: number): void {
  let kept = 0;
  for (const callback of engine.open) {
    let stays = true;
    if (callback.cpu === cpu) {
      forgetCpu(engine, callback);
      const done = callback.isStart ? slotsBeforeSleep(engine, callback) : callback.slotCount;
      complete(engine, callback, done);
      stays = callback.isStart;
      if (!stays) recycle(engine, callback);
    }
    if (stays) engine.open[kept++] = callback;
  }
  engine.open.length = kept;
}

/**
 * A start sleeps once it has removed a map of the recording kernel, which may differ from the design's.
 * Every map that the former built was seen to succeed at get_user_pages.
 */
function slotsBeforeSleep(engine: EngineState, callback: Callback): number {
  const { map, mayBeMapped, goneAt } = engine.virtqueues;
  for (let i = 0; i < callback.slotCount; i++) {
    const slot = callback.slots[i];
    // It may have removed a map here, of an area whose place is not known or before a reset.
    if (slot < 0) return i + 1;
    // An attempt under way may build a map before the callback comes to the area.
    if (map[slot] >= PENDING || mayBeMapped[slot] === 1 || goneAt[slot] >= callback.enteredAt)
      return i + 1;
  }
  return callback.slotCount;
}

/** The recording kernel has no map of this area any more. */
export function noteUnmapped(engine: EngineState, slot: number): void {
  const { mayBeMapped, goneAt } = engine.virtqueues;
  if (mayBeMapped[slot] === 0) return;
  mayBeMapped[slot] = 0;
  goneAt[slot] = engine.clock;
}

/** Whether a callback has surely dealt with a slot, or never will. */
export function isPassed(callback: Callback, slot: number): boolean {
  for (let i = callback.done; i < callback.slotCount; i++)
    if (slotAt(callback, i) === slot) return false;
  return true;
}

/** The effects on slots before `upTo` have happened. */
export function complete(engine: EngineState, callback: Callback, upTo: number): void {
  const { builtAt } = engine.virtqueues;
  for (; callback.done < upTo; callback.done++) {
    const slot = callback.slots[callback.done];
    if (slot < 0) {
      if (callback.isStart) engine.virtqueues.doubtedAt[~slot] = engine.clock;
      continue;
    }
    const vq = slot >> 2;
    if (callback.isStart) {
      mayChange(engine.virtqueues, slot, TOUCHED_IN_ROUND);
      const isGone = !mayBeBuiltAgain(engine, callback, slot);
      addToCount(engine, vq, 1, 0);
      if (isGone) clearMap(engine, slot);
      else mayBeThere(engine, slot);
      // The recording kernel's own callback did not come here unless the range touches the area.
      const isItsOwn = engine.design.overlap !== 'always';
      if (isItsOwn && builtAt[slot] < callback.enteredAt) noteUnmapped(engine, slot);
    } else {
      addToCount(engine, vq, 0, -1);
    }
  }
}

/**
 * Whether an attempt may have built the map after a start removed it: not while the count was positive.
 * Where attempts are seen, not unless one was seen to build it since the start came.
 */
function mayBeBuiltAgain(engine: EngineState, callback: Callback, slot: number): boolean {
  const { countLow, negativeAt, builtAt } = engine.virtqueues;
  if (engine.usesObservations) {
    const isKnownBefore = callback.beforeAt >= 0 && callback.done >= callback.beforeFrom;
    const since = isKnownBefore ? callback.beforeAt : callback.enteredAt;
    return builtAt[slot] > since;
  }
  const vq = slot >> 2;
  return countLow[vq] < 0 || negativeAt[vq] >= callback.enteredAt;
}

/**
 * The map was surely removed and, as the count has been positive since, not built again. Attempts of
 * an open round that came earlier no longer matter; later ones meet the count from now on.
 */
function clearMap(engine: EngineState, slot: number): void {
  const { virtqueues, tallies } = engine;
  const map = virtqueues.map[slot];
  // One that was seen is such an earlier one, or the only one of its round.
  if (map >= PENDING) compareSeen(virtqueues, tallies, slot);
  if ((map & (PENDING - 1)) === AMBIGUOUS) {
    setMap(virtqueues, slot, INVALIDATED | (map & PENDING));
  }
  if (map >= PENDING) {
    virtqueues.attemptLow[slot] = virtqueues.countLow[slot >> 2];
    virtqueues.attemptHigh[slot] = virtqueues.countHigh[slot >> 2];
  }
}

/** A start has passed an area, which may have been mapped again since. */
function mayBeThere({ virtqueues, clock }: EngineState, slot: number): void {
  virtqueues.doubtedAt[slot] = clock;
  if ((virtqueues.map[slot] & (PENDING - 1)) === AMBIGUOUS)
    virtqueues.doubt[slot] = PERHAPS_REBUILT;
}
