/** What `collector probes --json` prints. The schema is the contract; keys are stable. */
import { z } from 'zod';

export const probesResultSchema = z.object({
  detail: z.enum(['rounds', 'calls', 'accesses']),
  views: z.array(
    z.object({
      what: z.string(),
      certainty: z.enum(['exact', 'by rule', 'estimated', 'invisible']),
      /** Functions that are probed, or files that are read. */
      by: z.array(z.string()),
      note: z.string(),
    }),
  ),
  /** What is to be known before recording, a sentence each: above all, an untested version of bpftrace. */
  remarks: z.array(z.string()),
  /** The bpftrace program, and how it is run. */
  program: z.string(),
  arguments: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
});
