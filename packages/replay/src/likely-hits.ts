/** What is likely of a stock host's accesses, where what is sure leaves some open. */
import {
  accessOutcomes,
  ACCESSORS,
  createEngine,
  decisionOf,
  NO_DELAYS,
  type Tallies,
} from '@vhostscope/model';
import { visitTrace, type OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import { listVirtqueues } from './recording-list.js';
import type { Replayed } from './replay-trace.js';
import { visitSpan } from './time-span.js';

const count = z.number().int().nonnegative();

export const likelySchema = z.object({
  hits: count,
  fallbacks: count,
  /** By device IOTLB. */
  iotlb: count,
  /** Not even likely either way. */
  open: count,
});
export type Likely = z.infer<typeof likelySchema>;

/**
 * Replays the trace once more, as if nothing took time: callbacks take effect, accesses are made, a TLB is flushed and
 * pages are looked at when that is told, and no range is under way that was not. A point where the sure answer is a
 * span; never an answer that is sure. What stays open even so is left out of the ratio: an access of a round that a
 * range touched is less likely a hit than others, so that it would be too good by as much as these are many.
 *
 * @returns undefined where nothing is open, or nobody but a real map can tell
 */
export function likelyHits(trace: OpenTrace, replayed: Replayed): Likely | undefined {
  if (replayed.host !== 'stock') return undefined;
  if (decisions(trace, replayed.engine.tallies).open === 0) return undefined;
  const engine = createEngine({ ...replayed, delays: NO_DELAYS });
  const visit = visitSpan(
    replayed.span,
    (isInside) => engine.count(isInside),
    (batch, from, to) => engine.consume(batch, from, to),
  );
  visitTrace(trace.fd, trace.index, visit);
  engine.finish();
  return decisions(trace, engine.tallies);
}

function decisions(trace: OpenTrace, tallies: Tallies): Likely {
  const sums = { hit: 0, fallback: 0, iotlb: 0, ambiguous: 0 };
  for (const { id } of listVirtqueues(trace))
    for (const accessor of ACCESSORS.keys())
      for (const [outcome, n] of accessOutcomes(tallies, id, accessor).entries())
        if (n > 0) sums[decisionOf(outcome)] += n;
  return { hits: sums.hit, fallbacks: sums.fallback, iotlb: sums.iotlb, open: sums.ambiguous };
}
