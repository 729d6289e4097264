/** The result of `replay run`, as `--json` prints it. The schema is the contract; keys are stable. */
import {
  ACCESSORS,
  accessOutcomes,
  OUTCOME_NAMES,
  OUTCOMES,
  type Tallies,
} from '@vhostscope/model';
import { z } from 'zod';
import type { OpenTrace } from '@vhostscope/trace';
import type { Completeness } from './completeness.js';
import { listVirtqueues } from './recording-list.js';
import { headOf, resultHead } from './result-head.js';
import type { Replayed } from './replay-trace.js';

const count = z.number().int().nonnegative();

const decisions = z.object({
  accesses: count,
  hits: count,
  fallbacks: count,
  /** The device IOTLB is on: neither. */
  iotlb: count,
  /** The trace cannot tell. */
  ambiguous: count,
  /** Fallbacks by reason. */
  reasons: z.record(z.string(), count),
});
export type Decisions = z.infer<typeof decisions>;

export const runResultSchema = resultHead.extend({
  totals: decisions,
  rounds: count,
  /** Attempts to map an area, as the design would have ended them. */
  prefetch: z.object({
    built: count,
    refused_count: count,
    gup_short: count,
    not_contiguous: count,
    no_memory: count,
    ambiguous: count,
  }),
  ranges: z.object({
    start: count,
    end: count,
    /** Blockable starts that overlap a ring area. */
    overlapping: count,
    nonblockable: count,
    /** Non-blockable starts that the design answers with -EAGAIN. */
    refused: count,
  }),
  virtqueues: z.array(
    z.object({
      id: count,
      recording: count,
      dev: count.nullable(),
      rounds: count,
      totals: decisions,
      accessors: z.record(z.string(), decisions),
    }),
  ),
});
export type RunResult = z.infer<typeof runResultSchema>;

export function runResult(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
): RunResult {
  const { tallies } = replayed.engine;
  const virtqueues = listVirtqueues(trace).map(({ id, recording, dev }) => {
    const accessors: Record<string, Decisions> = {};
    const totals = nothing();
    for (const [number, name] of ACCESSORS.entries()) {
      const found = accessorDecisions(tallies, id, number);
      if (found.accesses === 0) continue;
      accessors[name] = found;
      add(totals, found);
    }
    return { id, recording, dev: dev ?? null, rounds: tallies.rounds[id] ?? 0, totals, accessors };
  });
  const totals = nothing();
  for (const virtqueue of virtqueues) add(totals, virtqueue.totals);
  const { start, end, overlapping, nonBlockable, refused } = tallies.ranges;
  return {
    ...headOf(trace, replayed, completeness),
    totals,
    rounds: virtqueues.reduce((sum, virtqueue) => sum + virtqueue.rounds, 0),
    prefetch: prefetchOutcomes(tallies),
    ranges: { start, end, overlapping, nonblockable: nonBlockable, refused },
    virtqueues,
  };
}

function nothing(): Decisions {
  return { accesses: 0, hits: 0, fallbacks: 0, iotlb: 0, ambiguous: 0, reasons: {} };
}

function accessorDecisions(tallies: Tallies, vq: number, accessor: number): Decisions {
  const found = nothing();
  for (const [outcome, accesses] of accessOutcomes(tallies, vq, accessor).entries()) {
    const name = OUTCOME_NAMES[outcome];
    if (accesses === 0 || name === undefined) continue;
    found.accesses += accesses;
    if (name === 'hit') found.hits += accesses;
    else if (name === 'iotlb') found.iotlb += accesses;
    else if (name === 'ambiguous') found.ambiguous += accesses;
    else {
      found.fallbacks += accesses;
      found.reasons[name] = accesses;
    }
  }
  return found;
}

function add(sum: Decisions, more: Decisions): void {
  sum.accesses += more.accesses;
  sum.hits += more.hits;
  sum.fallbacks += more.fallbacks;
  sum.iotlb += more.iotlb;
  sum.ambiguous += more.ambiguous;
  for (const [reason, accesses] of Object.entries(more.reasons))
    sum.reasons[reason] = (sum.reasons[reason] ?? 0) + accesses;
}

function prefetchOutcomes(tallies: Tallies): RunResult['prefetch'] {
  const sums: Record<string, number> = {};
  for (const [at, attempts] of tallies.prefetch.entries()) {
    const name = OUTCOME_NAMES[at % OUTCOMES];
    if (attempts > 0 && name !== undefined) sums[name] = (sums[name] ?? 0) + attempts;
  }
  const of = (name: string): number => sums[name] ?? 0;
  return {
    built: of('hit'),
    refused_count: of('refused_count'),
    gup_short: of('gup_short'),
    not_contiguous: of('not_contiguous'),
    no_memory: of('no_memory'),
    ambiguous: of('ambiguous'),
  };
}
