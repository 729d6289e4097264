/** What has been counted of a virtqueue so far, as few numbers: differences of samples tell of a time between. */
import { AMBIGUOUS, HIT, IOTLB, OUTCOME_NAMES, OUTCOMES, REFUSED_COUNT } from './outcome.js';
import { ACCESSORS, AREA_COUNT, AREA_OF_ACCESSOR } from './ring.js';
import { accessIndex, OBSERVATIONS, type Tallies } from './tallies.js';

/** Places of a sample. */
export const SAMPLED_HITS = 0;
export const SAMPLED_FALLBACKS = 1;
export const SAMPLED_IOTLB = 2;
export const SAMPLED_AMBIGUOUS = 3;
/** Heads that were fetched: on a virtqueue that transmits, packets. */
export const SAMPLED_HEADS = 4;
export const SAMPLE_SIZE = 5;

const GET_AVAIL_HEAD = 2;
/** Fallbacks are all outcomes from here on. */
const FIRST_FALLBACK = AMBIGUOUS + 1;

// Imported names are looked up at every use; these are constants to the compiler.
const ACCESSOR_COUNT = ACCESSORS.length;
const OUTCOME_COUNT = OUTCOME_NAMES.length;
const STEP = OBSERVATIONS;

/** Adds the accesses of a virtqueue to a sample whose first place is `at`. HOT: at each range over a ring. */
export function addSample(
  { accesses, rounds }: Tallies,
  vq: number,
  into: number[],
  at: number,
): void {
  if (vq >= rounds.length) return;
  for (let accessor = 1; accessor < ACCESSOR_COUNT; accessor++) {
    let first = accessIndex(vq, accessor, 0);
    for (let outcome = 0; outcome < OUTCOME_COUNT; outcome++, first += STEP) {
      const count = countOf(accesses, first);
      if (count === 0) continue;
      into[at + PLACE_OF_OUTCOME[outcome]] += count;
      if (accessor === GET_AVAIL_HEAD) into[at + SAMPLED_HEADS] += count;
    }
  }
}

/** Whatever was observed of them: OBSERVATIONS are four. */
function countOf(accesses: Float64Array, first: number): number {
  return accesses[first] + accesses[first + 1] + accesses[first + 2] + accesses[first + 3];
}

const PLACE_OF_OUTCOME: Uint8Array = Uint8Array.from({ length: OUTCOMES }, (_, outcome) => {
  if (outcome === HIT) return SAMPLED_HITS;
  if (outcome === IOTLB) return SAMPLED_IOTLB;
  return outcome === AMBIGUOUS ? SAMPLED_AMBIGUOUS : SAMPLED_FALLBACKS;
});

/** Places of what `sampleVirtqueue` counts: by OUTCOMES * area + outcome, and then these. */
export const SAMPLED_HEADS_OF_VQ = AREA_COUNT * OUTCOMES;
export const SAMPLED_ROUNDS = SAMPLED_HEADS_OF_VQ + 1;
export const VIRTQUEUE_SAMPLE_SIZE = SAMPLED_ROUNDS + 1;

/** Puts what was counted of a virtqueue so far into a row, in the place of what stands there. HOT. */
export function sampleVirtqueue(
  { accesses, rounds }: Tallies,
  vq: number,
  into: Float64Array,
  at: number,
): void {
  into.fill(0, at, at + VIRTQUEUE_SAMPLE_SIZE);
  if (vq >= rounds.length) return;
  for (let accessor = 1; accessor < ACCESSOR_COUNT; accessor++) {
    const row = at + OUTCOMES * AREA_OF_ACCESSOR[accessor];
    let first = accessIndex(vq, accessor, 0);
    for (let outcome = 0; outcome < OUTCOME_COUNT; outcome++, first += STEP) {
      const count = countOf(accesses, first);
      if (count === 0) continue;
      into[row + outcome] += count;
      if (accessor === GET_AVAIL_HEAD) into[at + SAMPLED_HEADS_OF_VQ] += count;
    }
  }
  into[at + SAMPLED_ROUNDS] = rounds[vq];
}

/** Accesses of a virtqueue that fell back so far. HOT: at each range over a ring. */
export function fallbacksOf(tallies: Tallies, vq: number): number {
  return accessesOf(tallies, vq, FIRST_FALLBACK, OUTCOME_COUNT);
}

/** Accesses of a virtqueue that fell back so far because invalidate_count was not 0. HOT: as above. */
export function refusedByCountOf(tallies: Tallies, vq: number): number {
  return accessesOf(tallies, vq, REFUSED_COUNT, REFUSED_COUNT + 1);
}

/** Accesses with an outcome from `from` on and below `to`. */
function accessesOf({ accesses, rounds }: Tallies, vq: number, from: number, to: number): number {
  if (vq >= rounds.length) return 0;
  let count = 0;
  for (let accessor = 1; accessor < ACCESSOR_COUNT; accessor++) {
    const first = accessIndex(vq, accessor, from);
    const end = first + STEP * (to - from);
    for (let at = first; at < end; at++) count += accesses[at];
  }
  return count;
}

/** Maps of a virtqueue that were built so far. */
export function mapsBuilt({ prefetch, rounds }: Tallies, vq: number): number {
  return vq < rounds.length ? prefetch[OUTCOMES * vq + HIT] : 0;
}
