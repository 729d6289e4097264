/** Notifier callbacks as they are entered: what they overlap, and what follows from the entry alone. */
import { addSlot, doubtful, slotAt, type Callback } from './callbacks.js';
import type { Design } from './designs.js';
import { expectEffects } from './effects-order.js';
import { recycle, takeCallback, type EngineState } from './engine-state.js';
import type { EventBatch } from './event-batch.js';
import { noteFor } from './mismatches.js';
import { enterCallback } from './ranges-order.js';
import { AREA_COUNT } from './ring.js';
import { overlaps, RANGE_UNKNOWN } from './virtqueue-state.js';

/** A notifier callback is entered. Non-blockable ranges change nothing (reference §1.4, §5.3). */
export function enterRange(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
): void {
  const { ranges } = engine.tallies;
  if (isStart) ranges.start++;
  else ranges.end++;
  const callback = readCallback(engine, batch, i, isStart);
  const blockable = batch.details.blockable[batch.detail[i]] === 1;
  if (isStart && !blockable) {
    ranges.nonBlockable++;
    if (refusesNonBlockable(engine.design, callback)) ranges.refused++;
  }
  if (isStart && blockable && overlapsAny(callback)) ranges.overlapping++;
  let isKept = false;
  if (blockable && engine.design.maps !== 'never') {
    forgetPages(engine, callback);
    if (engine.order === 'effects') expectEffects(engine, callback);
    else isKept = enterCallback(engine, callback);
    let noted = -1;
    for (let k = 0; k < callback.slotCount; k++) {
      const vq = slotAt(callback, k) >> 2;
      if (vq !== noted) noteFor(engine, batch, i, vq, -1);
      noted = vq;
    }
  }
  if (!isKept) recycle(engine, callback);
}

/**
 * Pages may go at any moment between the entries of start and end: what get_user_pages found before
 * either of them says nothing afterwards.
 */
function forgetPages(engine: EngineState, callback: Callback): void {
  const { gupHolds } = engine.virtqueues;
  for (let k = 0; k < callback.slotCount; k++) gupHolds[slotAt(callback, k)] = 0;
}

function refusesNonBlockable(design: Design, callback: Callback): boolean {
  if (design.maps === 'never') return false;
  return design.refusesNonBlockable === 'always' || overlapsAny(callback);
}

function overlapsAny(callback: Callback): boolean {
  for (let k = 0; k < callback.slotCount; k++) if (callback.slots[k] >= 0) return true;
  return false;
}

function readCallback(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
): Callback {
  const callback = takeCallback(engine);
  const { details } = batch;
  const detail = batch.detail[i];
  const low = 2 * detail;
  callback.dev = details.dev[detail];
  callback.isStart = isStart;
  callback.cpu = batch.cpu;
  callback.pid = details.pid[detail];
  callback.cause = details.cause[detail];
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
  const from = comm.offsets[detail];
  callback.commLength = Math.min(comm.offsets[detail + 1] - from, callback.comm.length);
  for (let k = 0; k < callback.commLength; k++) callback.comm[k] = comm.bytes[from + k];
  const virtqueues = engine.devices.virtqueues[callback.dev];
  if (virtqueues === undefined) return callback;
  const { startLow, startHigh, endLow, endHigh } = callback;
  for (const vq of virtqueues) {
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
      if (overlaps(engine.virtqueues, slot, startLow, startHigh, endLow, endHigh))
        addSlot(callback, slot);
      else if (engine.order === 'ranges' && engine.virtqueues.sized[slot] === RANGE_UNKNOWN)
        addSlot(callback, doubtful(slot));
    }
  }
  return callback;
}
