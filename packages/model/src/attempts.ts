/**
 * The attempts of a round to map its areas, judged with intervals: a map that is surely there, surely
 * not, or unknown, and a count between a least and a greatest value (traces/README "From R alone").
 * In effects order the intervals are points, and the same rules are exact.
 */
import { COUNT_OPEN, IOTLB_ROUND, PAGES_UNKNOWN } from './doubts.js';
import { AREA_COUNT } from './ring.js';
import { AMBIGUOUS, HIT, OUTCOMES, PENDING, REFUSED_COUNT } from './outcome.js';
import {
  doubtMap,
  NO_OUTCOME,
  SEEN_NOTHING,
  SEEN_REFUSED,
  setMap,
  type VirtqueueState,
} from './virtqueue-state.js';
import type { Tallies } from './tallies.js';

/**
 * The round of `vq` begins: every area that lacks a map will be tried (reference §1.3). Areas that have
 * one may lose it before the round comes to them; where attempts are seen (`onlyAbsent`) that shows.
 */
export function openAttempts(
  state: VirtqueueState,
  tallies: Tallies,
  vq: number,
  onlyAbsent: boolean,
): void {
  settleAttempts(state, tallies, vq);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
    if (!onlyAbsent || state.map[slot] > AMBIGUOUS) openAttempt(state, slot);
}

/** An attempt to map one area may be made from now on. */
export function openAttempt(state: VirtqueueState, slot: number): void {
  state.gup[slot] = NO_OUTCOME;
  state.seenAttempt[slot] = SEEN_NOTHING;
  state.attemptLow[slot] = state.countLow[slot >> 2];
  state.attemptHigh[slot] = state.countHigh[slot >> 2];
  setMap(state, slot, state.map[slot] | PENDING);
}

/** invalidate_count may have another value from now on: attempts still to come may meet it. */
export function widenAttempts(state: VirtqueueState, vq: number): void {
  const low = state.countLow[vq];
  const high = state.countHigh[vq];
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (state.map[slot] < PENDING) continue;
    if (low < state.attemptLow[slot]) state.attemptLow[slot] = low;
    if (high > state.attemptHigh[slot]) state.attemptHigh[slot] = high;
  }
}

/** Judges the attempts of `vq` that are still open. */
export function settleAttempts(state: VirtqueueState, tallies: Tallies, vq: number): void {
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (state.map[slot] >= PENDING) settleAttempt(state, tallies, slot);
  }
}

/**
 * The device IOTLB turns out to have been on: the round tried nothing (reference §1.3), or it was on
 * before that and nobody knows what became of its attempts.
 */
export function abandonAttempts(state: VirtqueueState, tallies: Tallies, vq: number): void {
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (state.map[slot] >= PENDING) {
      compareSeen(state, tallies, slot);
      if (state.map[slot] === (HIT | PENDING)) setMap(state, slot, HIT);
      else doubtMap(state, slot, IOTLB_ROUND);
    }
  }
}

/** Judges one attempt; returns the map's state after it. */
export function settleAttempt(state: VirtqueueState, tallies: Tallies, slot: number): number {
  const before = state.map[slot] & (PENDING - 1);
  if (before === HIT) return settleMapped(state, tallies, slot);
  const low = state.attemptLow[slot];
  const high = state.attemptHigh[slot];
  const surelyRefused = low > 0 || high < 0;
  const surelyTried = low === 0 && high === 0;
  const gup = state.gup[slot] === NO_OUTCOME && state.gupHolds[slot] === 1 ? HIT : state.gup[slot];
  const after = surelyRefused
    ? before === AMBIGUOUS
      ? AMBIGUOUS
      : REFUSED_COUNT
    : judgeTry(before, gup, surelyTried);
  compareSeen(state, tallies, slot);
  setMap(state, slot, after);
  if (after === AMBIGUOUS && (before !== AMBIGUOUS || gup === HIT))
    state.doubt[slot] = surelyTried ? PAGES_UNKNOWN : COUNT_OPEN;
  const certain = before !== AMBIGUOUS && (surelyRefused || (surelyTried && gup !== NO_OUTCOME));
  tallies.prefetch[(slot >> 2) * OUTCOMES + (certain ? after : AMBIGUOUS)]++;
  return after;
}

/** No attempt is made on an area that has a map. */
function settleMapped(state: VirtqueueState, tallies: Tallies, slot: number): number {
  compareSeen(state, tallies, slot);
  setMap(state, slot, HIT);
  return HIT;
}

/**
 * Compares an attempt that was seen with what is known of the area from the beginning of its round until now. Each is
 * compared once: it is not told again afterwards.
 */
export function compareSeen(state: VirtqueueState, tallies: Tallies, slot: number): void {
  const seen = state.seenAttempt[slot];
  if (seen === SEEN_NOTHING) return;
  state.seenAttempt[slot] = SEEN_NOTHING;
  const before = state.map[slot] & (PENDING - 1);
  const low = state.attemptLow[slot];
  const high = state.attemptHigh[slot];
  const surelyRefused = low > 0 || high < 0;
  const surelyTried = low === 0 && high === 0;
  // One on an area that has a map contradicts the model.
  if (before === HIT) tallies.refusals.disagree++;
  else if (before === AMBIGUOUS || (!surelyRefused && !surelyTried)) tallies.refusals.ambiguous++;
  else if (surelyRefused === (seen === SEEN_REFUSED)) tallies.refusals.agree++;
  else tallies.refusals.disagree++;
}

/** An attempt that may pass the count. */
function judgeTry(before: number, gup: number, surelyTried: boolean): number {
  if (gup === HIT) return surelyTried ? HIT : AMBIGUOUS;
  // A known failure, or else a refusal: either way an absent map stays absent.
  if (gup !== NO_OUTCOME) return before === AMBIGUOUS ? AMBIGUOUS : gup;
  return AMBIGUOUS;
}
