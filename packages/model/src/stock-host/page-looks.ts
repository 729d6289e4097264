/**
 * Looks at the page table in the kernel, where a round begins: what the attempt of that round would have got.
 *
 * Pages go, or lose the right to be written, only under a range over them, which is told. They come whenever
 * somebody touches them, and nobody tells: so a look that found too few holds only because the recording looks
 * again at the beginning of every round until it finds all, and tells when it finds something else.
 *
 * It takes for granted that between a look and the attempt, in the same call, no other CPU faults a page in.
 */
import { hasDetail, type EventBatch } from '../event-batch.js';
import { GUP_SHORT, HIT, NOT_CONTIGUOUS } from '../outcome.js';
import { pagesWanted, USED } from '../ring.js';
import { nanoseconds } from './nanoseconds.js';
import { bytesOf } from './page-evidence.js';
import { NO_OUTCOME, RANGE_SET, type VirtqueueState } from '../virtqueue-state.js';

/** Whether a `pages` event is such a look, and not one through /proc. */
export function isKernelLook({ details, detail }: EventBatch, i: number): boolean {
  return hasDetail(details, detail[i], 'pagesWritable');
}

/** Such a look, while no range over the area is under way. */
export function takeLook(state: VirtqueueState, batch: EventBatch, i: number, slot: number): void {
  const isTooEarly =
    nanoseconds(batch.time[2 * i], batch.time[2 * i + 1]) < state.watchedFrom[slot];
  state.looked[slot] = isTooEarly ? NO_OUTCOME : foundBy(state, batch, i, slot);
}

/** Whether the pages could be had, as the outcome of an attempt; reference §1.3. */
function foundBy(state: VirtqueueState, batch: EventBatch, i: number, slot: number): number {
  const { details } = batch;
  const detail = batch.detail[i];
  const wanted = details.pagesWanted[detail];
  // It was a look at what was a ring of another size.
  if (state.sized[slot] !== RANGE_SET || wanted !== pagesWanted(bytesOf(state, slot)))
    return NO_OUTCOME;
  const got = (slot & 3) === USED ? details.pagesWritable[detail] : details.pagesGot[detail];
  if (got < wanted) return GUP_SHORT;
  return details.contiguous[detail] === 1 ? HIT : NOT_CONTIGUOUS;
}
