/** What `collector probes --json` prints. The schema is the contract; keys are stable. */
import { recordedProbesSchema } from '@vhostscope/trace';
import { z } from 'zod';

/** What the header of the trace would hold, or as much of its views as is known, and more. */
export const probesResultSchema = recordedProbesSchema.extend({
  /** Why the views are not all, and there is no program; null where there is a plan. */
  no_plan: z.string().nullable(),
  /** What is to be known before recording, a sentence each: above all, an untested version of bpftrace. */
  remarks: z.array(z.string()),
  /** Why this host cannot be recorded as it is; none when it can be. */
  blockers: z.array(z.object({ reason: z.string(), change: z.string().nullable() })),
  /** The bpftrace program, and how it is run; null where there is no plan. */
  program: z.string().nullable(),
  arguments: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
});
