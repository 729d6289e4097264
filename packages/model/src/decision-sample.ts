/** What has been counted of a virtqueue so far, as few numbers: differences of samples tell of a time between. */
import { AMBIGUOUS, HIT, IOTLB, OUTCOMES } from './outcome.js';
import { ACCESSOR_SPAN } from './ring.js';
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
