/**
 * Accesses of a stock host that are told one by one while a round is under way. All are counted where that ends: only
 * its word tells whether the device IOTLB was on, and a span or a cut takes a round whole or not at all.
 */
import type { EngineState } from '../engine-state.js';
import { IOTLB, AMBIGUOUS, OUTCOMES, PENDING } from '../outcome.js';
import { ACCESSORS, ACCESSOR_SPAN, AREA_OF_ACCESSOR } from '../ring.js';
import { IOTLB_OFF } from '../virtqueue-state.js';
import { countDerived } from './count-derived.js';
import { derivedIndex } from './derived-tallies.js';

/** An `access` event in a round. It is told when the call begins that makes it: it may come after a range that is told later. */
export function keepTold(engine: EngineState, vq: number, accessor: number, n: number): void {
  const { virtqueues } = engine;
  if (engine.isAtOnce)
    virtqueues.toldInRound[derivedIndex(vq, accessor, metAtOnce(engine, vq, accessor))] += n;
  else virtqueues.countedInRound[ACCESSOR_SPAN * vq + accessor] += n;
}

/** What it meets where nothing takes time, unless the device IOTLB is on. */
function metAtOnce({ virtqueues }: EngineState, vq: number, accessor: number): number {
  // The round was taken to map nothing. Where it ends with the device IOTLB off, it may have.
  if (virtqueues.roundIotlb[vq] !== IOTLB_OFF) return AMBIGUOUS;
  return virtqueues.roundMap[4 * vq + AREA_OF_ACCESSOR[accessor]] & (PENDING - 1);
}

/** A round begins: what was told in one whose end was not is not counted. */
export function forgetTold({ virtqueues, isAtOnce }: EngineState, vq: number): void {
  virtqueues.countedInRound.fill(0, ACCESSOR_SPAN * vq, ACCESSOR_SPAN * (vq + 1));
  if (isAtOnce) virtqueues.toldInRound.fill(0, derivedIndex(vq, 0, 0), derivedIndex(vq + 1, 0, 0));
}

/**
 * The round ends, in which each access was judged as it was told.
 *
 * @param isIotlb the device IOTLB was on all the time
 */
export function countTold(
  { virtqueues, tallies }: EngineState,
  vq: number,
  isIotlb: boolean,
): void {
  const { toldInRound, doubt } = virtqueues;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    const why = doubt[4 * vq + AREA_OF_ACCESSOR[accessor]];
    for (let outcome = 0; outcome < OUTCOMES; outcome++) {
      const n = toldInRound[derivedIndex(vq, accessor, outcome)];
      if (n > 0) countDerived(tallies, vq, accessor, isIotlb ? IOTLB : outcome, why, n, n, n);
    }
  }
}
