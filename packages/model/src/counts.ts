/** invalidate_count of each virtqueue, as an interval. Every change goes through here. */
import { widenAttempts } from './attempts.js';
import type { EngineState } from './engine-state.js';
import { UNKNOWN_COUNT } from './virtqueue-state.js';

/** The count lies in [low, high] from now on. */
export function setCount(engine: EngineState, vq: number, low: number, high: number): void {
  const { virtqueues } = engine;
  if (low < 0 || virtqueues.countLow[vq] < 0) virtqueues.negativeAt[vq] = engine.clock;
  virtqueues.countLow[vq] = low;
  virtqueues.countHigh[vq] = high;
  widenAttempts(virtqueues, vq);
}

/** Moves the ends of the interval. */
export function addToCount(engine: EngineState, vq: number, low: number, high: number): void {
  const { countLow, countHigh } = engine.virtqueues;
  setCount(engine, vq, countLow[vq] + low, countHigh[vq] + high);
}

/** Nothing is known of the count from now on. */
export function forgetCount(engine: EngineState, vq: number): void {
  setCount(engine, vq, -UNKNOWN_COUNT, UNKNOWN_COUNT);
}
