/** What a recording holds, as its `recording_end` row tells it: a JSON object in `note`. */
import { EVENT_NAMES } from '@vhostscope/model';
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
  /**
   * Whether every event arrived, as counted in the kernel; null when nothing was counted there, as in
   * an import of plain text.
   */
  complete: z.boolean().nullable(),
});

export type RecordingCounts = z.infer<typeof recordingCountsSchema>;

/** Counts by event name from counts by kind code, without the zeros. */
export function countsByName(byKind: ArrayLike<number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [code, name] of EVENT_NAMES.entries()) {
    if (name !== undefined && byKind[code] > 0) counts[name] = byKind[code];
  }
  return counts;
}
