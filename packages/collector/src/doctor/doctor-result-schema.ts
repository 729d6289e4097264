/** What `collector doctor --json` prints. The schema is the contract; keys are stable. */
import { z } from 'zod';

export const doctorResultSchema = z.object({
  /** Whether `collector attach` can record this host. */
  can_record: z.boolean(),
  findings: z.array(
    z.object({
      id: z.string(),
      verdict: z.enum(['ok', 'limited', 'blocked']),
      found: z.string(),
      /** What that costs; null where it is as it should be. */
      cost: z.string().nullable(),
      change: z.string().nullable(),
    }),
  ),
  /** Vhost devices that are open. */
  devices: z.array(
    z.object({ path: z.string(), pid: z.number().int().nonnegative(), comm: z.string() }),
  ),
});
