/** Set-up of rings and devices: addresses, maps dropped outside the notifier, resets, the notifier. */
import { holdsRange, isRange, setRange } from './area-ranges.js';
import { slotAt } from './callbacks.js';
import { forgetCount, setCount } from './counts.js';
import { NOTIFIER_OFF, NOTIFIER_ON } from './device-state.js';
import { completeDeferred, dropDeferred, mayDropDeferred, setUpDeferred } from './deferred-maps.js';
import { SET_UP_IN_ROUND, SET_UP_OPEN } from './doubts.js';
import { missAll, missOverdue, expectNothing } from './effects-order.js';
import type { EngineState } from './engine-state.js';
import type { EventBatch } from './event-batch.js';
import { switchRecording } from './mm-wide-count.js';
import { AMBIGUOUS, HIT, NOT_SET_UP } from './outcome.js';
import { detachCallbacks, resetCountUnderWay } from './loose-effects.js';
import { completeDevice, noteUnmapped } from './ranges-order.js';
import { ACCESSOR_SPAN, AREA_COUNT } from './ring.js';
import { endAttempts } from './rounds.js';
import { nanoseconds } from './stock-host/nanoseconds.js';
import { doubtMoved, meetRanges } from './stock-host/first-sight.js';
import { forgetEvidence } from './stock-host/page-evidence.js';
import { isRangeUnderWay } from './stock-host/ranges-under-way.js';
import { mayChangeAll } from './stock-host/round-changes.js';
import {
  doubtMap,
  NOT_RESETTING,
  PERHAPS_RESETTING,
  RANGE_NONE,
  RANGE_UNKNOWN,
  RESETTING,
  setIotlb,
  setMap,
} from './virtqueue-state.js';

/** SET_VRING_NUM or SET_VRING_ADDR records the range of an area. */
export function recordRange(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  slot: number,
  failed: boolean,
): void {
  const { virtqueues } = engine;
  const { details } = batch;
  const detail = batch.detail[i];
  itWasTheIoctl(engine, slot >> 2);
  // What was found of the pages was found of the range before.
  virtqueues.gupHolds[slot] = 0;
  forgetEvidence(virtqueues, slot);
  // A round that ends after this may have copied from the range before.
  virtqueues.disturbed[slot] = 1;
  // Ranges are told where rings are: one that began when there was none here is not.
  if (!holdsRange(virtqueues, slot, details.address, details.size, 2 * detail))
    virtqueues.watchedFrom[slot] =
      nanoseconds(batch.time[2 * i], batch.time[2 * i + 1]) + engine.delays.setUp;
  if (!failed || !engine.design.keepsRangesOnFailedSetup) {
    if (engine.host === 'stock' && engine.mechanism !== 'fixed')
      moveArea(engine, slot, details.address, details.size, 2 * detail);
    else setRange(virtqueues, slot, details.address, details.size, 2 * detail);
    if (engine.mechanism === 'deferred') setUpDeferred(engine, slot);
    return;
  }
  if (engine.mechanism === 'deferred') {
    // When an ioctl fails, and what of it has been done by then, is not in the trace.
    if (!isRange(virtqueues, slot, details.address, details.size, 2 * detail))
      virtqueues.sized[slot] = RANGE_UNKNOWN;
    return;
  }
  // The recording kernel took over what the fields held by then, the design keeps the old range. What
  // the former then found out (effects of ranges, pages of the area) the latter would not have.
  if (isRange(virtqueues, slot, details.address, details.size, 2 * detail)) return;
  virtqueues.diverged[slot >> 2] = 1;
  if (engine.order === 'effects') forgetCount(engine, slot >> 2);
}

