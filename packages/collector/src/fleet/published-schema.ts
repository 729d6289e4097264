/** What a command says with --json of a run that it published: keys are stable. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const publishedSchema = z.object({
  /** The run, as `replay run` takes it. */
  url: z.string(),
  host: z.string(),
  run: z.string(),
  /** Of the trace. */
  bytes: count,
  /** Of these, what the server has. */
  acknowledged_bytes: count,
  /** Whether the server has all, and its end. */
  sent: z.boolean(),
  /** Where the rest waits. */
  spool: z.string(),
  /** What kept it from being sent; null when nothing is known to. */
  trouble: z.string().nullable(),
});
