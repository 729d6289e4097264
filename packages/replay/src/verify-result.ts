/** The result of `replay verify`, as `--json` prints it. */
import {
  ACCESSORS,
  AREAS,
  compareAccesses,
  decisionOf,
  EVENT_NAMES,
  HIT,
  OUTCOME_NAMES,
  type Comparison,
  type Mismatch,
} from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import { headOf, resultHead } from './result-head.js';
import type { Replayed } from './replay-trace.js';

const count = z.number().int().nonnegative();
const comparison = z.object({ compared: count, agree: count, disagree: count, ambiguous: count });

const mismatch = z.object({
  what: z.enum(['access', 'prefetch']),
  recording: count,
  /** Line of the input, from 1. */
  line: count,
  /** ns, CLOCK_BOOTTIME, decimal. */
  time: z.string(),
  cpu: count,
  vq: count,
  /** Accessor of an access; null for a prefetch. */
  accessor: z.string().nullable(),
  /** Area of a prefetch; null for an access. */
  area: z.string().nullable(),
  /** What the model says, with the reason for a fallback. */
  predicted: z.string(),
  observed: z.string(),
  /** The last events of the virtqueue before it, oldest first. */
  events: z.array(
    z.object({
      line: count,
      time: z.string(),
      cpu: count,
      event: z.string(),
      area: z.string().nullable(),
      /** invalidate_count as the model holds it then: least and greatest. */
      invalidate_count: z.tuple([z.number().int(), z.number().int()]),
    }),
  ),
});
export type MismatchResult = z.infer<typeof mismatch>;

export const verifyResultSchema = resultHead.extend({
  /** Accesses and refusals together. compared = agree + disagree + ambiguous. */
  compared: count,
  agree: count,
  disagree: count,
  ambiguous: count,
  accesses: comparison,
  /** Whether each attempt to map is refused because invalidate_count is not 0. */
  refusals: comparison.extend({
    /** Not compared: attempts whose outcome only their own observation told (--use-observations). */
    settled: count,
  }),
  first: z.array(mismatch),
});
export type VerifyResult = z.infer<typeof verifyResultSchema>;

export function verifyResult(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
): VerifyResult {
  const { engine } = replayed;
  const accesses = withSum(compareAccesses(engine.tallies));
  const { settled } = engine.tallies.attempts;
  const refusals = { ...withSum(engine.tallies.refusals), settled };
  return {
    ...headOf(trace, replayed, completeness),
    compared: accesses.compared + refusals.compared,
    agree: accesses.agree + refusals.agree,
    disagree: accesses.disagree + refusals.disagree,
    ambiguous: accesses.ambiguous + refusals.ambiguous,
    accesses,
    refusals,
    first: engine.mismatches.map(describeMismatch),
  };
}

function withSum({ agree, disagree, ambiguous }: Comparison): z.infer<typeof comparison> {
  return { compared: agree + disagree + ambiguous, agree, disagree, ambiguous };
}

const OBSERVED_DECISIONS = ['fallback', 'hit', 'iotlb'];

function describeMismatch(found: Mismatch): MismatchResult {
  const isAccess = found.what === 'access';
  const observed = isAccess
    ? (OBSERVED_DECISIONS[found.observed] ?? String(found.observed))
    : found.observed === -14
      ? 'refused (result -14)'
      : `tried (result ${found.observed})`;
  return {
    what: found.what,
    recording: found.recording,
    line: found.line,
    time: String(found.time),
    cpu: found.cpu,
    vq: found.vq,
    accessor: isAccess ? (ACCESSORS[found.which] ?? null) : null,
    area: isAccess ? null : (AREAS[found.which] ?? null),
    predicted: isAccess ? predictedAccess(found.predicted) : predictedAttempt(found),
    observed,
    events: found.history.map(({ line, time, cpu, kind, area, countLow, countHigh }) => ({
      line,
      time: String(time),
      cpu,
      event: EVENT_NAMES[kind] ?? String(kind),
      area: AREAS[area] ?? null,
      invalidate_count: [countLow, countHigh],
    })),
  };
}

/** Only the refusal is compared: what get_user_pages did is the world's, and no design's. */
function predictedAttempt({ predicted, observed }: Mismatch): string {
  if (predicted === HIT && observed !== -14) return 'no attempt: the area has a map';
  return observed === -14
    ? 'not refused: invalidate_count is 0'
    : 'refused: invalidate_count is not 0';
}

function predictedAccess(outcome: number): string {
  const decision = decisionOf(outcome);
  return decision === 'fallback' ? `fallback (${OUTCOME_NAMES[outcome] ?? ''})` : decision;
}
