/** The result of `replay compare`, as `--json` prints it. The schema is the contract; keys are stable. */
import {
  ACCESSORS,
  countCacheFlushes,
  type Architecture,
  type CacheFlushes,
  type Tallies,
} from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import { attemptsOf, attemptsSpanSchema } from './attempts.js';
import type { Compared, ComparedTrace } from './compare-trace.js';
import type { Completeness } from './completeness.js';
import type { CostBasis } from './cost-options.js';
import { costOf, costSchema } from './cost-result.js';
import { addAccessor, createSum, decisionsOf } from './decision-sums.js';
import { designAssumptions } from './design-assumptions.js';
import { mergedAssumptions } from './merged-assumptions.js';
import { pinsPages } from './pinned-pages.js';
import { liveAssumptions } from './live-assumptions.js';
import { otherPreemption } from './recording-assumptions.js';
import { listVirtqueues } from './recording-list.js';
import { decisionsSchema } from './run-result.js';
import { stockAssumptions } from './stock-assumptions.js';
import { describeSpan, spanSchema } from './time-span.js';
import { traceEventAssumptions } from './trace-event-assumptions.js';

const count = z.number().int().nonnegative();
const change = z.object({ before: z.number(), after: z.number() }).nullable();
/** Least and most, of 1: ambiguous accesses may be hits, or not. */
const ratio = z.tuple([z.number(), z.number()]);

const flushes = z.object({
  before_reads: count,
  after_writes: count,
  doubled_by_kunmap: count,
  doubled_by_copy_to_user_page: count,
});

const comparedDesign = z.object({
  design: z.string(),
  source: z.string(),
  order: z.enum(['effects', 'ranges']),
  /** Why the platform switches it off, so that nothing hits; null where it does not. */
  switched_off: z.string().nullable(),
  decisions: decisionsSchema,
  /** Hits of all accesses; null of none. */
  hit_ratio: ratio.nullable(),
  /** Attempts to map that may have been made: the second of `attempts_span`. */
  attempts: count,
  attempts_span: attemptsSpanSchema,
  /** Whether it pins the pages of a ring: that is what its hits cost. */
  pins_pages: z.boolean(),
  published_rates: z.object({ smap_on: change, smap_off: change }),
  /** What that is worth in packets per second. */
  cost: costSchema,
  /**
   * flush_dcache_page calls that accesses which surely hit need where caches alias, and in `most` those of all that
   * may hit; null where the architecture is not one of those discussed.
   */
  cache_flushes: flushes.extend({ most: flushes, source: z.string() }).nullable(),
});
export type ComparedDesign = z.infer<typeof comparedDesign>;

export const comparedTraceSchema = z.object({
  trace: z.string(),
  host: z.enum(['direct-map', 'stock']),
  preemption: z.enum(['voluntary', 'full', 'unknown']),
  architecture: z.string().nullable(),
  span: spanSchema,
  assumptions: z.array(z.string()),
  complete: z.boolean().nullable(),
  lost: z.record(z.string(), z.string()),
  damage: z.array(z.string()),
  rounds: count,
  designs: z.array(comparedDesign),
});
export type ComparedTraceResult = z.infer<typeof comparedTraceSchema>;

/** Of a design, in one trace against the baseline. */
const verdict = z.object({
  trace: z.string(),
  design: z.string(),
  /** Percentage points by which the hit ratio is lower than the baseline's: at least, at most; null of no accesses. */
  lower_by: ratio.nullable(),
  /** Whether that is more than --fail-if-worse allows, or more than nothing: null where that cannot be ruled out. */
  is_worse: z.boolean().nullable(),
  /** Why it cannot be ruled out, in words; null where it can, or is so. */
  open: z.string().nullable(),
});
export type Verdict = z.infer<typeof verdict>;

export const compareResultSchema = z.object({
  traces: z.array(comparedTraceSchema),
  baseline: comparedTraceSchema.nullable(),
  /** Percentage points; null where none was asked for. */
  fail_if_worse: z.number().nullable(),
  against_baseline: z.array(verdict),
});
export type CompareResult = z.infer<typeof compareResultSchema>;

