/** Effects of callbacks that may happen yet, or may have happened, on the count of a virtqueue. */
import { slotAt } from './callbacks.js';
import type { EngineState } from './engine-state.js';

export interface EffectsUnderWay {
  /** Each may add 1, or have added it. */
  starts: number;
  /** Each may take 1 away, or have done so. */
  ends: number;
  /** How many of both may never happen. */
  doubtful: number;
}

/** Callbacks that are followed and those that are not (`looseStarts`, `looseEnds`), in ranges order. */
export function effectsUnderWay(engine: EngineState, vq: number): EffectsUnderWay {
  const { looseStarts, looseEnds } = engine.virtqueues;
  const found = { starts: looseStarts[vq], ends: looseEnds[vq], doubtful: 0 };
  for (const callback of engine.open) {
    for (let k = callback.done; k < callback.slotCount; k++) {
      if (slotAt(callback, k) >> 2 !== vq) continue;
      if (callback.isStart) found.starts++;
      else found.ends++;
      if (callback.slots[k] < 0) found.doubtful++;
    }
  }
  return found;
}
