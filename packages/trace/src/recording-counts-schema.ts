/** What the `note` of a `recording_end` row must be; apart from its writing, which needs no zod. */
import { z } from 'zod';

export const recordingCountsSchema = z.object({
  /** Events by name. */
  events: z.record(z.string(), z.number().int().nonnegative()),
  /** First and last time, ns as decimal strings; absent in an empty recording. */
  first: z.string().regex(/^\d+$/).optional(),
  last: z.string().regex(/^\d+$/).optional(),
  /** Events whose time lies before that of the event before them on the same CPU. */
  backward: z.number().int().nonnegative(),
  /** Losses by who lost: known lost events, and input that could not be read. */
  lost: z.record(z.string(), z.string().regex(/^\d+$/)),
  /** What is known to be wrong with the recording beside losses: a cut or damaged input. */
  flaws: z.array(z.string()).optional(),
  /** What it cannot tell, or tells in another way, without anything being missing: times in microseconds, say. */
  notes: z.array(z.string()).optional(),
  /** Of a live recording: why it ended. */
  ended: z.string().optional(),
  /** Of a live recording: why it is not known whether all events arrived. */
  doubts: z.array(z.string()).readonly().optional(),
  /** Of a live recording: lines that the kernel counted and that never arrived, by class. */
  missing: z.record(z.string(), z.number().int()).readonly().optional(),
  /**
   * Whether every event arrived, as counted in the kernel; null when nothing was counted there, as in
   * an import of plain text.
   */
  complete: z.boolean().nullable(),
});
