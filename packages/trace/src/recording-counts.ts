/** What a recording holds, as its `recording_end` row tells it: a JSON object in `note`. */
import { EVENT_NAMES } from '@vhostscope/model';
import type { z } from 'zod';
import type { recordingCountsSchema } from './recording-counts-schema.js';

export type RecordingCounts = z.infer<typeof recordingCountsSchema>;

/** Counts by event name from counts by kind code, without the zeros. */
export function countsByName(byKind: ArrayLike<number>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [code, name] of EVENT_NAMES.entries()) {
    if (name !== undefined && byKind[code] > 0) counts[name] = byKind[code];
  }
  return counts;
}
