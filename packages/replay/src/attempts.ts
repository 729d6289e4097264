/** How many attempts to map a design made. */
import { AMBIGUOUS, AREAS, OUTCOMES, type Design, type Tallies } from '@vhostscope/model';
import { z } from 'zod';

const count = z.number().int().nonnegative();

/** Attempts that surely were made, and those with all of which the trace cannot tell whether they were. */
export const attemptsSpanSchema = z.tuple([count, count]);

/**
 * Of an ambiguous one it is not known whether it was made at all; nor is it of any where nothing is known of a
 * design's maps, and none are followed.
 *
 * @param ambiguous accesses that are
 */
export function attemptsOf(
  { maps }: Design,
  { prefetch, rounds }: Tallies,
  ambiguous: number,
): [least: number, most: number] {
  let [least, most] = [0, 0];
  for (const [at, attempts] of prefetch.entries()) {
    most += attempts;
    if (at % OUTCOMES !== AMBIGUOUS) least += attempts;
  }
  if (most === 0 && ambiguous > 0 && maps === 'round')
    most = AREAS.length * rounds.reduce((sum, made) => sum + made, 0);
  return [least, most];
}
