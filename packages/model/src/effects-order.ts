/**
 * Effects order: recorded effects are the instants, under vq->mmu_lock, when callbacks changed the
 * state. What is left to find out is whether the recording has an effect for every range that calls
 * for one; if not, this order must not be trusted.
 */
import { widenAttempts } from './attempts.js';
import { recycle, type EngineState } from './engine-state.js';
import type { Callback } from './callbacks.js';
import { AMBIGUOUS, HIT, INVALIDATED, PENDING } from './outcome.js';
import { setMap } from './virtqueue-state.js';

/** A start takes effect on one area: the count rises, the map goes (reference §1.4). */
export function applyStart(engine: EngineState, vq: number, slot: number): void {
  const { virtqueues, tallies } = engine;
  tallies.effects.start++;
  virtqueues.countLow[vq]++;
  virtqueues.countHigh[vq]++;
  const map = virtqueues.map[slot];
  const base = map & (PENDING - 1);
  if (base === HIT || base === AMBIGUOUS) setMap(virtqueues, slot, INVALIDATED | (map & PENDING));
  if (map >= PENDING) {
    // Whatever the open round's attempt did before is gone; it matters only if it is still to come.
    virtqueues.attemptLow[slot] = virtqueues.countLow[vq];
    virtqueues.attemptHigh[slot] = virtqueues.countHigh[vq];
  }
  widenAttempts(virtqueues, vq);
}

/** An end takes effect on one area. */
export function applyEnd(engine: EngineState, vq: number): void {
  const { virtqueues, tallies } = engine;
  tallies.effects.end++;
  virtqueues.countLow[vq]--;
  virtqueues.countHigh[vq]--;
  widenAttempts(virtqueues, vq);
}

/** Callbacks that may still lack effects at the end of a recording; lost ends let them pile up. */
const MAX_UNDER_WAY = 4096;

/**
 * Keeps the last callback of every thread that may still be under way: its effects may be missing at
 * the end of the recording without anything having been lost. Returns whether it is kept.
 */
export function noteCallback(engine: EngineState, callback: Callback): boolean {
  let kept = 0;
  for (const other of engine.open) {
    if (sameThread(other, callback)) recycle(engine, other);
    else engine.open[kept++] = other;
  }
  engine.open.length = kept;
  if (callback.slotCount === 0) return false;
  engine.open.push(callback);
  if (engine.open.length > MAX_UNDER_WAY) {
    const oldest = engine.open.shift();
    if (oldest !== undefined) recycle(engine, oldest);
  }
  return true;
}

function sameThread(a: Callback, b: Callback): boolean {
  if (a.dev !== b.dev || a.pid !== b.pid || a.commLength !== b.commLength) return false;
  for (let i = 0; i < a.commLength; i++) if (a.comm[i] !== b.comm[i]) return false;
  return true;
}

/** Effects that the ranges call for and that were not recorded. 0 in a whole recording. */
export function missingEffects(engine: EngineState): number {
  const { ranges, effects } = engine.tallies;
  let underWay = 0;
  for (const callback of engine.open) underWay += callback.slotCount;
  const missing = ranges.startedAreas - effects.start + (ranges.endedAreas - effects.end);
  return Math.max(0, missing - underWay);
}
