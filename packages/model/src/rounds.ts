/** Rounds, the attempts to map that they make, and what the recording tells of those. */
import {
  abandonAttempts,
  openAttempt,
  openAttempts,
  settleAttempt,
  settleAttempts,
} from './attempts.js';
import { slotAt } from './callbacks.js';
import { beginDeferredRound, passDeferred } from './deferred-maps.js';
import type { EngineState } from './engine-state.js';
import type { EventBatch } from './event-batch.js';
import { keepMismatch } from './mismatches.js';
import {
  awaitAttempts,
  forgetAttempts,
  observeAttempt,
  settleUnattempted,
} from './observed-attempts.js';
import { IOTLB_COMES, SET_UP_IN_ROUND } from './doubts.js';
import {
  AMBIGUOUS,
  GUP_SHORT,
  HIT,
  NO_MEMORY,
  NOT_CONTIGUOUS,
  PENDING,
  REFUSED_COUNT,
} from './outcome.js';
import { passCallbacks } from './ranges-order.js';
import { AREA_COUNT, PAGE_BYTES } from './ring.js';
import { nanoseconds } from './stock-host/nanoseconds.js';
import { bytesOf, hasPages, isScattered } from './stock-host/page-evidence.js';
import { mayChangeAll } from './stock-host/round-changes.js';
import { forgetTold } from './stock-host/told-in-round.js';
import {
  doubtMap,
  IOTLB_COMING,
  IOTLB_ON,
  NO_OUTCOME,
  RANGE_SET,
  SEEN_REFUSED,
  SEEN_TRIED,
} from './virtqueue-state.js';

/** vq_meta_prefetch: with the device IOTLB on it leaves the maps alone (reference §1.3). */
export function beginRound(engine: EngineState, batch: EventBatch, i: number, vq: number): void {
  const { virtqueues, tallies, order } = engine;
  const { cpu } = batch;
  tallies.rounds[vq]++;
  if (engine.host === 'stock') {
    if (engine.mechanism === 'counted') settleRound(engine, batch, i, vq);
    watchRound(engine, vq);
    virtqueues.roundTime[vq] = nanoseconds(batch.time[2 * i], batch.time[2 * i + 1]);
  }
  if (engine.mechanism === 'fixed' || virtqueues.iotlb[vq] === IOTLB_ON) return;
  if (virtqueues.iotlb[vq] === IOTLB_COMING) return doubtRound(engine, vq);
  if (engine.mechanism === 'deferred') return beginDeferredRound(engine, vq);
  if (engine.usesObservations) return awaitAttempts(engine, vq);
  openAttempts(virtqueues, tallies, vq, order === 'effects');
  if (engine.host === 'stock') foreseePages(engine, vq);
  if (engine.isAtOnce) return settleRound(engine, batch, i, vq);
  if (order === 'effects' || engine.preemption !== 'voluntary') return;
  endWaitOfRound(engine, vq);
  virtqueues.roundCpu[vq] = cpu;
  engine.roundOnCpu[cpu] = vq;
  engine.waitingOnCpu[cpu]++;
}

/** Whether a round tries to map is not known, nor what came of it. */
function doubtRound({ virtqueues, tallies }: EngineState, vq: number): void {
  settleAttempts(virtqueues, tallies, vq);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
    if (virtqueues.map[slot] !== HIT) doubtMap(virtqueues, slot, IOTLB_COMES);
}

/** Of a stock host: from now on, what may change the maps is noted. */
function watchRound(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  const { inRound, roundIotlb, iotlb, missed, changed, disturbed } = virtqueues;
  inRound[vq] = 1;
  roundIotlb[vq] = iotlb[vq];
  missed[vq] = 0;
  if (engine.roundAccesses !== 'derived') forgetTold(engine, vq);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    changed[slot] = 0;
    disturbed[slot] = 0;
  }
  if (virtqueues.inSetUp[vq] === 1) mayChangeAll(virtqueues, vq, SET_UP_IN_ROUND);
}

