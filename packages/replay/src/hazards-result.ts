/** The result of `replay hazards`, as `--json` prints it. */
import {
  accessOutcomes,
  ACCESSORS,
  AMBIGUOUS,
  AREAS,
  HAZARD_MEANING,
  OUTCOMES,
  type Hazard,
  type HazardCount,
  type HazardKind,
  type HazardMark,
  type Tallies,
} from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import { foundIn, type Replayed } from './replay-trace.js';
import { headOf, resultHead } from './result-head.js';
import { describeSpan, type TimeSpan } from './time-span.js';

const count = z.number().int().nonnegative();
/** ns, decimal. */
const time = z.string();
const kinds = Object.keys(HAZARD_MEANING) as [HazardKind, ...HazardKind[]];

const mark = z.object({
  line: count,
  time,
  /** Name of the event. */
  event: z.string(),
  /** What it has to do with the hazard. */
  what: z.string(),
});

const hazard = z.object({
  kind: z.enum(kinds),
  grade: z.enum(['proven', 'possible']),
  recording: count,
  /** null where it is of no one virtqueue or area. */
  vq: count.nullable(),
  area: z.string().nullable(),
  begin: time,
  /** null where it lasts to the end of the recording. */
  end: time.nullable(),
  /** Accesses that it touched: hits of a stale map, fallbacks for a wrong count. */
  accesses: count,
  /** The events that prove it, in order. */
  chain: z.array(mark),
});

export const hazardCountSchema = z.object({
  kind: z.enum(kinds),
  grade: z.enum(['proven', 'possible', 'counted']),
  meaning: z.string(),
  count,
  /** Accesses that they touched, all in all; 0 of those that are only counted. */
  accesses: count,
  /** Where the first of them begins, and where the last of them ends: null where one lasts to the end of the recording. */
  first: mark,
  last: mark.nullable(),
});
export type HazardCountResult = z.infer<typeof hazardCountSchema>;

export const hazardsResultSchema = resultHead.extend({
  /** All that touch the span; those whose grade is "counted" are told by number only, without their events. */
  counts: z.array(hazardCountSchema),
  /** Whether there may be more than "counts" has: where the trace cannot tell all, only what is sure is told. */
  at_least: z.boolean(),
  /** Kinds that were not looked for: they follow from callbacks and registrations that the design has not. */
  not_looked_for: z.array(z.enum(kinds)),
  /**
   * The first hundred of each kind and grade but `counted`, which `counts` has all of; in the order of `recording`,
   * `begin`, and the line of the event with which each begins.
   */
  hazards: z.array(hazard),
});
export type HazardsResult = z.infer<typeof hazardsResultSchema>;

export function hazardsResult(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
  span: TimeSpan | undefined,
): HazardsResult {
  const { listed, counts, notLookedFor } = foundIn(replayed);
  return {
    ...headOf(trace, replayed, completeness),
    span: describeSpan(span),
    counts: countsOf(counts),
    at_least: areAtLeast(replayed),
    not_looked_for: [...notLookedFor],
    hazards: listed.map(describe),
  };
}

/**
 * What is not sure of maps and counts is not told: in ranges order, and in effects order where an access or an attempt
 * is ambiguous, more may have gone wrong. Where nothing is mapped, all is sure.
 */
export function areAtLeast({ order, design, engine }: Replayed): boolean {
  if (design.maps === 'never' || design.switchedOff !== undefined) return false;
  return order === 'ranges' || isAnyAmbiguous(engine.tallies);
}

function isAnyAmbiguous(tallies: Tallies): boolean {
  return tallies.rounds.some(
    (_, vq) =>
      (tallies.prefetch[OUTCOMES * vq + AMBIGUOUS] ?? 0) > 0 ||
      ACCESSORS.some(
        (_name, accessor) => (accessOutcomes(tallies, vq, accessor)[AMBIGUOUS] ?? 0) > 0,
      ),
  );
}

/** Proven ones first. */
export function countsOf(counts: ReadonlyMap<string, HazardCount>): HazardCountResult[] {
  const order = kinds.flatMap((kind) =>
    (['proven', 'possible', 'counted'] as const).map((grade) => ({ kind, grade })),
  );
  return order.flatMap(({ kind, grade }) => {
    const found = counts.get(`${kind} ${grade}`);
    if (found === undefined) return [];
    const { first, last, accesses } = found;
    const meaning = HAZARD_MEANING[kind];
    const marks = { first: markOf(first), last: last === undefined ? null : markOf(last) };
    return [{ kind, grade, meaning, count: found.count, accesses, ...marks }];
  });
}

function describe(found: Hazard): HazardsResult['hazards'][number] {
  const { kind, grade, recording, vq, area, begin, end, accesses, chain } = found;
  return {
    kind,
    grade,
    recording: Math.max(0, recording),
    vq: vq ?? null,
    area: area === undefined ? null : (AREAS[area] ?? null),
    begin: String(begin),
    end: end === undefined ? null : String(end.time),
    accesses,
    chain: chain.map(markOf),
  };
}

function markOf({ line, time: at, event, what }: HazardMark): z.infer<typeof mark> {
  return { line, time: String(at), event, what };
}
