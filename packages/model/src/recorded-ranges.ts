/** Notifier callbacks as they are entered: what they overlap, and what follows from the entry alone. */
import { addSlot, COMM_BYTES, doubtful, slotAt, type Callback } from './callbacks.js';
import type { Design } from './designs.js';
import { devicesOfOwner, NOTIFIER_OFF } from './device-state.js';
import { enterDeferred, returnDeferred } from './deferred-maps.js';
import { expectEffects } from './effects-order.js';
import { recycle, takeCallback, type EngineState } from './engine-state.js';
import type { EventBatch } from './event-batch.js';
import { PROTECTION_VMA } from './invalidation-causes.js';
import { noteFor } from './mismatches.js';
import { concerns } from './overlap.js';
import { completeReturned, enterCallback } from './ranges-order.js';
import { AREA_COUNT } from './ring.js';
import { disturbEvidence } from './stock-host/page-evidence.js';
import { nanoseconds } from './stock-host/nanoseconds.js';
import {
  beginRange,
  endRange,
  noteBegun,
  noteEnded,
  type Begin,
} from './stock-host/ranges-under-way.js';
import { NO_OUTCOME, RANGE_UNKNOWN, type VirtqueueState } from './virtqueue-state.js';

/** A notifier callback is entered. Non-blockable ranges change nothing (reference §1.4, §5.3). */
export function enterRange(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
): void {
  const isFound = enterDevice(engine, batch, i, isStart, batch.details.dev[batch.detail[i]], false);
  countRange(engine, batch, i, isStart, isFound);
}

/**
 * The memory manager calls the notifiers of a process (a stock host): the callback of each of its devices
 * is entered. While a ring of a device is set up, its notifier is off at some time, and the call may not
 * come to it.
 */
export function enterCoreRange(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
): void {
  const { devices, tallies } = engine;
  const owner = batch.details.owner[batch.detail[i]];
  // Where all accesses come out alike, it does not matter which ranges are under way.
  const begin =
    engine.mechanism === 'fixed' ? 'told' : followRange(engine, batch, i, isStart, owner);
  let isFound = false;
  for (const dev of devicesOfOwner(devices, owner)) {
    // Nor is it known whether a begin that was not told has raised the count.
    const isDoubtful = devices.notifier[dev] === NOTIFIER_OFF || begin === 'not told';
    const isOne = enterDevice(engine, batch, i, isStart, dev, isDoubtful, begin === 'returned');
    isFound ||= isOne;
    if (!isStart || tallies.derived === undefined) continue;
    for (const vq of devices.virtqueues[dev] ?? []) tallies.derived.ranges[vq]++;
  }
  countRange(engine, batch, i, isStart, isFound);
}

function followRange(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
  owner: number,
): Begin {
  const range = readRange(engine, batch, i, isStart, owner);
  if (isStart) {
    beginRange(engine, range);
    return 'told';
  }
  const begin = endRange(engine, range);
  recycle(engine, range);
  return begin;
}

/** The memory manager's call returns: so have the callbacks of all devices. */
export function returnCoreRange(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
): void {
  if (engine.mechanism === 'fixed') return;
  const owner = batch.details.owner[batch.detail[i]];
  const range = readRange(engine, batch, i, isStart, owner);
  if (isStart) noteBegun(engine, range);
  else noteEnded(engine, range);
  for (const dev of devicesOfOwner(engine.devices, owner)) {
    range.dev = dev;
    if (engine.mechanism === 'deferred') returnDeferred(engine, range);
    else if (!engine.isAtOnce) completeReturned(engine, range);
  }
  recycle(engine, range);
}

/** By which test a range counts as one over a ring, whatever the design's own: the kernel's (reference §1.4). */
const OVER_A_RING = 'inclusive-end';

function countRange(
  { tallies }: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
  isFound: boolean,
): void {
  const { ranges } = tallies;
  if (!isStart) {
    ranges.end++;
    return;
  }
  ranges.start++;
  const blockable = batch.details.blockable[batch.detail[i]] === 1;
  if (!blockable) ranges.nonBlockable++;
  if (!isFound) return;
  if (blockable) ranges.overlapping++;
  else ranges.refused++;
}

function enterDevice(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
  dev: number,
  isDoubtful: boolean,
  isBegun = false,
): boolean {
  engine.devices.wasDisturbed[dev] = true;
  if (engine.mechanism === 'fixed') return isStart && isToBeCounted(engine, batch, i, dev);
  const callback = readCallback(engine, batch, i, isStart, dev);
  const blockable = batch.details.blockable[batch.detail[i]] === 1;
  const isFound = isStart && isToBeCounted(engine, batch, i, dev, callback);
  if (isDoubtful)
    for (let k = 0; k < callback.slotCount; k++) callback.slots[k] = doubtful(callback.slots[k]);
  let isKept = false;
  if (engine.host === 'stock' && engine.mechanism === 'counted') disturbPages(engine, callback);
  if (engine.mechanism === 'deferred') isKept = enterDeferred(engine, callback);
  if (engine.mechanism === 'counted' && blockable) {
    forgetPages(engine, callback);
    if (engine.order === 'effects') expectEffects(engine, callback);
    else isKept = enterCallback(engine, callback, isBegun);
  }
  if (blockable || isKept) noteCallback(engine, batch, i, callback);
  if (!isKept) recycle(engine, callback);
  return isFound;
}

