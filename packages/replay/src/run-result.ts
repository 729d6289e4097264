/** The result of `replay run`, as `--json` prints it. The schema is the contract; keys are stable. */
import {
  ACCESSORS,
  DOUBT_MEANING,
  OUTCOME_NAMES,
  OUTCOMES,
  type DerivedTallies,
  type FoundHazards,
  type Tallies,
} from '@vhostscope/model';
import { z } from 'zod';
import type { OpenTrace } from '@vhostscope/trace';
import { attemptsOf, attemptsSpanSchema } from './attempts.js';
import type { Completeness } from './completeness.js';
import { costOf, costSchema } from './cost-result.js';
import type { CostBasis } from './cost-options.js';
import { deviceIotlbResult, deviceIotlbSchema } from './device-iotlb.js';
import { dirtyLogResult, dirtyLogSchema } from './dirty-log.js';
import { addAccessor, createSum, decisionsOf } from './decision-sums.js';
import { likelyHits, likelySchema } from './likely-hits.js';
import { listVirtqueues } from './recording-list.js';
import { areAtLeast, countsOf, hazardCountSchema } from './hazards-result.js';
import { makersResult, makersSchema } from './invalidation-makers.js';
import { headOf, resultHead } from './result-head.js';
import type { Replayed } from './replay-trace.js';
import { wrongCounts, wrongCountsSchema } from './wrong-counts.js';

const count = z.number().int().nonnegative();

/** Least and most; null where nothing bounds it, or only what every chain as long as its ring would come to. */
const span = z.tuple([count, count.nullable()]);

const spans = z.object({
  accesses: span,
  hits: span,
  fallbacks: span,
  iotlb: span,
  ambiguous: span,
});

export const decisionsSchema = z.object({
  accesses: count,
  hits: count,
  fallbacks: count,
  /** The device IOTLB is on: neither. */
  iotlb: count,
  /** The trace cannot tell. */
  ambiguous: count,
  /** Fallbacks by reason. */
  reasons: z.record(z.string(), count),
  /**
   * How sure the counts are: of recorded accesses `exact`; of those of a stock host's rounds `by rule` where
   * the ring's indices determine them, else `estimated`. Whether they hit does not depend on it.
   */
  counts: z.enum(['exact', 'by rule', 'estimated']),
  /** What the counts may be, where they are estimated; null otherwise. */
  spans: spans.nullable(),
});
export type Decisions = z.infer<typeof decisionsSchema>;

export const runResultSchema = resultHead.extend({
  totals: decisionsSchema,
  /**
   * Of a stock host of which some accesses are ambiguous: how they would likely have come out; null otherwise. The
   * hit ratio that is likely is that of `hits` to all but `open`.
   */
  likely: likelySchema.nullable(),
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
  attempts_span: attemptsSpanSchema,
  ranges: z.object({
    start: count,
    end: count,
    /**
     * Blockable starts over a ring, by the test of the kernel that took the end of a range as inclusive: one that
     * ends where an area begins is over it, too. The same for every design.
     */
    overlapping: count,
    nonblockable: count,
    /** Non-blockable starts that the design answers with -EAGAIN. */
    refused: count,
  }),
  /** Who made those over rings, and why. */
  makers: makersSchema,
  /** What the device IOTLB did, whatever the design; null where it was never on. */
  device_iotlb: deviceIotlbSchema.nullable(),
  /** What logging dirty memory cost, whatever the design; null where nothing was logged. */
  dirty_log: dirtyLogSchema.nullable(),
  /** Of a stock host, why accesses are ambiguous, and how many are; null otherwise. */
  doubts: z.record(z.string(), count).nullable(),
  /** What that is worth in packets per second. */
  cost: costSchema,
  /** With --hazards: how often the design would have gone wrong; null without. */
  hazards: z.array(hazardCountSchema).nullable(),
  /** Whether there may be more than `hazards` has; null without. */
  hazards_at_least: z.boolean().nullable(),
  /** Fallbacks that no range explains, with or without --hazards. */
  wrong_counts: wrongCountsSchema,
  virtqueues: z.array(
    z.object({
      id: count,
      recording: count,
      dev: count.nullable(),
      rounds: count,
      /** Of a stock host: invalidations that were seen in the memory of its process; null otherwise. */
      invalidations: count.nullable(),
      totals: decisionsSchema,
      accessors: z.record(z.string(), decisionsSchema),
    }),
  ),
});
export type RunResult = z.infer<typeof runResultSchema>;

export function runResult(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
  basis: CostBasis,
  hazards: FoundHazards | undefined,
): RunResult {
  const { tallies } = replayed.engine;
  const { derived } = tallies;
  const all = createSum(derived !== undefined);
  const virtqueues = listVirtqueues(trace).map(({ id, recording, dev }) => {
    const accessors: Record<string, Decisions> = {};
    const ofVirtqueue = createSum(derived !== undefined);
    for (const [number, name] of ACCESSORS.entries()) {
      const found = createSum(derived !== undefined);
      addAccessor(found, tallies, id, number);
      if (found.most.accesses === 0) continue;
      accessors[name] = decisionsOf(found);
      for (const sum of [ofVirtqueue, all]) addAccessor(sum, tallies, id, number);
    }
    return {
      id,
      recording,
      dev: dev ?? null,
      rounds: tallies.rounds[id] ?? 0,
      invalidations: derived === undefined ? null : (derived.ranges[id] ?? 0),
      totals: decisionsOf(ofVirtqueue),
      accessors,
    };
  });
  const { start, end, overlapping, nonBlockable, refused } = tallies.ranges;
  const totals = decisionsOf(all);
  return {
    ...headOf(trace, replayed, completeness),
    totals,
    likely: likelyHits(trace, replayed) ?? null,
    rounds: virtqueues.reduce((sum, virtqueue) => sum + virtqueue.rounds, 0),
    prefetch: prefetchOutcomes(tallies),
    attempts_span: attemptsOf(replayed.design, tallies, totals.ambiguous),
    ranges: { start, end, overlapping, nonblockable: nonBlockable, refused },
    makers: makersResult(replayed.makers.made()),
    device_iotlb: deviceIotlbResult(trace, replayed.iotlb.found, virtqueues) ?? null,
    dirty_log: dirtyLogResult(replayed.dirtyLog, virtqueues) ?? null,
    doubts: derived === undefined ? null : doubtsOf(derived),
    cost: costOf(trace, replayed.design, tallies, basis),
    hazards: hazards === undefined ? null : countsOf(hazards.counts),
    hazards_at_least: hazards === undefined ? null : areAtLeast(replayed),
    wrong_counts: wrongCounts(replayed),
    virtqueues,
  };
}

/** Ambiguous accesses by the reason, in words. */
function doubtsOf({ doubts }: DerivedTallies): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [code, accesses] of doubts.entries())
    if (accesses > 0) found[DOUBT_MEANING[code] ?? String(code)] = accesses;
  return found;
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
