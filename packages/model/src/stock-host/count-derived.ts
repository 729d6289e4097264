/** Counting of accesses that were not recorded one by one. */
import { AMBIGUOUS } from '../outcome.js';
import { accessIndex, NO_OBSERVATION, type Tallies } from '../tallies.js';
import { derivedIndex } from './derived-tallies.js';

/** Adds accesses of one outcome: at least, at most, and the estimate. */
export function countDerived(
  { derived, accesses }: Tallies,
  vq: number,
  accessor: number,
  outcome: number,
  doubt: number,
  least: number,
  most: number,
  estimate: number,
): void {
  if (derived === undefined) return;
  const place = derivedIndex(vq, accessor, outcome);
  derived.least[place] += least;
  derived.most[place] += most;
  derived.estimate[place] += estimate;
  accesses[accessIndex(vq, accessor, outcome) + NO_OBSERVATION] += estimate;
  if (outcome === AMBIGUOUS) derived.doubts[doubt] += estimate;
}
