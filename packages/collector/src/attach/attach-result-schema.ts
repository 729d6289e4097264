/** The contract of `collector attach --json`: keys are stable. */
import { z } from 'zod';
import { publishedSchema } from '../fleet/published-schema.js';

const count = z.number().int().nonnegative();
const decimal = z.string().regex(/^\d+$/);

export const attachResultSchema = z.object({
  /** The trace file; `-` is standard output; null when the trace went to a socket only. */
  output: z.string().nullable(),
  /** Of the trace: in `output`; where there is none, in the spool of what is published, or to the socket. */
  bytes_written: count,
  /** Events in the trace. */
  events: count,
  /** Whether a vhost device was seen: one that is open and idle is not. */
  saw_vhost: z.boolean(),
  /** Why the recording ended, in words; `not begun` of a host that cannot be recorded. */
  ended: z.string(),
  /** false: something is known to be missing; true: counted in the kernel, and all there; null: see `doubts`. */
  complete: z.boolean().nullable(),
  /** Why it is not known whether everything arrived. */
  doubts: z.array(z.string()),
  /** What the trace does not tell, although nothing is missing. */
  limits: z.array(z.string()),
  /** Capabilities that what recorded was bounded to; null: all that root has, or nothing recorded. */
  recorder_capabilities: z.array(z.string()).nullable(),
  /** For whom root was given up once the probes were attached; null: for nobody. */
  user: z.string().nullable(),
  /** How many events were lost, by who tells of it. */
  lost: z.record(z.string(), decimal),
  /** Lines that the kernel counted and that never arrived, by class. */
  missing: z.record(z.string(), count),
  /** Readers of the socket that were dropped because they did not keep up. */
  readers_dropped: count,
  /** The run on the server; null where nothing was published. */
  published: publishedSchema.nullable(),
  /** Why this host cannot be recorded as it is; none when it was. */
  blockers: z.array(z.object({ reason: z.string(), change: z.string().nullable() })),
});
