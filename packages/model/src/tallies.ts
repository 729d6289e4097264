/** What the engine counts. Plain arrays indexed by virtqueue id; `replay` turns them into results. */
import { AMBIGUOUS, OUTCOMES } from './outcome.js';

/** Columns per virtqueue in `accesses`: 16 accessor numbers times OUTCOMES. */
const ACCESSOR_SPAN = 16;

export interface Comparison {
  agree: number;
  disagree: number;
  ambiguous: number;
}

export interface Tallies {
  /** Accesses by (vq * 16 + accessor) * OUTCOMES + outcome. */
  accesses: Float64Array;
  /** Attempts to map by vq * OUTCOMES + outcome; HIT is a map built. */
  prefetch: Float64Array;
  /** Rounds by vq. */
  rounds: Float64Array;
  /**
   * Accesses whose observation is not the one that agrees with the outcome, by 4 * outcome + observed
   * decision (3: none). Only these are counted: nearly all agree, and the hot loop has less to do.
   */
  unlike: Float64Array;
  /** Predicted refusals of attempts against what the kernel did. */
  refusals: Comparison;
  /** With observations only. */
  attempts: {
    /** Attempts whose outcome only their own observation tells: not predicted, so not compared. */
    settled: number;
    /** Attempts that must have been made and were not recorded. */
    missing: number;
  };
  ranges: {
    start: number;
    end: number;
    nonBlockable: number;
    /** Blockable starts that overlap an area. */
    overlapping: number;
    /** Non-blockable starts that the design answers with -EAGAIN. */
    refused: number;
  };
  effects: {
    start: number;
    end: number;
    /** Effects of callbacks that have returned, which were not recorded. */
    missing: number;
  };
  lostEvents: bigint;
}

export function createTallies(): Tallies {
  return {
    accesses: new Float64Array(16 * ACCESSOR_SPAN * OUTCOMES),
    prefetch: new Float64Array(16 * OUTCOMES),
    rounds: new Float64Array(16),
    unlike: new Float64Array(4 * OUTCOMES),
    refusals: { agree: 0, disagree: 0, ambiguous: 0 },
    attempts: { settled: 0, missing: 0 },
    ranges: {
      start: 0,
      end: 0,
      nonBlockable: 0,
      overlapping: 0,
      refused: 0,
    },
    effects: { start: 0, end: 0, missing: 0 },
    lostEvents: 0n,
  };
}

/** Makes room for as many virtqueues; the arrays are replaced when they grow. */
export function growTallies(tallies: Tallies, virtqueues: number): void {
  if (tallies.rounds.length >= virtqueues) return;
  const grown = (array: Float64Array, span: number): Float64Array => {
    const larger = new Float64Array(virtqueues * span);
    larger.set(array);
    return larger;
  };
  tallies.accesses = grown(tallies.accesses, ACCESSOR_SPAN * OUTCOMES);
  tallies.prefetch = grown(tallies.prefetch, OUTCOMES);
  tallies.rounds = grown(tallies.rounds, 1);
}

/** Index of the first outcome of an accessor in `Tallies.accesses`. */
export function accessIndex(vq: number, accessor: number): number {
  return (vq * ACCESSOR_SPAN + accessor) * OUTCOMES;
}

/** How the predicted accesses compare with the observed ones; those without observation do not count. */
export function compareAccesses({ accesses, unlike }: Tallies): Comparison {
  const totals = new Float64Array(OUTCOMES);
  for (let index = 0; index < accesses.length; index++) totals[index % OUTCOMES] += accesses[index];
  const result: Comparison = { agree: 0, disagree: 0, ambiguous: 0 };
  for (let outcome = 0; outcome < OUTCOMES; outcome++) {
    const [fallback, hit, iotlb, none] = unlike.subarray(4 * outcome, 4 * outcome + 4);
    const observed = fallback + hit + iotlb;
    if (outcome === AMBIGUOUS) {
      result.ambiguous += observed;
      continue;
    }
    result.disagree += observed;
    result.agree += totals[outcome] - observed - none;
  }
  return result;
}