/** What get_user_pages would find, as far as what was known before the round tells. */
function foreseePages(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  // Whether the ioctl drops the maps before this round or after it is open: so is what it leaves behind.
  if (virtqueues.inSetUp[vq] === 1 && !engine.isAtOnce) return;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    const looked = virtqueues.looked[slot];
    if (looked !== NO_OUTCOME) {
      virtqueues.gupHolds[slot] = looked === HIT ? 1 : 0;
      if (looked !== HIT) virtqueues.gup[slot] = asDesigned(engine, slot, looked);
      continue;
    }
    virtqueues.gupHolds[slot] = hasPages(virtqueues, slot) ? 1 : 0;
    if (isScattered(virtqueues, slot))
      virtqueues.gup[slot] = asDesigned(engine, slot, NOT_CONTIGUOUS);
  }
}

function endWaitOfRound(engine: EngineState, vq: number): void {
  const cpu = engine.virtqueues.roundCpu[vq];
  if (cpu < 0) return;
  engine.virtqueues.roundCpu[vq] = -1;
  engine.roundOnCpu[cpu] = -1;
  engine.waitingOnCpu[cpu]--;
}

/**
 * Without preemption of kernel code, what was entered on a CPU before its next event has come as far
 * as it can without leaving it. A worker does not leave it before its round has tried all areas.
 */
export function passCpu(engine: EngineState, batch: EventBatch, i: number): void {
  if (engine.mechanism === 'deferred') return passDeferred(engine, batch.cpu);
  passCallbacks(engine, batch.cpu);
  const vq = engine.roundOnCpu[batch.cpu];
  if (vq < 0) return;
  endWaitOfRound(engine, vq);
  settleRound(engine, batch, i, vq);
}

/** The attempts of `vq` are over: it is set up again or reset, or the trace has ended. */
export function endAttempts(engine: EngineState, vq: number): void {
  if (engine.usesObservations) forgetAttempts(engine, vq);
  else settleAttempts(engine.virtqueues, engine.tallies, vq);
}

/** What get_user_pages did, of an attempt on a slot; a refused attempt tells nothing of it. */
export function seePrefetch(engine: EngineState, batch: EventBatch, i: number, slot: number): void {
  const { virtqueues, tallies } = engine;
  const detail = batch.detail[i];
  const result = batch.details.result[detail];
  const { pagesGot, pagesWanted } = batch.details;
  const found = gupOutcome(result, pagesGot[detail], pagesWanted[detail]);
  const gup = asDesigned(engine, slot, found);
  if (engine.usesObservations) {
    observeAttempt(engine, batch, i, slot, result === -14 ? REFUSED_COUNT : gup);
    return;
  }
  if (virtqueues.map[slot] < PENDING) {
    // That a refused attempt was made is for ranges order to predict: this one it did not.
    if (gup === NO_OUTCOME && engine.order === 'ranges') {
      if (virtqueues.map[slot] === HIT) {
        // On an area that has a map none is made.
        tallies.refusals.disagree++;
        keepMismatch(engine, batch, i, slot >> 2, 'prefetch', slot & 3, HIT, result);
      } else {
        tallies.refusals.ambiguous++;
      }
      return;
    }
    openAttempt(virtqueues, slot);
  }
  virtqueues.seenAttempt[slot] = result === -14 ? SEEN_REFUSED : SEEN_TRIED;
  const vq = slot >> 2;
  if (gup === HIT) {
    virtqueues.mayBeMapped[slot] = 1;
    virtqueues.builtAt[slot] = engine.clock;
  }
  if (gup !== NO_OUTCOME && virtqueues.diverged[vq] === 0) {
    virtqueues.gup[slot] = gup;
    virtqueues.gupHolds[slot] = gup === HIT && pagesStay(engine, slot) ? 1 : 0;
  }
  if (engine.order !== 'effects') return;
  virtqueues.attemptLow[slot] = virtqueues.countLow[vq];
  virtqueues.attemptHigh[slot] = virtqueues.countHigh[vq];
  const before = tallies.refusals.disagree;
  const predicted = settleAttempt(virtqueues, tallies, slot);
  if (tallies.refusals.disagree !== before)
    keepMismatch(engine, batch, i, vq, 'prefetch', slot & 3, predicted, result);
}

