/** The contract of `collector import --json`: keys are stable. */
import { z } from 'zod';
import { publishedSchema } from './fleet/published-schema.js';

const count = z.number().int().nonnegative();
const decimal = z.string().regex(/^\d+$/);
const lines = z.object({
  lines: count,
  /** The first of them. */
  first: z.array(z.object({ line: count, byte: count, reason: z.string() })),
});

const importedInput = z.object({
  input: z.string(),
  /** What printed it; a trace file is taken by --merge only. */
  format: z.enum(['bpftrace', 'perf script', 'ftrace', 'trace-cmd report', 'trace file']),
  /** Decompressed. */
  bytes: count,
  lines: count,
  events: count,
  /** Lines that begin like an event and are none, or that could not be read. */
  rejected: lines,
  /** Lines that hold no event. */
  other: lines,
  /** Events that bpftrace, perf or the kernel say were lost. */
  lost_events: decimal,
  /** What is wrong with the input as a whole. */
  damage: z.string().nullable(),
  /** What the text does not tell, so that the trace does not either. */
  notes: z.array(z.string()),
  /** ns that were added to its times; null where nothing was said of its clock. */
  clock_offset: z
    .string()
    .regex(/^-?\d+$/)
    .nullable(),
  /** Of a merge: its events that were left out, as another input tells them, by name. */
  left_out: z.record(z.string(), count),
});

export const importResultSchema = z.object({
  /** null where it was published only, or an interruption came before the first event. */
  output: z.string().nullable(),
  /** Of the trace: in `output`, or where there is none, in the spool of what is published. */
  bytes_written: count,
  recordings: count,
  events: count,
  interrupted: z.boolean(),
  /**
   * What the trace says of itself: false where something is known to be missing, null where nobody counted what there
   * was.
   */
  complete: z.boolean().nullable(),
  /** What makes it incomplete, beside lost events and lines that could not be read. */
  flaws: z.array(z.string()),
  /** The run on the server; null where nothing was published. */
  published: publishedSchema.nullable(),
  inputs: z.array(importedInput),
});
