/** What has been counted of a virtqueue so far, as few numbers: differences of samples tell of a time between. */
import { AMBIGUOUS, HIT, IOTLB, OUTCOME_NAMES, OUTCOMES } from './outcome.js';
import { ACCESSOR_SPAN, ACCESSORS, AREA_COUNT, AREA_OF_ACCESSOR } from './ring.js';
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

/** Adds the accesses of a virtqueue to a sample whose first place is `at`. */
export function addSample(
  { accesses, rounds }: Tallies,
  vq: number,
  into: Float64Array,
  at: number,
): void {
  if (vq >= rounds.length) return;
  for (let accessor = 1; accessor < ACCESSOR_SPAN; accessor++) {
    for (let outcome = 0; outcome < OUTCOMES; outcome++) {
      const first = accessIndex(vq, accessor, outcome);
      let count = 0;
      for (let k = 0; k < OBSERVATIONS; k++) count += accesses[first + k];
      if (count === 0) continue;
      into[at + PLACE_OF_OUTCOME[outcome]] += count;
      if (accessor === GET_AVAIL_HEAD) into[at + SAMPLED_HEADS] += count;
    }
  }
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

/** Puts what was counted of a virtqueue so far into a row, in the place of what stands there. */
export function sampleVirtqueue(
  { accesses, rounds }: Tallies,
  vq: number,
  into: Float64Array,
  at: number,
): void {
  into.fill(0, at, at + VIRTQUEUE_SAMPLE_SIZE);
  if (vq >= rounds.length) return;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    const row = at + OUTCOMES * AREA_OF_ACCESSOR[accessor];
    for (let outcome = 0; outcome < OUTCOME_NAMES.length; outcome++) {
      const first = accessIndex(vq, accessor, outcome);
      let count = 0;
      for (let k = 0; k < OBSERVATIONS; k++) count += accesses[first + k];
      into[row + outcome] += count;
      if (accessor === GET_AVAIL_HEAD) into[at + SAMPLED_HEADS_OF_VQ] += count;
    }
  }
  into[at + SAMPLED_ROUNDS] = rounds[vq];
}

/** Accesses of a virtqueue that fell back so far. */
export function fallbacksOf({ accesses, rounds }: Tallies, vq: number): number {
  if (vq >= rounds.length) return 0;
  let count = 0;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    const first = accessIndex(vq, accessor, FIRST_FALLBACK);
    const end = accessIndex(vq, accessor, OUTCOME_NAMES.length);
    for (let at = first; at < end; at++) count += accesses[at];
  }
  return count;
}

/** Maps of a virtqueue that were built so far. */
export function mapsBuilt({ prefetch, rounds }: Tallies, vq: number): number {
  return vq < rounds.length ? prefetch[OUTCOMES * vq + HIT] : 0;
}
