/**
 * Designs whose notifier takes vq->mutex (vmap, reference §2.1): an invalidation that comes in a round takes
 * effect when the virtqueue is unlocked, so that no round mixes hits and copies of one area. A round maps what
 * is not mapped, and get_user_pages faults in what is not there: it is taken for granted that the memory of a
 * ring exists, and that there is memory for the map. Accesses that only a round makes hit, therefore; for all
 * others it matters whether a range came by since, and when the round was over.
 *
 * The clamped effect is that of the recording's own timing: that a real memory manager, and whoever waits for
 * it, would have been slower is not replayed (§2.1, replay rule).
 */
import { addSlot, isSlotOf, NO_CPU, slotAt, type Callback } from './callbacks.js';
import { MEMORY_KIND, SET_UP_OPEN, WAITS_FOR_UNLOCK } from './doubts.js';
import { recycle, type EngineState } from './engine-state.js';
import { followCallback, forgetCpu, stopFollowing } from './followed-callbacks.js';
import { AMBIGUOUS, HIT, NOT_SET_UP, OUTCOMES } from './outcome.js';
import { sameRange } from './paired-ranges.js';
import { AREA_COUNT } from './ring.js';
import { setMap, setMapOutsideRound } from './virtqueue-state.js';

/** vq_meta_prefetch, without device IOTLB. */
export function beginDeferredRound(engine: EngineState, vq: number): void {
  const { virtqueues, tallies, design } = engine;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    const before = virtqueues.map[slot];
    const built = design.filtersMemory ? AMBIGUOUS : HIT;
    if (before !== HIT)
      tallies.prefetch[vq * OUTCOMES + (before === AMBIGUOUS ? AMBIGUOUS : built)]++;
    setMap(virtqueues, slot, built);
    virtqueues.doubt[slot] = MEMORY_KIND;
    if (virtqueues.inSetUp[vq] === 1) mayGo(engine, slot, SET_UP_OPEN);
    else if (isUnderWay(engine, slot)) mayGo(engine, slot, WAITS_FOR_UNLOCK);
  }
}

/** A map that is there may go, but not before the round is over. */
export function mayGo({ virtqueues }: EngineState, slot: number, doubt: number): void {
  if (virtqueues.map[slot] !== HIT) return;
  virtqueues.doubt[slot] = doubt;
  setMapOutsideRound(virtqueues, slot, AMBIGUOUS);
}

/** Whether a callback that was entered before now may take the map yet. */
function isUnderWay({ virtqueues, open }: EngineState, slot: number): boolean {
  const { untracked, mayStillGo } = virtqueues;
  if (untracked[slot >> 2] === 1 || mayStillGo[slot] === 1) return true;
  return open.some((callback) => isSlotOf(callback, slot));
}

/** A callback is entered. Returns whether it is followed from now on. */
export function enterDeferred(engine: EngineState, callback: Callback): boolean {
  const { design } = engine;
  const isByRange = design.clears === 'range-at-unlock';
  // Refused, or nothing overlaps (§1.4); invalidate_range knows no such difference.
  if (callback.blockable === 0 && !isByRange) return false;
  if (!callback.isStart) leave(engine, callback, true);
  if (callback.slotCount === 0 || (!callback.isStart && !isByRange)) return false;
  for (let k = 0; k < callback.slotCount; k++) mayGo(engine, slotAt(callback, k), WAITS_FOR_UNLOCK);
  if (isFollowed(engine, callback)) return followDeferred(engine, callback);
  loosen(engine, callback);
  return false;
}

/** Of a start its end tells that it has returned; of an end the next event of its CPU, or its own return. */
function isFollowed({ host, preemption }: EngineState, { isStart, blockable }: Callback): boolean {
  // A kernel with the direct map may have refused it: its end never comes.
  if (host === 'direct-map' && blockable === 0) return false;
  return isStart || host === 'stock' || preemption === 'voluntary';
}

