/**
 * Effects order: recorded effects are the instants, under vq->mmu_lock, when callbacks changed the
 * state. What is left to find out is whether the recording has an effect for every range that calls
 * for one; if not, this order must not be trusted.
 */
import type { Callback } from './callbacks.js';
import { addToCount } from './counts.js';
import { OTHER_RANGE } from './doubts.js';
import type { EngineState } from './engine-state.js';
import { AMBIGUOUS, HIT, INVALIDATED, PENDING } from './outcome.js';
import { AREA_COUNT } from './ring.js';
import { doubtMap, setMap } from './virtqueue-state.js';

/** A start takes effect on one area: the count rises, the map goes (reference §1.4). */
export function applyStart(engine: EngineState, vq: number, slot: number): void {
  const { virtqueues, tallies } = engine;
  tallies.effects.start++;
  if (virtqueues.startsDue[slot] > 0) virtqueues.startsDue[slot]--;
  addToCount(engine, vq, 1, 1);
  const map = virtqueues.map[slot];
  const base = map & (PENDING - 1);
  // Where the design has another range than the recording kernel, it may not overlap there.
  if (base !== HIT && base !== AMBIGUOUS) return;
  if (virtqueues.diverged[vq] === 1)
    doubtMap(virtqueues, slot, OTHER_RANGE, AMBIGUOUS | (map & PENDING));
  else setMap(virtqueues, slot, INVALIDATED | (map & PENDING));
}

/** An end takes effect on one area. */
export function applyEnd(engine: EngineState, vq: number, slot: number): void {
  const { virtqueues, tallies } = engine;
  tallies.effects.end++;
  if (virtqueues.endsDue[slot] > 0) virtqueues.endsDue[slot]--;
  addToCount(engine, vq, -1, -1);
}

/** A callback is entered: its effects are due. */
export function expectEffects(engine: EngineState, callback: Callback): void {
  const { startsDue, endsDue, endsDueSince, openRanges } = engine.virtqueues;
  for (let i = 0; i < callback.slotCount; i++) {
    const slot = callback.slots[i];
    if (callback.isStart) {
      startsDue[slot]++;
      openRanges[slot]++;
    } else {
      if (endsDue[slot]++ === 0) endsDueSince[slot] = engine.clock;
      if (openRanges[slot] > 0) openRanges[slot]--;
    }
  }
}

/** All callbacks of a device have returned: effects that are still due were not recorded. */
export function missAll(engine: EngineState, dev: number): void {
  const { startsDue, endsDue } = engine.virtqueues;
  for (const vq of engine.devices.virtqueues[dev] ?? []) {
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
      engine.tallies.effects.missing += startsDue[slot] + endsDue[slot];
    expectNothing(engine, vq);
  }
}

/**
 * A virtqueue is about to lose its areas: what should have been recorded by now is missing, what is
 * due of callbacks that may be under way may never come.
 */
export function missOverdue(engine: EngineState, vq: number): void {
  const { startsDue, endsDue } = engine.virtqueues;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    const starts = overdueStarts(engine, slot);
    const ends = overdueEnds(engine, slot);
    engine.tallies.effects.missing += starts + ends;
    startsDue[slot] -= starts;
    endsDue[slot] -= ends;
  }
}

/** A virtqueue has no areas any more: effects that were due do not come. */
export function expectNothing(engine: EngineState, vq: number): void {
  const { startsDue, endsDue, openRanges } = engine.virtqueues;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    startsDue[slot] = 0;
    endsDue[slot] = 0;
    openRanges[slot] = 0;
  }
}

/**
 * Ends leave no trace of when they return. Where some have been due on an area throughout so many
 * events (accesses apart), one was lost: an end takes microseconds, and less than this when preempted.
 */
const LONGEST_END = 100;

/**
 * Effects that the ranges call for and that were not recorded. 0 in a whole recording: what is due of
 * callbacks that may be under way is not missing. A start that is under way has no end yet.
 */
export function missingEffects(engine: EngineState): number {
  let { missing } = engine.tallies.effects;
  for (let slot = 0; slot < 4 * engine.virtqueues.size; slot++)
    missing += overdueStarts(engine, slot) + overdueEnds(engine, slot);
  return missing;
}

/** A start has returned when the end of its range is entered. */
function overdueStarts({ virtqueues }: EngineState, slot: number): number {
  return Math.max(0, virtqueues.startsDue[slot] - virtqueues.openRanges[slot]);
}

function overdueEnds({ virtqueues, tallies, clock }: EngineState, slot: number): number {
  const { endsDue, endsDueSince } = virtqueues;
  const isOverdue = tallies.effects.end === 0 || clock - endsDueSince[slot] > LONGEST_END;
  return isOverdue ? endsDue[slot] : 0;
}