export function comparedTraceResult(
  trace: OpenTrace,
  { host, preemption, span, compared }: ComparedTrace,
  { complete, lost, damage }: Completeness,
  architecture: Architecture | undefined,
  basis: CostBasis,
): ComparedTraceResult {
  const [first] = compared;
  return {
    trace: trace.name,
    host,
    preemption,
    architecture: architecture?.name ?? null,
    span: describeSpan(span),
    assumptions: [
      ...otherPreemption(trace, {
        order: compared.some(({ order }) => order === 'ranges') ? 'ranges' : 'effects',
        preemption,
      }),
      ...new Set(
        compared.flatMap(({ design }) => [
          ...designAssumptions(design),
          ...liveAssumptions(trace, host, design),
        ]),
      ),
      ...traceEventAssumptions(trace, complete),
      ...mergedAssumptions(trace),
      ...(host === 'stock' && first !== undefined
        ? stockAssumptions(trace, first.engine.tallies, preemption)
        : []),
    ],
    complete,
    lost: { ...lost },
    damage: [...damage],
    rounds: first?.engine.tallies.rounds.reduce((sum, rounds) => sum + rounds, 0) ?? 0,
    designs: compared.map((one) => designResult(trace, one, architecture, basis)),
  };
}

function designResult(
  trace: OpenTrace,
  { design, engine, order }: Compared,
  architecture: Architecture | undefined,
  basis: CostBasis,
): ComparedDesign {
  const { tallies } = engine;
  const sum = createSum(tallies.derived !== undefined);
  for (const { id } of listVirtqueues(trace))
    for (const accessor of ACCESSORS.keys()) addAccessor(sum, tallies, id, accessor);
  const decisions = decisionsOf(sum);
  const { accesses, hits, ambiguous } = decisions;
  const caches = architecture?.caches;
  const attempts = attemptsOf(design, tallies, ambiguous);
  return {
    design: design.name,
    source: design.source,
    order,
    switched_off: design.switchedOff ?? null,
    decisions,
    hit_ratio: accesses === 0 ? null : [hits / accesses, (hits + ambiguous) / accesses],
    attempts: attempts[1],
    attempts_span: attempts,
    pins_pages: pinsPages(design),
    published_rates: {
      smap_on: design.publishedRates?.smapOn ?? null,
      smap_off: design.publishedRates?.smapOff ?? null,
    },
    cost: costOf(trace, design, tallies, basis),
    cache_flushes: caches === undefined ? null : flushesOn(tallies, caches),
  };
}

function flushesOn(
  tallies: Tallies,
  caches: NonNullable<Architecture['caches']>,
): ComparedDesign['cache_flushes'] {
  const { least, most } = countCacheFlushes(tallies, caches);
  return { ...describeFlushes(least), most: describeFlushes(most), source: caches.source };
}

function describeFlushes({
  beforeReads,
  afterWrites,
  doubledByKunmap,
  doubledByCopyToUserPage,
}: CacheFlushes): z.infer<typeof flushes> {
  return {
    before_reads: beforeReads,
    after_writes: afterWrites,
    doubled_by_kunmap: doubledByKunmap,
    doubled_by_copy_to_user_page: doubledByCopyToUserPage,
  };
}

/**
 * Each design of each trace against the same design of the baseline. Only what is surely not worse is said not to
 * be; estimated counts stand for what they estimate.
 */
export function againstBaseline(
  traces: readonly ComparedTraceResult[],
  baseline: ComparedTraceResult,
  allowed = 0,
): Verdict[] {
  return traces.flatMap(({ trace, complete, designs }) =>
    designs.map(({ design, hit_ratio: now }) => {
      const before = baseline.designs.find((one) => one.design === design)?.hit_ratio;
      if (now === null || before === null || before === undefined) {
        const without = now === null ? trace : baseline.trace;
        return { trace, design, lower_by: null, is_worse: null, open: `${without} has no access` };
      }
      const least = points(before[0] - now[1]);
      const most = points(before[1] - now[0]);
      const lower_by: [number, number] = [least, most];
      if (least > allowed) return { trace, design, lower_by, is_worse: true, open: null };
      const damaged =
        complete === false ? trace : baseline.complete === false ? baseline.trace : null;
      const open =
        most > allowed
          ? `ambiguous accesses may make it ${most.toFixed(2)} percentage points lower`
          : damaged === null
            ? null
            : `events are missing, or may be, from ${damaged}`;
      return { trace, design, lower_by, is_worse: open === null ? false : null, open };
    }),
  );
}

/** Percentage points, without what binary fractions leave behind. */
function points(share: number): number {
  return Number((100 * share).toFixed(9));
}
