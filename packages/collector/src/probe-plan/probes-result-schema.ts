/** What `collector probes --json` prints. The schema is the contract; keys are stable. */
import { recordedProbesSchema } from '@vhostscope/trace';
import { z } from 'zod';

/** What the header of the trace would hold, and more. */
export const probesResultSchema = recordedProbesSchema.extend({
  /** What is to be known before recording, a sentence each: above all, an untested version of bpftrace. */
  remarks: z.array(z.string()),
  /** The bpftrace program, and how it is run. */
  program: z.string(),
  arguments: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
});
