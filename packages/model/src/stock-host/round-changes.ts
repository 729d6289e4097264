/**
 * What changes the maps of a virtqueue while one of its rounds is under way. When each access of a round
 * was made is not in the trace of a stock host: those of an area all come out alike, or are ambiguous.
 */
import { AMBIGUOUS, HIT, PENDING } from '../outcome.js';
import { AREA_COUNT } from '../ring.js';
import type { VirtqueueState } from '../virtqueue-state.js';

/** A start may take the map of an area now. Nothing changes where there is surely none in the whole round. */
export function mayChange(state: VirtqueueState, slot: number, doubt: number): void {
  if (state.inRound[slot >> 2] === 0) return;
  const map = state.map[slot];
  const base = map & (PENDING - 1);
  const mayBeMapped = base === HIT || base === AMBIGUOUS;
  // An attempt of this round may have built one by now, unless the count was never 0.
  const mayBeBuilt = map >= PENDING && state.attemptLow[slot] <= 0 && state.attemptHigh[slot] >= 0;
  if (mayBeMapped || mayBeBuilt) change(state, slot, doubt);
}

/** The ring is set up or reset: that can be before or after any access of the round. */
export function mayChangeAll(state: VirtqueueState, vq: number, doubt: number): void {
  if (state.inRound[vq] === 0) return;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) change(state, slot, doubt);
}

function change(state: VirtqueueState, slot: number, doubt: number): void {
  state.changed[slot] = 1;
  state.changeDoubt[slot] = doubt;
}
