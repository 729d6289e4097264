/**
 * Whether get_user_pages would have found the pages of an area. A stock kernel never asks, but it copies:
 * a page that it read or wrote is there (and writable, if written), and stays so until the memory manager
 * reports a range over it. A look at the page table through /proc tells whether pages follow each other; what
 * the kernel itself was asked where a round begins (page-looks.ts) tells more, and goes before all this.
 *
 * It takes for granted that an area of which a descriptor or a moved index was read is not the zero page.
 */
import { hasDetail, type EventBatch } from '../event-batch.js';
import { PROTECTION_PAGE, SOFT_DIRTY } from '../invalidation-causes.js';
import { AVAIL, DESC, PAGE_BYTES, USED, pagesWanted } from '../ring.js';
import type { RingWord } from '../ring-word.js';
import { nanoseconds } from './nanoseconds.js';
import { NO_OUTCOME, RANGE_SET, type VirtqueueState } from '../virtqueue-state.js';

export const CONTIGUITY_UNKNOWN = 0;
export const CONTIGUOUS = 1;
/** All pages were there, and do not follow each other. */
export const SCATTERED = 2;

/** Bytes before the entries of avail and used (flags, idx); where idx stands. */
const ENTRIES_AT = 4;
const INDEX_AT = 2;
const INDEX_BYTES = 2;

/** Bytes of an entry, by area. */
const ENTRY_BYTES = [16, 2, 8] as const;

/** Where an area begins in its first page. */
function offsetOf({ first }: VirtqueueState, slot: number): number {
  return first[2 * slot] & (PAGE_BYTES - 1);
}

/** Bytes of an area of less than 4 GiB. */
export function bytesOf({ first, last }: VirtqueueState, slot: number): number {
  return ((last[2 * slot] - first[2 * slot]) >>> 0) + 1;
}

/** Whether the attempt of the round that begins would surely get the pages of an area, in one piece. */
export function hasPages(state: VirtqueueState, slot: number): boolean {
  if (state.sized[slot] !== RANGE_SET) return false;
  if (pagesWanted(bytesOf(state, slot)) === 1) return state.allCopied[slot] === 1;
  if (state.contiguity[slot] !== CONTIGUOUS) return false;
  // Pages that follow each other are there and none of them is the zero page, so they can be read, unless
  // their protection was taken from them. Whether they can be written the page table does not show.
  const isSeen = state.roundTime[slot >> 2] >= state.contiguousAt[slot];
  if ((slot & 3) !== USED && state.protected[slot] === 0 && isSeen) return true;
  return state.allCopied[slot] === 1;
}

/** Whether an attempt to map the area now would surely fail: there are pages, or not, but not in one piece. */
export function isScattered(state: VirtqueueState, slot: number): boolean {
  return state.contiguity[slot] === SCATTERED;
}

/** How long things take at most that a recording does not tell the end of, in ns: taken for granted. */
export interface Delays {
  /**
   * After the end of a range a CPU may still go by what its TLB holds, and write to a page that is write
   * protected by then (s1 of the golden traces has it, under fork). The memory manager flushes it soon after.
   */
  readonly flush: number;
  /** Likewise under fork, which flushes when it has been through all memory. */
  readonly forkFlush: number;
  /** From the time of a `pages` event, which is taken before, until its pages have been looked at. */
  readonly look: number;
  /**
   * After memory has become a ring, a range over it may be under way that began before, when it was none and
   * nobody told of it.
   */
  readonly setUp: number;
  /**
   * Whether callbacks and attempts to map take time, up to what shows that they are over; and accesses, from the time
   * of their event on. Else each is over in the moment in which it is told (at-once.ts).
   */
  readonly calls: boolean;
}

export const USUAL_DELAYS: Delays = {
  flush: 10_000_000,
  forkFlush: 100_000_000,
  look: 100_000_000,
  setUp: 100_000_000,
  calls: true,
};

/** As if nothing took time: for what is likely, not for what is sure. */
export const NO_DELAYS: Delays = { flush: 0, forkFlush: 0, look: 0, setUp: 0, calls: false };

/**
 * A range is entered over an area, or ends: what was known of its pages says nothing any more.
 *
 * @param time of the event, ns
 */
export function disturbEvidence(
  state: VirtqueueState,
  slot: number,
  cause: number,
  time: number,
  delays: Delays,
): void {
  forgetEvidence(state, slot);
  // What is only write protected can still be read.
  if ((slot & 3) !== USED && (cause === PROTECTION_PAGE || cause === SOFT_DIRTY)) return;
  const flushedAt = time + (cause === PROTECTION_PAGE ? delays.forkFlush : delays.flush);
  if (flushedAt > state.flushedAt[slot]) state.flushedAt[slot] = flushedAt;
}

