/** What a report says, as its page holds it and `replay report --json` prints it; keys are stable. */
import { AREAS } from '@vhostscope/model';
import { z } from 'zod';
import { comparedTraceSchema } from '../compare-result.js';
import { infoResultSchema } from '../info-result.js';
import { runResultSchema } from '../run-result.js';
import { stormsResultSchema } from '../storms-result.js';

const count = z.number().int().nonnegative();

/** A count for each bin of the time line. */
const series = z.array(count);

/** Accesses by what became of them; a series that is 0 everywhere is absent. */
const decisionSeries = z.object({
  hits: series.optional(),
  fallbacks: series.optional(),
  iotlb: series.optional(),
  ambiguous: series.optional(),
});
export type DecisionSeries = z.infer<typeof decisionSeries>;

const timeline = z.object({
  /** Width of every bin, ns, and how many there are. */
  bin_ns: count,
  bins: count,
  /** From the first event to the last, ns. Recordings follow one another without a gap. */
  span_ns: count,
  /** Those with events. */
  recordings: z.array(
    z.object({
      /** Where it begins on the time line, ns. */
      at_ns: count,
      /** Its first time, ns of CLOCK_BOOTTIME, decimal. */
      first: z.string(),
    }),
  ),
  /** Virtqueues with accesses. */
  virtqueues: z.array(
    z.object({ id: count, areas: z.partialRecord(z.enum(AREAS), decisionSeries) }),
  ),
  invalidations: z.object({
    /** `class`: by who invalidates, from kernel stacks; `cause`: by what the memory manager calls it. */
    by: z.enum(['class', 'cause']),
    /** By name, without what never happened. */
    series: z.record(z.string(), series),
    /** Those that can be blocked and are known to overlap an area of a ring. */
    over_rings: series,
  }),
});
export type ReportTimeline = z.infer<typeof timeline>;

export const reportSchema = z.object({
  /** Of this layout. */
  report_version: z.literal(1),
  /** Program that made it, with its version. */
  writer: z.string(),
  /** What matters first, in a sentence, and what has to be known with it. */
  headline: z.string(),
  cautions: z.array(z.string()),
  design: z.object({ name: z.string(), title: z.string(), source: z.string() }),
  /** As `replay run` prints it. */
  run: runResultSchema,
  /** As `replay info` prints it. */
  info: infoResultSchema,
  timeline,
  /** As `replay storms` prints it. */
  storms: stormsResultSchema,
  /** What other designs would have made of the same span, as `replay compare` prints it. */
  comparison: comparedTraceSchema,
  /** Outcomes by name, and `rates`, what the packet rates are of: in words. */
  meanings: z.record(z.string(), z.string()),
});
export type Report = z.infer<typeof reportSchema>;
