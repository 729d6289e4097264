/** What the engine counts. Plain arrays indexed by virtqueue id; `replay` turns them into results. */
import { AMBIGUOUS, OBSERVED_OF_OUTCOME, OUTCOMES } from './outcome.js';
import { ACCESSOR_SPAN } from './ring.js';
import {
  createDerivedTallies,
  grownDerivedTallies,
  type DerivedTallies,
} from './stock-host/derived-tallies.js';

/** Observed decisions of an access, 0 to 2 as in a trace, and where there is none. */
export const OBSERVATIONS = 4;
export const NO_OBSERVATION = 3;

/** Places of one virtqueue in `Tallies.accesses`. */
const ACCESS_SPAN = ACCESSOR_SPAN * OUTCOMES * OBSERVATIONS;

export interface Comparison {
  agree: number;
  disagree: number;
  ambiguous: number;
}

export interface Tallies {
  /** Accesses by accessIndex(vq, accessor, outcome) + observed decision (NO_OBSERVATION: none). */
  accesses: Float64Array;
  /** Attempts to map by vq * OUTCOMES + outcome; HIT is a map built. */
  prefetch: Float64Array;
  /** Rounds by vq. */
  rounds: Float64Array;
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
    /** Blockable starts over an area, by the test of the merged design and whatever that of the one replayed. */
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
  /** Of stock hosts only: accesses that follow from rounds. */
  derived: DerivedTallies | undefined;
}

/** @param derives accesses follow from rounds */
export function createTallies(derives: boolean): Tallies {
  return {
    accesses: new Float64Array(16 * ACCESS_SPAN),
    prefetch: new Float64Array(16 * OUTCOMES),
    rounds: new Float64Array(16),
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
    derived: derives ? createDerivedTallies(16) : undefined,
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
  tallies.accesses = grown(tallies.accesses, ACCESS_SPAN);
  tallies.prefetch = grown(tallies.prefetch, OUTCOMES);
  tallies.rounds = grown(tallies.rounds, 1);
  if (tallies.derived !== undefined)
    tallies.derived = grownDerivedTallies(tallies.derived, virtqueues);
}

/** Index of the first observation of an outcome of an accessor in `Tallies.accesses`. */
export function accessIndex(vq: number, accessor: number, outcome: number): number {
  return ((vq * ACCESSOR_SPAN + accessor) * OUTCOMES + outcome) * OBSERVATIONS;
}

/** Accesses of an accessor by outcome, whatever was observed of them. */
export function accessOutcomes({ accesses }: Tallies, vq: number, accessor: number): number[] {
  const outcomes: number[] = [];
  let next = accessIndex(vq, accessor, 0);
  for (let outcome = 0; outcome < OUTCOMES; outcome++) {
    const end = Math.min(next + OBSERVATIONS, accesses.length);
    let sum = 0;
    while (next < end) sum += accesses[next++];
    outcomes.push(sum);
  }
  return outcomes;
}

/** How the predicted accesses compare with the observed ones; those without observation do not count. */
export function compareAccesses({ accesses }: Tallies): Comparison {
  const result: Comparison = { agree: 0, disagree: 0, ambiguous: 0 };
  for (let index = 0; index < accesses.length; index++) {
    const observed = index % OBSERVATIONS;
    const outcome = Math.floor(index / OBSERVATIONS) % OUTCOMES;
    if (observed === NO_OBSERVATION) continue;
    if (outcome === AMBIGUOUS) result.ambiguous += accesses[index];
    else if (OBSERVED_OF_OUTCOME[outcome] === observed) result.agree += accesses[index];
    else result.disagree += accesses[index];
  }
  return result;
}
