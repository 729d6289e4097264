/** What is counted of accesses that were not recorded but follow from rounds. */
import { DOUBTS } from '../doubts.js';
import { OUTCOMES } from '../outcome.js';
import { ACCESSOR_SPAN } from '../ring.js';

export interface DerivedTallies {
  /**
   * Accesses by derivedIndex: at least, at most (Infinity where nothing bounds them), and the estimate,
   * which is counted in `Tallies.accesses` as well.
   */
  least: Float64Array;
  most: Float64Array;
  estimate: Float64Array;
  /** Estimated ambiguous accesses by doubt, see doubts.ts. */
  doubts: Float64Array;
  /** Rounds by vq whose accesses were derived. */
  rounds: Float64Array;
  /**
   * Those of them in which a handler of vhost-vsock worked, which did not map when the designs were made. Also
   * outside of a span that is counted: what a virtqueue is does not depend on it.
   */
  vsockRounds: Float64Array;
  /** Those of them in which a handler of vhost-net may have polled busily; likewise. */
  busyRounds: Float64Array;
  /** Ranges by vq that the memory manager reported in the memory of its owner. */
  ranges: Float64Array;
}

export function createDerivedTallies(virtqueues: number): DerivedTallies {
  const accesses = virtqueues * ACCESSOR_SPAN * OUTCOMES;
  return {
    least: new Float64Array(accesses),
    most: new Float64Array(accesses),
    estimate: new Float64Array(accesses),
    doubts: new Float64Array(DOUBTS),
    rounds: new Float64Array(virtqueues),
    vsockRounds: new Float64Array(virtqueues),
    busyRounds: new Float64Array(virtqueues),
    ranges: new Float64Array(virtqueues),
  };
}

/** Index of an outcome of an accessor in `least`, `most` and `estimate`. */
export function derivedIndex(vq: number, accessor: number, outcome: number): number {
  return (vq * ACCESSOR_SPAN + accessor) * OUTCOMES + outcome;
}

/** The same counts with room for more virtqueues. */
export function grownDerivedTallies(from: DerivedTallies, virtqueues: number): DerivedTallies {
  const to = createDerivedTallies(virtqueues);
  for (const name of Object.keys(to) as (keyof DerivedTallies)[]) to[name].set(from[name]);
  return to;
}