/** Remembers it as an event of each virtqueue that it concerns. */
function noteCallback(engine: EngineState, batch: EventBatch, i: number, callback: Callback): void {
  let noted = -1;
  for (let k = 0; k < callback.slotCount; k++) {
    const vq = slotAt(callback, k) >> 2;
    if (vq !== noted) noteFor(engine, batch, i, vq, -1);
    noted = vq;
  }
}

/**
 * Pages may go at any moment between the entries of start and end: what get_user_pages found before
 * either of them says nothing afterwards.
 */
function forgetPages(engine: EngineState, callback: Callback): void {
  const { gupHolds } = engine.virtqueues;
  for (let k = 0; k < callback.slotCount; k++) gupHolds[slotAt(callback, k)] = 0;
}

/** Of a stock host: what was found out of the pages before says nothing from now on. */
function disturbPages({ virtqueues, delays }: EngineState, callback: Callback): void {
  const { gup, gupHolds, disturbed } = virtqueues;
  const time = nanoseconds(callback.timeLow, callback.timeHigh);
  for (let k = 0; k < callback.slotCount; k++) {
    const slot = slotAt(callback, k);
    disturbEvidence(virtqueues, slot, callback.cause, time, delays);
    gupHolds[slot] = 0;
    gup[slot] = NO_OUTCOME;
    disturbed[slot] = 1;
    if (callback.cause === PROTECTION_VMA) virtqueues.protected[slot] = 1;
  }
}

/**
 * Whether a start is one over a ring of a device; of one that must not block, whether the design refuses it.
 *
 * @param callback what the design's own test finds is known already
 */
function isToBeCounted(
  { virtqueues, devices, design }: EngineState,
  { details, detail }: EventBatch,
  i: number,
  dev: number,
  callback?: Callback,
): boolean {
  const { maps, refusesNonBlockable, overlap } = design;
  let test: Design['overlap'] = OVER_A_RING;
  if (details.blockable[detail[i]] !== 1) {
    if (maps === 'never' || refusesNonBlockable === 'never') return false;
    if (refusesNonBlockable === 'always') return true;
    test = overlap;
  }
  return callback !== undefined && test === overlap
    ? overlapsAny(callback)
    : concernsAny(virtqueues, devices.virtqueues[dev], details, detail[i], test);
}

// One range is looked at at a time: it is not allocated per event.
const looked = { startLow: 0, startHigh: 0, endLow: 0, endHigh: 0 };

/** Whether a range concerns any of some virtqueues, by a test. */
function concernsAny(
  state: VirtqueueState,
  virtqueues: readonly number[] | undefined,
  { start, end }: EventBatch['details'],
  detail: number,
  overlap: Design['overlap'],
): boolean {
  const word = 2 * detail;
  looked.startLow = start[word];
  looked.startHigh = start[word + 1];
  looked.endLow = end[word];
  looked.endHigh = end[word + 1];
  for (const vq of virtqueues ?? [])
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
      if (concerns(state, slot, looked, overlap)) return true;
  return false;
}

function overlapsAny(callback: Callback): boolean {
  for (let k = 0; k < callback.slotCount; k++) if (callback.slots[k] >= 0) return true;
  return false;
}

/** A range as the event tells it, with no slots yet. */
function readRange(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
  dev: number,
): Callback {
  const callback = takeCallback(engine);
  const { details } = batch;
  const detail = batch.detail[i];
  const low = 2 * detail;
  callback.dev = dev;
  callback.isStart = isStart;
  callback.cpu = batch.cpu;
  callback.pid = details.pid[detail];
  callback.cause = details.cause[detail];
  callback.blockable = details.blockable[detail];
  callback.startLow = details.start[low];
  callback.startHigh = details.start[low + 1];
  callback.endLow = details.end[low];
  callback.endHigh = details.end[low + 1];
  callback.enteredAt = engine.clock;
  callback.line = batch.line[i];
  callback.timeLow = batch.time[2 * i];
  callback.timeHigh = batch.time[2 * i + 1];
  callback.enteredOn = batch.cpu;
  callback.isOneOfSeveral = false;
  const comm = details.comm;
  callback.comm = comm.bytes;
  callback.commFrom = comm.offsets[detail];
  callback.commLength = Math.min(comm.offsets[detail + 1] - callback.commFrom, COMM_BYTES);
  return callback;
}

/** A callback of a device, with the slots that it overlaps. */
function readCallback(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
  dev: number,
): Callback {
  const callback = readRange(engine, batch, i, isStart, dev);
  const ofDevice = engine.devices.virtqueues[callback.dev];
  if (ofDevice === undefined) return callback;
  const { virtqueues, design, order } = engine;
  const { sized, inSetUp } = virtqueues;
  for (const vq of ofDevice) {
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
      if (concerns(virtqueues, slot, callback, design.overlap)) addSlot(callback, slot);
      else if (inSetUp[vq] === 1) addSlot(callback, doubtful(slot));
      else if (order === 'ranges' && sized[slot] === RANGE_UNKNOWN)
        addSlot(callback, doubtful(slot));
    }
  }
  return callback;
}
