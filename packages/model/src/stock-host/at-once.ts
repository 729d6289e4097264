/**
 * Callbacks that take effect in the moment in which their call begins: for what is likely of a stock host, where nothing
 * takes time. Counts are numbers then and maps are there or not; whether a call comes to a device goes by what was told
 * of its notifier.
 */
import { doubtful, NO_CPU, type Callback } from '../callbacks.js';
import { addToCount } from '../counts.js';
import { TOUCHED_IN_ROUND } from '../doubts.js';
import { recycle, type EngineState } from '../engine-state.js';
import { stopFollowing } from '../followed-callbacks.js';
import { AMBIGUOUS, HIT, INVALIDATED } from '../outcome.js';
import { sameRange } from '../paired-ranges.js';
import { setMap } from '../virtqueue-state.js';
import { mayChange } from './round-changes.js';

/** A start adds one for each area that it surely comes to, and takes its map (reference §1.4). Returns whether it does. */
export function startAtOnce(engine: EngineState, callback: Callback): boolean {
  let kept = 0;
  for (let k = 0; k < callback.slotCount; k++) {
    const slot = callback.slots[k];
    if (slot < 0) continue;
    callback.slots[kept++] = slot;
    touchAtOnce(engine, slot);
  }
  callback.slotCount = kept;
  callback.done = kept;
  callback.cpu = NO_CPU;
  return kept > 0;
}

/** The effect of a start on one area. */
export function touchAtOnce(engine: EngineState, slot: number): void {
  const { virtqueues } = engine;
  mayChange(virtqueues, slot, TOUCHED_IN_ROUND);
  addToCount(engine, slot >> 2, 1, 1);
  const map = virtqueues.map[slot];
  if (map === HIT || map === AMBIGUOUS) setMap(virtqueues, slot, INVALIDATED);
}

/** An end takes away what the start of its range has added, where it still comes to the area. */
export function endAtOnce(engine: EngineState, end: Callback): void {
  const at = engine.open.findLastIndex((one) => one.isStart && sameRange(one, end));
  if (at < 0) return;
  const start = stopFollowing(engine, at);
  for (let k = 0; k < end.slotCount; k++) {
    const slot = end.slots[k];
    if (slot >= 0 && start.slots.subarray(0, start.slotCount).includes(slot))
      addToCount(engine, slot >> 2, -1, -1);
  }
  recycle(engine, start);
}

/** A start that nobody follows any more, as only lost ends let them pile up: its end will find nothing to take away. */
export function takeBackAtOnce(engine: EngineState, { slots, slotCount }: Callback): void {
  for (let k = 0; k < slotCount; k++) if (slots[k] >= 0) addToCount(engine, slots[k] >> 2, -1, -1);
}

/** The count of a virtqueue begins anew: ends of ranges that are under way do not come to it. */
export function detachAtOnce({ open }: EngineState, vq: number): void {
  for (const { slots, slotCount } of open)
    for (let k = 0; k < slotCount; k++) if (slots[k] >> 2 === vq) slots[k] = doubtful(slots[k]);
}
