/**
 * Attempts to map as the recording shows them (`--use-observations`, ranges order). The recorded kernel
 * must have run the design: then its attempts are the design's, and every one that is not recorded was
 * not made. What they prove, under vq->mmu_lock and so exact in time (reference §1.3):
 *
 * - an attempt: the area had no map; refused or failed, it has none until the next attempt;
 * - a refused one: invalidate_count was not 0; any other: it was 0;
 * - a success: the area has a map, until a start that is not known to have passed it comes by;
 * - no attempt in a round that then accesses the ring without device IOTLB: the area had a map.
 */
import type { Callback } from './callbacks.js';
import { addToCount, setCount } from './counts.js';
import { ATTEMPT_MISSING, PAGES_UNKNOWN, START_UNDER_WAY } from './doubts.js';
import { effectsUnderWay } from './effects-under-way.js';
import type { EngineState } from './engine-state.js';
import type { EventBatch } from './event-batch.js';
import { keepMismatch } from './mismatches.js';
import { AMBIGUOUS, HIT, OUTCOMES, PENDING, REFUSED_COUNT } from './outcome.js';
import { doubtMapsUpToNow } from './loose-effects.js';
import { complete, isPassed, noteUnmapped } from './ranges-order.js';
import { AREA_COUNT } from './ring.js';
import { doubtMap, NO_OUTCOME, setMap } from './virtqueue-state.js';

/** A round begins: its attempts will be seen. */
export function awaitAttempts(engine: EngineState, vq: number): void {
  const { virtqueues, clock } = engine;
  virtqueues.roundAt[vq] = clock;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    const map = virtqueues.map[slot] & (PENDING - 1);
    virtqueues.absentAtRound[slot] = map > AMBIGUOUS ? 1 : 0;
    setMap(virtqueues, slot, map | PENDING);
  }
}

/** Nothing is concluded from attempts that have not been seen. */
export function forgetAttempts(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
    setMap(virtqueues, slot, virtqueues.map[slot] & (PENDING - 1));
}

/**
 * Event `i` is an attempt on `slot`.
 *
 * @param outcome what it became: HIT for a map built, NO_OUTCOME where that cannot be told
 */
export function observeAttempt(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  slot: number,
  outcome: number,
): void {
  const { virtqueues, tallies } = engine;
  const vq = slot >> 2;
  if (outcome === NO_OUTCOME) return doubtMap(virtqueues, slot, PAGES_UNKNOWN);
  compareWithCount(engine, batch, i, slot, outcome);
  tallies.prefetch[vq * OUTCOMES + outcome]++;
  if (outcome === REFUSED_COUNT) countWasNotZero(engine, vq);
  else countWasZero(engine, vq);
  if (outcome === HIT) {
    virtqueues.mayBeMapped[slot] = 1;
    virtqueues.builtAt[slot] = engine.clock;
    if (mayStillGo(engine, slot)) doubtMap(virtqueues, slot, START_UNDER_WAY);
    else setMap(virtqueues, slot, HIT);
    return;
  }
  noteUnmapped(engine, slot);
  setMap(virtqueues, slot, outcome);
}

/** What was known before the attempt is a prediction of it; where nothing was, there is none to compare. */
function compareWithCount(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  slot: number,
  outcome: number,
): void {
  const { virtqueues, tallies } = engine;
  const vq = slot >> 2;
  const low = virtqueues.countLow[vq];
  const high = virtqueues.countHigh[vq];
  const surelyRefused = low > 0 || high < 0;
  const surelyTried = low === 0 && high === 0;
  const map = virtqueues.map[slot] & (PENDING - 1);
  if (map !== HIT && !surelyRefused && !surelyTried) {
    tallies.attempts.settled++;
    return;
  }
  if (map !== HIT && surelyRefused === (outcome === REFUSED_COUNT)) {
    tallies.refusals.agree++;
    return;
  }
  tallies.refusals.disagree++;
  const predicted = map === HIT ? HIT : surelyRefused ? REFUSED_COUNT : AMBIGUOUS;
  const result = batch.details.result[batch.detail[i]];
  keepMismatch(engine, batch, i, vq, 'prefetch', slot & 3, predicted, result);
}