/**
 * Whether what get_user_pages found holds until something is entered: pages change only between the
 * entries of a start and its end, and a notifier is not registered while a range is under way (the
 * memory manager holds all locks then). In effects order attempts are seen and need no such inference.
 */
function pagesStay(engine: EngineState, slot: number): boolean {
  if (engine.order === 'effects') return false;
  for (const callback of engine.open) {
    if (!callback.isStart) continue;
    for (let k = 0; k < callback.slotCount; k++) if (slotAt(callback, k) === slot) return false;
  }
  return true;
}

function gupOutcome(result: number, got: number, wanted: number): number {
  if (result === -12) return NO_MEMORY;
  if (got < 0) return NO_OUTCOME;
  if (got < wanted) return GUP_SHORT;
  return result === 77 ? NOT_CONTIGUOUS : HIT;
}

/** What a design makes of what the recording kernel found, which wants pages that are there and contiguous. */
function asDesigned(engine: EngineState, slot: number, found: number): number {
  const { faultsPagesIn, needsContiguousPages } = engine.design;
  if (found !== NOT_CONTIGUOUS && found !== GUP_SHORT) return found;
  if (found === NOT_CONTIGUOUS && !needsContiguousPages) return HIT;
  if (found === GUP_SHORT && faultsPagesIn && !needsContiguousPages) return HIT;
  // All was there, and on larger pages it is asked for one only.
  const isOnePage = engine.pageBytes > PAGE_BYTES && isWithin(engine, slot);
  if (found === NOT_CONTIGUOUS && isOnePage) return HIT;
  // Where pages would lie that are faulted in, or are larger than those that were found, nobody knows.
  const isFaultedIn = found === GUP_SHORT && faultsPagesIn;
  return isFaultedIn || engine.pageBytes > PAGE_BYTES ? NO_OUTCOME : found;
}

/** Whether the design asks for one page only: it counts them by the size of the area (reference §3.1 [D]). */
function isWithin({ virtqueues, pageBytes }: EngineState, slot: number): boolean {
  return virtqueues.sized[slot] === RANGE_SET && bytesOf(virtqueues, slot) <= pageBytes;
}

/** The attempts of a round are over: event `i` shows it. */
export function settleRound(engine: EngineState, batch: EventBatch, i: number, vq: number): void {
  const { virtqueues, tallies } = engine;
  const { refusals } = tallies;
  if (engine.usesObservations) return settleUnattempted(engine, batch, i, vq);
  if (batch.vq[i] === vq && batch.observed[i] === 2)
    return abandonAttempts(virtqueues, tallies, vq);
  if (engine.host === 'stock') endWaitOfRound(engine, vq);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (virtqueues.map[slot] < PENDING) continue;
    const before = refusals.disagree;
    const seen = virtqueues.seenAttempt[slot];
    const predicted = settleAttempt(virtqueues, tallies, slot);
    if (refusals.disagree !== before) {
      const result = seen === SEEN_REFUSED ? -14 : 0;
      keepMismatch(engine, batch, i, vq, 'prefetch', slot & 3, predicted, result);
    }
    // A stock kernel builds none itself: where a start would have slept is for the design to say.
    if (engine.host === 'stock' && (predicted === HIT || predicted === AMBIGUOUS)) {
      virtqueues.mayBeMapped[slot] = 1;
      virtqueues.builtAt[slot] = engine.clock;
    }
  }
}