export function followDeferred(engine: EngineState, callback: Callback): true {
  if (callback.isStart) callback.cpu = NO_CPU;
  const oldest = followCallback(engine, callback);
  if (oldest === undefined) return true;
  loosen(engine, oldest);
  recycle(engine, oldest);
  return true;
}

function loosen({ virtqueues }: EngineState, callback: Callback): void {
  for (let k = 0; k < callback.slotCount; k++) virtqueues.mayStillGo[slotAt(callback, k)] = 1;
}

/** Ends entered on `cpu` have returned: without preemption it goes on only then. */
export function passDeferred(engine: EngineState, cpu: number): void {
  for (let at = engine.open.length - 1; at >= 0; at--)
    if (engine.open[at].cpu === cpu) recycle(engine, stopFollowing(engine, at));
}

/** The memory manager's call has returned; between those of start and end, invalidate_range may still come. */
export function returnDeferred(engine: EngineState, returned: Callback): void {
  if (returned.isStart && engine.design.clears === 'range-at-unlock') return;
  leave(engine, returned, returned.isStart);
}

/** One of the starts, or ends, of that range has returned; nobody knows which of several that look alike. */
function leave(engine: EngineState, like: Callback, isStart: boolean): void {
  const { open, devices, host } = engine;
  if (host === 'direct-map' && devices.paired[like.dev] !== true) return;
  const isAlike = (one: Callback): boolean => one.isStart === isStart && sameRange(one, like);
  const at = open.findIndex(isAlike);
  if (at < 0) return;
  const left = open[at];
  const other = open.find((one) => one !== left && isAlike(one));
  for (let k = 0; other !== undefined && k < left.slotCount; k++) {
    const slot = slotAt(left, k);
    if (!isSlotOf(other, slot)) addSlot(other, slot);
  }
  if (other !== undefined && other.cpu !== left.cpu) forgetCpu(engine, other);
  recycle(engine, stopFollowing(engine, at));
}

/** All callbacks of a device have returned. */
export function completeDeferred(engine: EngineState, dev: number): void {
  for (let at = engine.open.length - 1; at >= 0; at--)
    if (engine.open[at].dev === dev) recycle(engine, stopFollowing(engine, at));
  const { mayStillGo, untracked } = engine.virtqueues;
  for (const vq of engine.devices.virtqueues[dev] ?? []) {
    mayStillGo.fill(0, 4 * vq, 4 * vq + AREA_COUNT);
    untracked[vq] = 0;
  }
}

/** A set-up ioctl, or a reset, comes to the maps of a virtqueue; which of them drop some depends. */
export function mayDropDeferred(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    mayGo(engine, slot, SET_UP_OPEN);
    endRoundMap(engine, slot);
  }
  if (engine.host === 'stock') virtqueues.inSetUp[vq] = 1;
}

/** The virtqueue's areas have no maps. */
export function dropDeferred(engine: EngineState, vq: number): void {
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    setMapOutsideRound(engine.virtqueues, slot, NOT_SET_UP);
    endRoundMap(engine, slot);
  }
}

/** The ring is set up in a place: the maps of the one before are gone, if the ioctl was told to have succeeded. */
export function setUpDeferred(engine: EngineState, slot: number): void {
  // A stock host's recording tells it late: a round may have mapped the area since.
  if (engine.host === 'stock' || engine.design.dropsMapsOn === 'addr') return;
  setMap(engine.virtqueues, slot, NOT_SET_UP);
}

/** No round is under way; but the end of one may still be told, of a stock host. */
function endRoundMap({ virtqueues }: EngineState, slot: number): void {
  if (virtqueues.inRound[slot >> 2] === 0) setMap(virtqueues, slot, virtqueues.map[slot]);
}

/** The device IOTLB turns out to have been another in the last round than was known. */
export function doubtDeferred(engine: EngineState, vq: number, doubt: number): void {
  const { virtqueues } = engine;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    virtqueues.doubt[slot] = doubt;
    setMap(virtqueues, slot, AMBIGUOUS);
  }
}