/** Event `i` is an access of `vq` after the attempts of its round: areas without attempt had a map. */
export function settleUnattempted(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  vq: number,
): void {
  if (batch.observed[i] === 2) return forgetAttempts(engine, vq);
  const { virtqueues, tallies } = engine;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (virtqueues.map[slot] < PENDING) continue;
    const map = virtqueues.map[slot] & (PENDING - 1);
    if (virtqueues.absentAtRound[slot] === 1) {
      tallies.attempts.missing++;
      doubtMap(virtqueues, slot, ATTEMPT_MISSING);
      continue;
    }
    const isSure = virtqueues.doubtedAt[slot] < virtqueues.roundAt[vq] && !mayStillGo(engine, slot);
    setMap(virtqueues, slot, map === AMBIGUOUS && isSure ? HIT : map);
  }
}

/** Whether a start may be under way that has not surely passed an area. */
function mayStillGo({ virtqueues, open }: EngineState, slot: number): boolean {
  const vq = slot >> 2;
  if (virtqueues.untracked[vq] === 1 || virtqueues.looseStarts[vq] > 0) return true;
  return open.some((callback) => callback.isStart && !isPassed(callback, slot));
}

/**
 * invalidate_count is 0 at this moment. It is the sum of what is over and of the effects under way that
 * have happened; the former lies between the ends of the interval without the latter.
 */
function countWasZero(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  const { countLow, countHigh } = virtqueues;
  if (virtqueues.untracked[vq] === 1 || virtqueues.diverged[vq] === 1) return;
  const { starts, ends, doubtful } = effectsUnderWay(engine, vq);
  if (doubtful > 0) return;
  const low = Math.max(countLow[vq] + ends, -starts);
  const high = Math.min(countHigh[vq] - starts, ends);
  if (low > high) return;
  setCount(engine, vq, low - ends, high + starts);
  // Only if every end has happened and no start; or the other way round.
  if (low === ends) passEffects(engine, vq, false);
  else if (high === -starts) passEffects(engine, vq, true);
}

/**
 * invalidate_count is not 0 at this moment. Where what is over adds up to 0, a start under way has come
 * to an area of `vq`; if only one can, it has come to the first of them, and to all areas before that.
 */
function countWasNotZero(engine: EngineState, vq: number): void {
  const { virtqueues, open } = engine;
  if (virtqueues.untracked[vq] === 1 || virtqueues.diverged[vq] === 1) return;
  const { starts, ends, doubtful } = effectsUnderWay(engine, vq);
  if (doubtful > 0 || ends > 0 || virtqueues.looseStarts[vq] > 0) return;
  if (virtqueues.countLow[vq] !== 0 || virtqueues.countHigh[vq] !== starts) return;
  const coming = open.filter((callback) => callback.isStart && firstOpen(callback, vq) >= 0);
  const [start] = coming;
  if (start === undefined || coming.length > 1 || !start.inOrder) return;
  complete(engine, start, firstOpen(start, vq) + 1);
}

/** Index of the first slot of `vq` that a callback has not surely dealt with; -1 when there is none. */
function firstOpen({ slots, slotCount, done }: Callback, vq: number): number {
  for (let k = done; k < slotCount; k++) if (slots[k] >> 2 === vq) return k;
  return -1;
}

/** The effects under way of all starts, or of all ends, have happened, and none of the others. */
function passEffects(engine: EngineState, vq: number, isStart: boolean): void {
  const { looseStarts, looseEnds } = engine.virtqueues;
  for (const callback of engine.open) {
    if (!callback.inOrder) continue;
    if (callback.isStart === isStart) complete(engine, callback, afterLast(callback, vq));
    else if (callback.isStart) stillBefore(engine, callback, vq);
  }
  if (isStart) {
    if (looseStarts[vq] > 0) doubtMapsUpToNow(engine, vq);
    addToCount(engine, vq, looseStarts[vq], 0);
    looseStarts[vq] = 0;
  } else {
    addToCount(engine, vq, 0, -looseEnds[vq]);
    looseEnds[vq] = 0;
  }
}

/** Index after the last slot of `vq` in the callback's list; 0 when there is none. */
function afterLast({ slots, slotCount }: Callback, vq: number): number {
  let after = slotCount;
  while (after > 0 && slots[after - 1] >> 2 !== vq) after--;
  return after;
}

/** A start has not come to the areas of `vq` yet, so it will. */
function stillBefore(engine: EngineState, callback: Callback, vq: number): void {
  const first = firstOpen(callback, vq);
  if (first < 0) return;
  callback.beforeAt = engine.clock;
  callback.beforeFrom = first;
}
