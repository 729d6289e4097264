/**
 * Accesses of a stock host that no round's end tells of: who polls makes them, or attaches a backend. Each is
 * told when the call begins that makes it, so a range, or a round, may still come before it, unless nothing takes time.
 */
import { OUT_OF_ROUND } from '../doubts.js';
import type { EngineState } from '../engine-state.js';
import type { EventBatch } from '../event-batch.js';
import { AMBIGUOUS, HIT, IOTLB, PENDING } from '../outcome.js';
import { ACCESSOR_SPAN, ACCESSORS, AREA_OF_ACCESSOR } from '../ring.js';
import { RANGE_SET } from '../virtqueue-state.js';
import { countDerived } from './count-derived.js';

/**
 * By accessor: 1 where whoever calls it holds vq->mutex from before the call to its end. Outside a round
 * vhost_vq_init_access makes these two, and no others (reference §4.5).
 */
const HOLDS_VIRTQUEUE: Uint8Array = Uint8Array.from(ACCESSORS, (accessor) =>
  accessor === 'get_used_idx' || accessor === 'put_used_flags' ? 1 : 0,
);

/** An `access` event that is no round's. */
export function judgeAsTold(engine: EngineState, batch: EventBatch, i: number): void {
  const vq = batch.vq[i];
  const accessor = batch.accessor[i];
  const outcome = outcomeAsTold(engine, vq, accessor);
  const n = batch.n[i];
  countDerived(engine.tallies, vq, accessor, outcome, OUT_OF_ROUND, n, n, n);
}

/** Whether there is a map when it comes to it; only a round builds one, and only who holds the virtqueue. */
function outcomeAsTold(
  { virtqueues, fixedMap, isAtOnce }: EngineState,
  vq: number,
  accessor: number,
): number {
  const { effective, inRound, inSetUp, iotlb, sized } = virtqueues;
  if (iotlb[vq] === 1) return IOTLB;
  // Its ring was not told, nor whether the device IOTLB is on.
  if (sized[4 * vq + AREA_OF_ACCESSOR[accessor]] !== RANGE_SET) return AMBIGUOUS;
  if (fixedMap >= 0) return fixedMap;
  const isHeld = HOLDS_VIRTQUEUE[accessor] === 1 && inRound[vq] === 0 && inSetUp[vq] === 0;
  const now = effective[ACCESSOR_SPAN * vq + accessor];
  if (isAtOnce && now < PENDING) return now;
  return isHeld && now !== HIT && now < PENDING ? now : AMBIGUOUS;
}
