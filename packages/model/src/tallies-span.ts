/**
 * Counting in a span of time only: the state goes on from the beginning of the trace, and what is counted
 * outside the span is taken back where it is entered. So the hot loop need not ask.
 */
import type { Mismatch } from './engine-state.js';
import type { Comparison, Tallies } from './tallies.js';

/** What was counted when a span was left. */
export interface KeptTallies {
  readonly tallies: Tallies;
  readonly mismatches: number;
}

/**
 * What was taken back, of what a whole trace must be asked for: whether its order and its observations can be
 * trusted does not depend on the span.
 */
export interface Uncounted {
  /** Blockable starts that overlap an area. */
  overlapping: number;
  /** Refusals that the kernel contradicts. */
  disagree: number;
}

export function keepTallies(tallies: Tallies, mismatches: readonly Mismatch[]): KeptTallies {
  return { tallies: structuredClone(tallies), mismatches: mismatches.length };
}

/**
 * Takes back what was counted since. What says how far the trace itself can be trusted stays: recorded and
 * missing effects, missing attempts, lost events; so does which virtqueues are those of vhost-vsock.
 */
export function takeBack(
  tallies: Tallies,
  mismatches: Mismatch[],
  kept: KeptTallies,
  uncounted: Uncounted,
): void {
  uncounted.overlapping += tallies.ranges.overlapping - kept.tallies.ranges.overlapping;
  uncounted.disagree += tallies.refusals.disagree - kept.tallies.refusals.disagree;
  mismatches.length = kept.mismatches;
  const before = kept.tallies;
  restore(tallies.accesses, before.accesses);
  restore(tallies.prefetch, before.prefetch);
  restore(tallies.rounds, before.rounds);
  Object.assign(tallies.refusals, before.refusals satisfies Comparison);
  Object.assign(tallies.ranges, before.ranges);
  tallies.attempts.settled = before.attempts.settled;
  const { derived } = tallies;
  if (derived === undefined || before.derived === undefined) return;
  for (const name of Object.keys(derived) as (keyof typeof derived)[])
    if (name !== 'vsockRounds' && name !== 'busyRounds')
      restore(derived[name], before.derived[name]);
}

/** Columns grow with the virtqueues: of those that are new, nothing was counted before. */
function restore(column: Float64Array, before: Float64Array): void {
  column.set(before);
  column.fill(0, before.length);
}
