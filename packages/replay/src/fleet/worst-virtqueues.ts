/** Which virtqueues of all runs lose the most hits. */
import { z } from 'zod';
import { decisionsSchema } from '../run-result.js';
import type { ReplayedRun } from './fleet-result.js';

const count = z.number().int().nonnegative();

export const worstVirtqueueSchema = z.object({
  host: z.string(),
  run: z.string(),
  id: count,
  recording: count,
  dev: count.nullable(),
  rounds: count,
  decisions: decisionsSchema,
});
export type WorstVirtqueue = z.infer<typeof worstVirtqueueSchema>;

/** How many are told. */
const MOST = 20;

/** Under the first design: by fallbacks, then by accesses that may be some; what is equal stays in the order of runs. */
export function worstVirtqueues(runs: readonly ReplayedRun[]): WorstVirtqueue[] {
  let worst: WorstVirtqueue[] = [];
  for (const { host, run, virtqueues } of runs) {
    const found = virtqueues.flatMap(({ id, recording, dev, rounds, designs: [decisions] }) =>
      decisions === undefined || decisions.fallbacks === 0
        ? []
        : [{ host, run, id, recording, dev, rounds, decisions }],
    );
    worst = [...worst, ...found].toSorted(byLostHits).slice(0, MOST);
  }
  return worst;
}

function byLostHits({ decisions: a }: WorstVirtqueue, { decisions: b }: WorstVirtqueue): number {
  return b.fallbacks - a.fallbacks || b.ambiguous - a.ambiguous;
}