/** Of a stock host: ranges that are under way may be over the new place, or have been over the old one. */
function moveArea(
  engine: EngineState,
  slot: number,
  address: Uint32Array,
  size: Uint32Array,
  word: number,
): void {
  const { virtqueues, devices } = engine;
  if (isRange(virtqueues, slot, address, size, word)) return;
  const notifier = devices.notifier[virtqueues.dev[slot >> 2]];
  const isFirst = virtqueues.sized[slot] === RANGE_NONE && notifier === undefined;
  const isCounted = engine.mechanism === 'counted';
  if (isCounted && notifier !== NOTIFIER_OFF) doubtMoved(engine, slot);
  setRange(virtqueues, slot, address, size, word);
  if (isFirst) meetRanges(engine, slot);
  else if (isCounted) doubtMoved(engine, slot);
}

/**
 * Maps are dropped outside the notifier (reference §1.5). With the notifier live this is a reset, which
 * sets the count to 0 first; otherwise it is SET_VRING_NUM or SET_VRING_ADDR, or the cleanup after a
 * reset, and the callbacks of the device have all returned.
 */
export function dropMaps(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  const dev = virtqueues.dev[vq];
  if (engine.mechanism === 'deferred') {
    if (engine.devices.notifier[dev] === NOTIFIER_OFF && engine.host === 'direct-map')
      completeDeferred(engine, dev);
    return mayDropDeferred(engine, vq);
  }
  endAttempts(engine, vq);
  mayChangeAll(virtqueues, vq, SET_UP_IN_ROUND);
  if (engine.devices.notifier[dev] === NOTIFIER_OFF && engine.host === 'stock') {
    // Told when the ioctl is entered: it goes on to wait for the virtqueue and for callbacks.
    virtqueues.inSetUp[vq] = 1;
    if (engine.design.resetsCountOnSetup) resetCount(engine, vq);
  } else if (engine.devices.notifier[dev] === NOTIFIER_OFF) {
    if (engine.order === 'ranges') completeDevice(engine, dev);
    else missAll(engine, dev);
    if (engine.design.resetsCountOnSetup) setCount(engine, vq, 0, 0);
  } else {
    if (engine.order === 'effects') missOverdue(engine, vq);
    resetCount(engine, vq);
    // A stock host's recording tells that a notifier would go before the ioctl drops maps.
    const isSure = engine.devices.notifier[dev] === NOTIFIER_ON || engine.host === 'stock';
    virtqueues.resetting[vq] = isSure ? RESETTING : PERHAPS_RESETTING;
  }
  virtqueues.diverged[vq] = 0;
  if (engine.design.dropsMapsOn !== 'never') return fillMaps(engine, vq, NOT_SET_UP);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) noteUnmapped(engine, slot);
  if (virtqueues.resetting[vq] === RESETTING) fillMaps(engine, vq, NOT_SET_UP);
  else if (virtqueues.resetting[vq] === PERHAPS_RESETTING) doubtMaps(engine, vq);
}

/** A design that keeps its maps when a ring is set up drops them in a reset, and this may be either. */
function doubtMaps({ virtqueues }: EngineState, vq: number): void {
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
    if (virtqueues.map[slot] === HIT) doubtMap(virtqueues, slot, SET_UP_OPEN, AMBIGUOUS);
}

/** The maps of `vq` were not dropped by a reset, but by the ioctl: that does not touch the count. */
function itWasTheIoctl(engine: EngineState, vq: number): void {
  const { resetting } = engine.virtqueues;
  if (resetting[vq] !== PERHAPS_RESETTING) return;
  resetting[vq] = NOT_RESETTING;
  if (!engine.design.resetsCountOnSetup) forgetCount(engine, vq);
}

/** vhost_vq_reset is through: sizes 0. Its count went to 0 when it dropped the maps, if it did. */
export function reset(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  endAttempts(engine, vq);
  mayChangeAll(virtqueues, vq, SET_UP_IN_ROUND);
  if (engine.mechanism === 'counted') endCount(engine, vq);
  virtqueues.resetting[vq] = NOT_RESETTING;
  virtqueues.wasReset[vq] = 1;
  // While a notifier was there, ranges may have begun that end after this.
  const isOff = engine.devices.notifier[virtqueues.dev[vq]] === NOTIFIER_OFF;
  virtqueues.countsFromZero[vq] = isOff ? 1 : 0;
  setIotlb(virtqueues, vq, false);
  if (engine.mechanism === 'deferred') dropDeferred(engine, vq);
  else fillMaps(engine, vq, NOT_SET_UP);
  // The recording program forgets what it counted, and begins anew.
  virtqueues.counters.fill(0, ACCESSOR_SPAN * vq, ACCESSOR_SPAN * (vq + 1));
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    virtqueues.sized[slot] = RANGE_NONE;
    virtqueues.gupHolds[slot] = 0;
    forgetEvidence(virtqueues, slot);
  }
}

