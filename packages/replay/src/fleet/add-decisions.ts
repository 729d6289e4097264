/** Sums of what was decided in several runs, with what is known of their counts. */
import type { Decisions } from '../run-result.js';

export function noDecisions(): Decisions {
  return {
    accesses: 0,
    hits: 0,
    fallbacks: 0,
    iotlb: 0,
    ambiguous: 0,
    reasons: {},
    counts: 'exact',
    spans: null,
  };
}

export function addDecisions(a: Decisions, b: Decisions): Decisions {
  const reasons = { ...a.reasons };
  for (const [reason, accesses] of Object.entries(b.reasons))
    reasons[reason] = (reasons[reason] ?? 0) + accesses;
  const counts = LESS_SURE.find((one) => one === a.counts || one === b.counts) ?? 'exact';
  return {
    accesses: a.accesses + b.accesses,
    hits: a.hits + b.hits,
    fallbacks: a.fallbacks + b.fallbacks,
    iotlb: a.iotlb + b.iotlb,
    ambiguous: a.ambiguous + b.ambiguous,
    reasons,
    counts,
    spans:
      counts === 'estimated'
        ? {
            accesses: addSpans(a, b, 'accesses'),
            hits: addSpans(a, b, 'hits'),
            fallbacks: addSpans(a, b, 'fallbacks'),
            iotlb: addSpans(a, b, 'iotlb'),
            ambiguous: addSpans(a, b, 'ambiguous'),
          }
        : null,
  };
}

/** A sum is as sure as the least sure of what it is of. */
const LESS_SURE = ['estimated', 'by rule', 'exact'] as const;

type Count = 'accesses' | 'hits' | 'fallbacks' | 'iotlb' | 'ambiguous';
type Span = [number, number | null];

/** What has no upper bound leaves the sum without one. */
function addSpans(a: Decisions, b: Decisions, count: Count): Span {
  const [leastOfA, mostOfA] = spanOf(a, count);
  const [leastOfB, mostOfB] = spanOf(b, count);
  return [leastOfA + leastOfB, mostOfA === null || mostOfB === null ? null : mostOfA + mostOfB];
}

/** A count that is not estimated is what it is. */
function spanOf(decisions: Decisions, count: Count): Span {
  return decisions.spans?.[count] ?? [decisions[count], decisions[count]];
}
