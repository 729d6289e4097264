/**
 * Rings of a stock host that are told of while ranges are under way over them: an idle one is first told of when a
 * round of its device begins. Its notifier would have been registered all the time, so that the starts of these
 * ranges would have come to it, although they were told when nobody knew of the ring.
 */
import { addSlot, isSlotOf, NO_CPU, type Callback } from '../callbacks.js';
import { addToCount, forgetCount } from '../counts.js';
import { followDeferred, mayGo } from '../deferred-maps.js';
import { TOUCHED_IN_ROUND, WAITS_FOR_UNLOCK } from '../doubts.js';
import { recycle, takeCallback, type EngineState } from '../engine-state.js';
import { concerns } from '../overlap.js';
import { sameRange } from '../paired-ranges.js';
import { follow } from '../loose-effects.js';
import { mayLose } from '../ranges-order.js';
import { touchAtOnce } from './at-once.js';
import type { RangeUnderWay } from './ranges-under-way.js';
import { mayChange } from './round-changes.js';

/** The place of an area is told for the first time. */
export function meetRanges(engine: EngineState, slot: number): void {
  if (engine.hasUnfollowed && !engine.isAtOnce) forgetCount(engine, slot >> 2);
  for (const found of rangesOver(engine, slot)) {
    if (engine.mechanism === 'deferred') meetDeferred(engine, slot, found);
    else if (found.range.blockable === 1) meetCounted(engine, slot, found);
  }
}

/** The place of an area is another now, and what has come to it of the ranges under way is not known. */
export function doubtMoved(engine: EngineState, slot: number): void {
  if (engine.isAtOnce) return;
  if (engine.hasUnfollowed || rangesOver(engine, slot).length > 0) forgetCount(engine, slot >> 2);
}

/** Ranges that are under way over an area, whatever of them is. */
function rangesOver(
  { virtqueues, devices, design, underWay }: EngineState,
  slot: number,
): RangeUnderWay[] {
  const owner = devices.owner[virtqueues.dev[slot >> 2]];
  return underWay.filter(
    ({ range }) => range.dev === owner && concerns(virtqueues, slot, range, design.overlap),
  );
}

function meetCounted(engine: EngineState, slot: number, { range, phase }: RangeUnderWay): void {
  if (engine.isAtOnce) {
    if (phase !== 'ends') meetAtOnce(engine, slot, range);
    return;
  }
  if (phase === 'has begun') return addToCount(engine, slot >> 2, 1, 1);
  addToCount(engine, slot >> 2, 0, 1);
  if (phase === 'begins') {
    mayChange(engine.virtqueues, slot, TOUCHED_IN_ROUND);
    mayLose(engine, slot);
  }
  const callback = callbackOf(engine, range, slot, phase === 'begins');
  if (callback.slotCount === 0) follow(engine, callback);
  addSlot(callback, slot);
}

function meetAtOnce(engine: EngineState, slot: number, range: Callback): void {
  touchAtOnce(engine, slot);
  const callback = callbackOf(engine, range, slot, true);
  if (callback.slotCount === 0) follow(engine, callback);
  addSlot(callback, slot);
  callback.done = callback.slotCount;
}

function meetDeferred(engine: EngineState, slot: number, { range, phase }: RangeUnderWay): void {
  const isByRange = engine.design.clears === 'range-at-unlock';
  if (!isByRange && (phase !== 'begins' || range.blockable === 0)) return;
  mayGo(engine, slot, WAITS_FOR_UNLOCK);
  const callback = callbackOf(engine, range, slot, phase !== 'ends');
  if (callback.slotCount === 0) followDeferred(engine, callback);
  addSlot(callback, slot);
}

/** The callback of the slot's device that such a call runs: one that is followed, or a new one, without slots yet. */
function callbackOf(
  engine: EngineState,
  range: Callback,
  slot: number,
  isStart: boolean,
): Callback {
  const made = takeCallback(engine);
  const { slots, slotCount, done, beforeAt, ownComm } = made;
  Object.assign(made, range, { slots, slotCount, done, beforeAt, ownComm });
  made.dev = engine.virtqueues.dev[slot >> 2];
  made.isStart = isStart;
  made.inOrder = false;
  made.cpu = NO_CPU;
  made.enteredAt = engine.clock;
  const known = engine.open.find(
    (one) => one.isStart === isStart && sameRange(one, made) && !isSlotOf(one, slot),
  );
  if (known === undefined) return made;
  recycle(engine, made);
  return known;
}