/** The count is 0, unless it was set to that before; callbacks under way find nothing to overlap any more. */
function endCount(engine: EngineState, vq: number): void {
  if (engine.virtqueues.resetting[vq] === NOT_RESETTING) resetCount(engine, vq);
  if (engine.order === 'effects') expectNothing(engine, vq);
  else if (engine.design.overlap !== 'always') detachCallbacks(engine, vq);
}

function resetCount(engine: EngineState, vq: number): void {
  if (engine.order === 'ranges') resetCountUnderWay(engine, vq);
  else setCount(engine, vq, 0, 0);
}

/** The maps of a virtqueue are gone, for that reason. */
function fillMaps(engine: EngineState, vq: number, reason: number): void {
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    setMap(engine.virtqueues, slot, engine.fixedMap < 0 ? reason : engine.fixedMap);
    noteUnmapped(engine, slot);
  }
}

/**
 * A range under way when the notifier of a device goes or comes may have been told of, or not, and its end
 * likewise. (The design would have waited for it before it registered; a stock kernel does not.)
 */
function forgetCountsUnderWay(engine: EngineState, dev: number): void {
  for (const vq of engine.devices.virtqueues[dev] ?? [])
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
      if (isRangeUnderWay(engine, slot)) forgetCount(engine, vq);
  // Nor may the end of one that was entered have come to this device yet.
  for (const callback of engine.open) {
    if (callback.dev !== dev) continue;
    for (let k = callback.done; k < callback.slotCount; k++)
      forgetCount(engine, slotAt(callback, k) >> 2);
  }
}

/** As the notifier of a device goes of which nothing was known before, and until it comes again. */
function doubtCountsBefore(engine: EngineState, dev: number, isOn: boolean): void {
  const { mayHaveCounted, virtqueues } = engine.devices;
  if (!isOn) {
    mayHaveCounted[dev] = engine.underWay.length > 0 || engine.hasUnfollowed;
    return;
  }
  if (mayHaveCounted[dev] === true && !engine.design.resetsCountOnSetup)
    for (const vq of virtqueues[dev] ?? []) forgetCount(engine, vq);
  mayHaveCounted[dev] = false;
}

/**
 * The notifier is registered, or unregistration begins. No range is reported while it is off, so
 * nothing is known to hold over that time. Callbacks may be under way at either event: registration is
 * seen only after it took place.
 */
export function switchNotifier(engine: EngineState, dev: number, isOn: boolean): void {
  const before = engine.devices.notifier[dev];
  engine.devices.notifier[dev] = isOn ? NOTIFIER_ON : NOTIFIER_OFF;
  if (isOn) engine.devices.paired[dev] = true;
  if (engine.host === 'stock') {
    // Whatever was entered before it was unregistered has returned by now.
    if (isOn && engine.mechanism === 'deferred') completeDeferred(engine, dev);
    else if (isOn) completeDevice(engine, dev);
    if (engine.mechanism === 'counted' && !engine.isAtOnce) {
      forgetCountsUnderWay(engine, dev);
      if (before === undefined || isOn) doubtCountsBefore(engine, dev, isOn);
    }
  }
  if (engine.mechanism === 'counted' && engine.design.counter === 'mm')
    switchRecording(engine, dev, isOn, before);
  for (const vq of engine.devices.virtqueues[dev] ?? []) {
    itWasTheIoctl(engine, vq);
    if (isOn) engine.virtqueues.inSetUp[vq] = 0;
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
      engine.virtqueues.gupHolds[slot] = 0;
  }
}
