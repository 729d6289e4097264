/**
 * Ranges that the memory manager has begun to change and not ended, as a stock host's recording tells. While
 * one is over an area, what is found of the area's pages may be gone a moment later.
 */
import { keepName, type Callback } from '../callbacks.js';
import { recycle, type EngineState } from '../engine-state.js';
import { overlaps } from '../overlap.js';
import { sameRange } from '../paired-ranges.js';

/** A range without callbacks of its own: `dev` is the process that owns the memory, there are no slots. */
export interface RangeUnderWay {
  readonly range: Callback;
  phase: Phase;
}

/** The call that begins a range is under way, or has returned; or the call that ends it is. */
export type Phase = 'begins' | 'has begun' | 'ends';

/** What is known of the begin of a range that ends. */
export type Begin = 'not told' | 'told' | 'returned';

/** Ranges that are followed. Only lost ends let them pile up. */
const MAX_UNDER_WAY = 1024;

export function beginRange(engine: EngineState, range: Callback): void {
  keepName(range);
  engine.underWay.push({ range, phase: 'begins' });
  if (engine.underWay.length <= MAX_UNDER_WAY) return;
  const ending = engine.underWay.findIndex(({ phase }) => phase === 'ends');
  // From now on there may be one anywhere.
  if (ending < 0) engine.hasUnfollowed = true;
  forget(engine, Math.max(0, ending));
}

function forget(engine: EngineState, at: number): void {
  const [{ range }] = engine.underWay.splice(at, 1);
  recycle(engine, range);
}

/** The call that began a range like this one has returned. */
export function noteBegun(engine: EngineState, like: Callback): void {
  for (const found of engine.underWay) {
    if (found.phase !== 'begins' || !sameRange(found.range, like)) continue;
    found.phase = 'has begun';
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
  for (const [index, { range, phase }] of engine.underWay.entries()) {
    if (phase === 'ends' || !sameRange(range, like)) continue;
    if (at < 0 || phase === 'has begun') at = index;
    if (phase === 'has begun') break;
  }
  if (at < 0) return 'not told';
  const hasBegun = engine.underWay[at].phase === 'has begun';
  engine.underWay[at].phase = 'ends';
  return hasBegun ? 'returned' : 'told';
}

/** The call that ended a range like this one has returned. */
export function noteEnded(engine: EngineState, like: Callback): void {
  const at = engine.underWay.findIndex(
    ({ range, phase }) => phase === 'ends' && sameRange(range, like),
  );
  if (at >= 0) forget(engine, at);
}

/** Whether a range may be under way over an area, up to the call that ends it. */
export function isRangeUnderWay(
  { virtqueues, devices, underWay, hasUnfollowed }: EngineState,
  slot: number,
): boolean {
  if (hasUnfollowed) return true;
  const owner = devices.owner[virtqueues.dev[slot >> 2]];
  for (const { range, phase } of underWay) {
    if (phase === 'ends' || (owner !== undefined && range.dev !== owner)) continue;
    if (overlaps(virtqueues, slot, range)) return true;
  }
  return false;
}
