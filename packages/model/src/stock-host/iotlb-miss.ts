/** A miss of the device IOTLB: in a round, what it was of says how far the handler came. */
import { BUFFER_MISSED, EITHER_MISSED, RING_MISSED } from '../accessor-rules/derive-round.js';
import type { EventBatch } from '../event-batch.js';
import { AREA_COUNT } from '../ring.js';
import { RANGE_SET, RANGE_UNKNOWN, type VirtqueueState } from '../virtqueue-state.js';

/**
 * Notes it for the end of the round. vq_meta_prefetch looks the ring up and the handler holds vq->mutex from before
 * that to its end, without which nothing can be taken out of the device IOTLB: of the ring only that lookup misses.
 */
export function seeMiss(virtqueues: VirtqueueState, batch: EventBatch, i: number): void {
  const vq = batch.vq[i];
  const word = 2 * batch.detail[i];
  const { iova } = batch.details;
  virtqueues.missed[vq] = missedBy(virtqueues, vq, iova[word], iova[word + 1]);
}

function missedBy(
  { sized, first, last }: VirtqueueState,
  vq: number,
  low: number,
  high: number,
): number {
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (sized[slot] === RANGE_UNKNOWN) return EITHER_MISSED;
    const word = 2 * slot;
    const isBehindFirst =
      high > first[word + 1] || (high === first[word + 1] && low >= first[word]);
    const isBeforeLast = high < last[word + 1] || (high === last[word + 1] && low <= last[word]);
    if (sized[slot] === RANGE_SET && isBehindFirst && isBeforeLast) return RING_MISSED;
  }
  return BUFFER_MISSED;
}
