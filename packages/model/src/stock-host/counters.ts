/** Counters of accesses, which a recording tells when a round begins and before it ends. */
import { OUT_OF_ROUND } from '../doubts.js';
import type { EngineState } from '../engine-state.js';
import type { DetailField, EventBatch } from '../event-batch.js';
import { COUNTER_FIELDS } from '../event-fields.js';
import { AMBIGUOUS, IOTLB } from '../outcome.js';
import { ACCESSOR_SPAN } from '../ring.js';
import { countDerived } from './count-derived.js';

/**
 * A `counted` event: what came since the last one belongs to the round that is under way, and is judged at its
 * end. Where none is, it was made by somebody else (who polls, or attaches a backend).
 */
export function readCounters(engine: EngineState, batch: EventBatch, i: number): void {
  const { virtqueues, tallies, fixedMap } = engine;
  const { counters, countedInRound, inRound, iotlb } = virtqueues;
  const detail = batch.detail[i];
  const vq = batch.vq[i];
  engine.roundAccesses = 'counted';
  const outcome = iotlb[vq] === 1 ? IOTLB : fixedMap < 0 ? AMBIGUOUS : fixedMap;
  for (let at = 0; at < COUNTER_FIELDS.length; at++) {
    const field: DetailField = COUNTER_FIELDS[at];
    const place = ACCESSOR_SPAN * vq + at + 1;
    const now = batch.details[field][detail];
    const more = (now - counters[place]) >>> 0;
    counters[place] = now;
    if (more === 0) continue;
    if (inRound[vq] === 1) countedInRound[place] += more;
    else countDerived(tallies, vq, at + 1, outcome, OUT_OF_ROUND, more, more, more);
  }
}
