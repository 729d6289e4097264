/** Sums of decisions, with what is known of their counts. */
import {
  accessOutcomes,
  decisionOf,
  derivedIndex,
  OUTCOME_NAMES,
  type Decision,
  type Tallies,
} from '@vhostscope/model';
import type { Decisions } from './run-result.js';

interface Counts {
  accesses: number;
  hits: number;
  fallbacks: number;
  iotlb: number;
  ambiguous: number;
}

export interface DecisionSum {
  readonly usual: Counts;
  readonly least: Counts;
  readonly most: Counts;
  readonly reasons: Record<string, number>;
  /** Accesses follow from rounds. */
  readonly isDerived: boolean;
}

const nothing = (): Counts => ({ accesses: 0, hits: 0, fallbacks: 0, iotlb: 0, ambiguous: 0 });

const COUNT_OF: Readonly<Record<Decision, keyof Counts>> = {
  hit: 'hits',
  fallback: 'fallbacks',
  iotlb: 'iotlb',
  ambiguous: 'ambiguous',
};

export function createSum(isDerived: boolean): DecisionSum {
  return { usual: nothing(), least: nothing(), most: nothing(), reasons: {}, isDerived };
}

/** Adds the accesses of one accessor of a virtqueue. */
export function addAccessor(
  sum: DecisionSum,
  tallies: Tallies,
  vq: number,
  accessor: number,
): void {
  const { derived } = tallies;
  for (const [outcome, accesses] of accessOutcomes(tallies, vq, accessor).entries()) {
    const name = OUTCOME_NAMES[outcome];
    if (name === undefined) continue;
    const place = derivedIndex(vq, accessor, outcome);
    const estimate = derived?.estimate[place] ?? 0;
    const recorded = accesses - estimate;
    const count = COUNT_OF[decisionOf(outcome)];
    add(sum.usual, count, accesses);
    add(sum.least, count, recorded + (derived?.least[place] ?? 0));
    add(sum.most, count, recorded + (derived?.most[place] ?? 0));
    if (count === 'fallbacks' && accesses > 0)
      sum.reasons[name] = (sum.reasons[name] ?? 0) + accesses;
  }
}

function add(counts: Counts, count: keyof Counts, accesses: number): void {
  counts[count] += accesses;
  counts.accesses += accesses;
}

/**
 * From so many times the estimate of all accesses on a bound says nothing: it is as if every chain were as long as its
 * ring, and every head fetched again and again.
 */
const SAYS_NOTHING = 100;

export function decisionsOf({ usual, least, most, reasons, isDerived }: DecisionSum): Decisions {
  const isEstimated = least.accesses !== most.accesses;
  const span = (count: keyof Counts): [number, number | null] => [
    least[count],
    most[count] > SAYS_NOTHING * Math.max(1, usual.accesses) ? null : most[count],
  ];
  return {
    ...usual,
    reasons,
    counts: isEstimated ? 'estimated' : isDerived ? 'by rule' : 'exact',
    spans: isEstimated
      ? {
          accesses: span('accesses'),
          hits: span('hits'),
          fallbacks: span('fallbacks'),
          iotlb: span('iotlb'),
          ambiguous: span('ambiguous'),
        }
      : null,
  };
}