/** What was known of the pages of an area says nothing any more. */
export function forgetEvidence(state: VirtqueueState, slot: number): void {
  state.allCopied[slot] = 0;
  state.copiedCount[slot] = 0;
  state.contiguity[slot] = CONTIGUITY_UNKNOWN;
  state.looked[slot] = NO_OUTCOME;
}

/** A `pages` event: the page table was looked at, and no range over the area is under way. */
export function seePages(
  state: VirtqueueState,
  batch: EventBatch,
  i: number,
  slot: number,
  delays: Delays,
): void {
  const { details } = batch;
  const detail = batch.detail[i];
  const time = nanoseconds(batch.time[2 * i], batch.time[2 * i + 1]);
  if (!hasDetail(details, detail, 'contiguous') || time < state.watchedFrom[slot]) return;
  const { pagesGot, pagesWanted: spanned, contiguous } = details;
  if (contiguous[detail] === 1) {
    state.contiguity[slot] = CONTIGUOUS;
    // Until they were looked at, pages may have been missing; they follow each other since there are any.
    state.contiguousAt[slot] = time + delays.look;
  } else if (
    pagesGot[detail] === spanned[detail] &&
    // The design asks for fewer pages than an area has that does not begin with a page (reference §3.1).
    state.sized[slot] === RANGE_SET &&
    spanned[detail] === pagesWanted(bytesOf(state, slot))
  ) {
    state.contiguity[slot] = SCATTERED;
  }
}

/**
 * What the copies of a round tell, of an area over which no range was under way since the round began.
 *
 * @param heads taken in the round
 * @param used entries put in the round
 */
export function learnFromCopies(
  state: VirtqueueState,
  slot: number,
  num: number,
  before: RingWord,
  after: RingWord,
  heads: number,
  used: number,
): void {
  if (state.sized[slot] !== RANGE_SET || state.allCopied[slot] === 1) return;
  const area = slot & 3;
  const offset = offsetOf(state, slot);
  const bytes = bytesOf(state, slot);
  if (area === DESC) {
    // Which descriptors were read is not known.
    if (heads > 0 && offset + bytes <= PAGE_BYTES) state.allCopied[slot] = 1;
    return;
  }
  const isIndexCopied =
    area === USED ? used > 0 : before.availIdx !== after.availIdx && after.availIdx !== 0;
  if (!isIndexCopied) return;
  const wanted = pagesWanted(bytes);
  const isFirstPage = offset + INDEX_AT + INDEX_BYTES <= PAGE_BYTES;
  if (wanted === 1) {
    if (isFirstPage) state.allCopied[slot] = 1;
    return;
  }
  // In order no avail entry is read, and one used element stands for many (reference §4.7).
  if (before.inOrder) return;
  const from = area === AVAIL ? before.lastAvailIdx : before.lastUsedIdx;
  const entries = area === AVAIL ? heads : used;
  // Rounds go on where the one before ended, unless the driver set the index anew.
  const isNext = state.copiedCount[slot] > 0 && state.copiedTo[slot] === from;
  if (!isNext) {
    state.copiedFrom[slot] = from;
    state.copiedCount[slot] = 0;
  }
  state.copiedTo[slot] = (from + entries) & 0xffff;
  state.copiedCount[slot] = Math.min(0x1_0000, state.copiedCount[slot] + entries);
  const { copiedFrom, copiedCount } = state;
  if (
    isFirstPage &&
    coversPages(ENTRY_BYTES[area], offset, wanted, num, copiedFrom[slot], copiedCount[slot])
  )
    state.allCopied[slot] = 1;
}

/**
 * Whether entries `from` to `from + count` (modulo `num`) of a ring touch each of its pages but the first,
 * which its index is in.
 *
 * @param entryBytes of one entry; the first stands 4 bytes behind the beginning
 * @param offset of the ring's beginning in its first page
 * @param pages that have to be touched
 */
export function coversPages(
  entryBytes: number,
  offset: number,
  pages: number,
  num: number,
  from: number,
  count: number,
): boolean {
  for (let page = 1; page < pages; page++) {
    const begin = page * PAGE_BYTES - offset - ENTRIES_AT;
    const lowest = Math.max(0, Math.floor(begin / entryBytes));
    const highest = Math.min(num - 1, Math.floor((begin + PAGE_BYTES - 1) / entryBytes));
    if (highest < lowest || !isAnyCopied(lowest, highest, num, from, count)) return false;
  }
  return true;
}

/** Whether any of the entries `lowest` to `highest` is among `count` entries from `from` on. */
function isAnyCopied(
  lowest: number,
  highest: number,
  num: number,
  from: number,
  count: number,
): boolean {
  if (count >= num) return true;
  const first = from % num;
  // The first of them at or after `first`, going round.
  const distance = first >= lowest && first <= highest ? 0 : (lowest - first + num) % num;
  return distance < count;
}
