/**
 * Effects of callbacks that are not followed one by one, or whose virtqueue has changed under them: they may have
 * happened or not, and nothing tells until the notifier goes. What they may do to a count is kept as numbers.
 */
import { doubtful, slotAt, type Callback } from './callbacks.js';
import { setCount } from './counts.js';
import { recycle, type EngineState } from './engine-state.js';
import { followCallback } from './followed-callbacks.js';
import { AREA_COUNT } from './ring.js';
import { detachAtOnce, takeBackAtOnce } from './stock-host/at-once.js';

/** Follows a callback; the oldest of too many becomes loose, or counts as ended where nothing takes time. */
export function follow(engine: EngineState, callback: Callback): void {
  const oldest = followCallback(engine, callback);
  if (oldest === undefined) return;
  if (engine.isAtOnce) takeBackAtOnce(engine, oldest);
  else loosen(engine, oldest);
  recycle(engine, oldest);
}

/** A callback is not followed: its effects may have happened or not, until the notifier goes. */
export function loosen({ virtqueues }: EngineState, callback: Callback): void {
  const loose = callback.isStart ? virtqueues.looseStarts : virtqueues.looseEnds;
  for (let i = callback.done; i < callback.slotCount; i++) {
    if (callback.slots[i] >= 0) loose[callback.slots[i] >> 2]++;
    else virtqueues.untracked[slotAt(callback, i) >> 2] = 1;
  }
}

/** A reset sets the count to 0 while callbacks may be under way: theirs may come before or after. */
export function resetCountUnderWay(engine: EngineState, vq: number): void {
  const { looseStarts, looseEnds } = engine.virtqueues;
  let low = -looseEnds[vq];
  let high = looseStarts[vq];
  for (const callback of engine.open) {
    for (let i = callback.done; i < callback.slotCount; i++) {
      if (slotAt(callback, i) >> 2 !== vq) continue;
      if (callback.isStart) high++;
      else low--;
    }
  }
  detachCallbacks(engine, vq);
  setCount(engine, vq, low, high);
}

/** Callbacks under way may or may not have an effect on a virtqueue any more, and nothing will tell. */
export function detachCallbacks(engine: EngineState, vq: number): void {
  const { looseStarts, looseEnds, untracked } = engine.virtqueues;
  if (looseStarts[vq] > 0 || looseEnds[vq] > 0) untracked[vq] = 1;
  looseEnds[vq] = 0;
  looseStarts[vq] = 0;
  for (const callback of engine.open) {
    for (let i = callback.done; i < callback.slotCount; i++)
      if (callback.slots[i] >> 2 === vq) callback.slots[i] = doubtful(callback.slots[i]);
  }
  if (engine.isAtOnce) detachAtOnce(engine, vq);
}

/**
 * Starts that nobody followed are over, and may have come to any area up to now: that a map was there before proves
 * nothing any more.
 */
export function doubtMapsUpToNow({ virtqueues, clock }: EngineState, vq: number): void {
  virtqueues.doubtedAt.fill(clock, 4 * vq, 4 * vq + AREA_COUNT);
}
