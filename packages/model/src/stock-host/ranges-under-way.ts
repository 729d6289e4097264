/**
 * Ranges that the memory manager has begun to change and not ended, as a stock host's recording tells. While
 * one is over an area, what is found of the area's pages may be gone a moment later.
 */
import { keepName, sameRange, type Callback } from '../callbacks.js';
import { recycle, type EngineState } from '../engine-state.js';
import { overlaps } from '../overlap.js';

/** A range without callbacks of its own: `dev` is the process that owns the memory, there are no slots. */
export interface RangeUnderWay {
  readonly range: Callback;
  /** The call that began it has returned. */
  hasBegun: boolean;
}

/** What is known of the begin of a range that ends. */
export type Begin = 'not told' | 'told' | 'returned';

/** Ranges that are followed. Only lost ends let them pile up. */
const MAX_UNDER_WAY = 1024;

export function beginRange(engine: EngineState, range: Callback): void {
  keepName(range);
  engine.underWay.push({ range, hasBegun: false });
  if (engine.underWay.length <= MAX_UNDER_WAY) return;
  // From now on there may be one anywhere.
  engine.hasUnfollowed = true;
  const oldest = engine.underWay.shift();
  if (oldest !== undefined) recycle(engine, oldest.range);
}

/** The call that began a range like this one has returned. */
export function noteBegun(engine: EngineState, like: Callback): void {
  for (const found of engine.underWay) {
    if (found.hasBegun || !sameRange(found.range, like)) continue;
    found.hasBegun = true;
    return;
  }
}

/**
 * The end of a range like this one is entered. Of several by threads that cannot be told apart it is one of
 * those whose begin is known to have returned, if there are such.
 *
 * @returns whether its begin was told, and was known to have returned already
 */
export function endRange(engine: EngineState, like: Callback): Begin {
  let at = -1;
  for (const [index, { range, hasBegun }] of engine.underWay.entries()) {
    if (!sameRange(range, like)) continue;
    if (at < 0 || hasBegun) at = index;
    if (hasBegun) break;
  }
  if (at < 0) return 'not told';
  const [{ range, hasBegun }] = engine.underWay.splice(at, 1);
  recycle(engine, range);
  return hasBegun ? 'returned' : 'told';
}

/** Whether a range may be under way over an area. */
export function isRangeUnderWay(
  { virtqueues, devices, underWay, hasUnfollowed }: EngineState,
  slot: number,
): boolean {
  if (hasUnfollowed) return true;
  const owner = devices.owner[virtqueues.dev[slot >> 2]];
  for (const { range } of underWay) {
    if (owner !== undefined && range.dev !== owner) continue;
    if (overlaps(virtqueues, slot, range)) return true;
  }
  return false;
}
