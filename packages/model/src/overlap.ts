/** Which ranges of the memory manager concern an area, by the tests that designs make (reference §1.4, §2.1). */
import type { Callback } from './callbacks.js';
import type { Design } from './designs.js';
import { RANGE_SET, type VirtqueueState } from './virtqueue-state.js';

type Words = Pick<Callback, 'startLow' | 'startHigh' | 'endLow' | 'endHigh'>;

/** Whether a design takes a range for one of an area whose place is known. */
export function concerns(
  state: VirtqueueState,
  slot: number,
  range: Words,
  overlap: Design['overlap'],
): boolean {
  if (overlap === 'always') return true;
  if (state.sized[slot] !== RANGE_SET) return false;
  return overlap === 'start-only' ? reachesStart(state, slot, range) : overlaps(state, slot, range);
}

/**
 * Whether [start, end] touches a slot's area. The kernel takes `end` as inclusive although it is
 * exclusive for the memory manager, so a range that ends just below the area counts (§1.4, 2).
 */
export function overlaps(state: VirtqueueState, slot: number, range: Words): boolean {
  const { startLow, startHigh } = range;
  if (!isUpTo(state, slot, range)) return false;
  const { last } = state;
  const word = 2 * slot;
  return startHigh < last[word + 1] || (startHigh === last[word + 1] && startLow <= last[word]);
}

/** start < uaddr and end >= uaddr: the size of the area is not looked at (§2.1, V2). */
function reachesStart(state: VirtqueueState, slot: number, range: Words): boolean {
  const { startLow, startHigh } = range;
  if (!isUpTo(state, slot, range)) return false;
  const { first } = state;
  const word = 2 * slot;
  return startHigh < first[word + 1] || (startHigh === first[word + 1] && startLow < first[word]);
}

/** Whether a range goes up to the first byte of an area, or beyond. */
function isUpTo(
  { sized, first }: VirtqueueState,
  slot: number,
  { endLow, endHigh }: Words,
): boolean {
  if (sized[slot] !== RANGE_SET) return false;
  const word = 2 * slot;
  return endHigh > first[word + 1] || (endHigh === first[word + 1] && endLow >= first[word]);
}
