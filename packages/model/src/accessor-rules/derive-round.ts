/**
 * How often a round ran each accessor, from the state of the ring before and after it (reference §4, §4.6).
 * What the two states do not determine is a span; what lies between its ends is not known.
 */
import { HANDLERS } from '../event-fields.js';
import { ACCESSOR_SPAN } from '../ring.js';
import type { RingWord } from '../ring-word.js';
import {
  GET_AVAIL_FLAGS,
  GET_AVAIL_HEAD,
  GET_AVAIL_IDX,
  GET_DESC,
  GET_USED_EVENT,
  PUT_AVAIL_EVENT,
  PUT_USED,
  PUT_USED_FLAGS,
  PUT_USED_IDX,
} from './accessor-numbers.js';
import { MAX_NUM, MOST_HEADS_OF_PACKET, NET_BATCH, type AccessorRules } from './rule-sets.js';

/** What `round_end` tells, and what is usual for the virtqueue. */
export interface EndedRound {
  /** Index in HANDLERS. */
  readonly handler: number;
  readonly num: number;
  /** Descriptors of the first chain that waited; 0 when none did or it was not read. */
  readonly chain: number;
  /** Descriptors of a chain where the round does not tell: for the estimate only. */
  readonly usualChain: number;
  readonly before: RingWord;
  readonly after: RingWord;
  /** What the device IOTLB had no translation of: NOTHING_MISSED, BUFFER_MISSED, RING_MISSED or EITHER_MISSED. */
  readonly missed: number;
}

export const NOTHING_MISSED = 0;
/** Of a buffer: its head was read, and stays to be read again. */
export const BUFFER_MISSED = 1;
/** Of the ring: vq_meta_prefetch failed, and the handler left without an access (reference §1.3). */
export const RING_MISSED = 2;
/** Which of the two is not known. */
export const EITHER_MISSED = 3;

/** Accesses by accessor number: at least, at most (Infinity: nothing bounds it), and a good guess. */
export interface RoundCounts {
  readonly least: Float64Array;
  readonly most: Float64Array;
  readonly estimate: Float64Array;
}

export function createRoundCounts(): RoundCounts {
  return {
    least: new Float64Array(ACCESSOR_SPAN),
    most: new Float64Array(ACCESSOR_SPAN),
    estimate: new Float64Array(ACCESSOR_SPAN),
  };
}

/** By their places in HANDLERS. */
export const [OTHER, NET_RX, NET_TX, VSOCK] = HANDLERS.keys();

/** Longest chain that the recording program counts; it tells one more for all that are longer. */
export const LONGEST_CHAIN = 7;

/** Heads taken in a round: how far last_avail_idx moved. */
export function headsOf({ before, after }: Pick<EndedRound, 'before' | 'after'>): number {
  return (after.lastAvailIdx - before.lastAvailIdx) & 0xffff;
}

/** Used entries put in a round. */
export function usedOf({ before, after }: Pick<EndedRound, 'before' | 'after'>): number {
  return (after.lastUsedIdx - before.lastUsedIdx) & 0xffff;
}

/** Entries by which the cached avail index moved: what reads of it found to be new. */
export function foundOf({ before, after }: Pick<EndedRound, 'before' | 'after'>): number {
  return (after.availIdx - before.availIdx) & 0xffff;
}

/**
 * Whether the handler polls its ring, and the other one of its device, as long as busyloop_timeout says: it looks for
 * more without bound. What it accesses of the other one is not of this round, nor of one of that.
 */
export function pollsBusily({ handler, before }: Pick<EndedRound, 'handler' | 'before'>): boolean {
  return before.busyPoll && (handler === NET_RX || handler === NET_TX);
}

/**
 * Fills `counts`. Taken for granted: vhost-net does not send without copying, no copy from or to the ring fails, and
 * less than 65,536 entries pass in a round.
 *
 * Called once a round: allocates nothing.
 */
export function deriveRound(rules: AccessorRules, round: EndedRound, counts: RoundCounts): void {
  counts.least.fill(0);
  counts.most.fill(0);
  counts.estimate.fill(0);
  const { before, after, handler, missed } = round;
  if (missed === RING_MISSED) return;
  const heads = headsOf(round);
  const found = foundOf(round);
  const ahead = (before.availIdx - before.lastAvailIdx) & 0xffff;
  const fresh = Math.max(0, heads - ahead);
  // The handler left because the ring ran dry: only vhost_enable_notify lets notifications in.
  const ranDry = !after.noNotify;
  const woken = mostWoken(rules, handler, found, fresh, heads, ranDry);

  countNotifications(counts, before, ranDry, woken);
  countIndexReads(counts, rules, { handler, heads, fresh, found, woken, ranDry });
  countHeads(counts, round, heads, found, ahead, woken, ranDry);
  countUsed(counts, round);
  if (handler === NET_RX && rules.enableComparesWith === 'consumed' && ahead + found > 0)
    // A ring with too few heads for a packet is looked at again and again (reference §4.4).
    for (const accessor of [
      GET_AVAIL_IDX,
      ...(before.inOrder ? [] : [GET_AVAIL_HEAD]),
      GET_DESC,
      before.eventIdx ? PUT_AVAIL_EVENT : PUT_USED_FLAGS,
    ])
      counts.most[accessor] = Infinity;
  if (pollsBusily(round)) counts.most[GET_AVAIL_IDX] = Infinity;
  if (missed === EITHER_MISSED) counts.least.fill(0);
}

function set(
  { least, most, estimate }: RoundCounts,
  accessor: number,
  low: number,
  high: number,
  guess: number = low,
): void {
  least[accessor] = low;
  most[accessor] = high;
  estimate[accessor] = Math.min(Math.max(guess, low), high);
}

/** How often vhost_enable_notify found more, at most: each time the index had moved. */
function mostWoken(
  rules: AccessorRules,
  handler: number,
  found: number,
  fresh: number,
  heads: number,
  ranDry: boolean,
): number {
  // A head was taken each time; the last of all may have been given back.
  if (handler === NET_TX || handler === VSOCK) return Math.min(found, fresh + (ranDry ? 0 : 1));
  // rx may still have had too few. Where the index is not kept, another packet may not have needed it.
  return rules.enableCachesIndex ? found : found + heads + 1;
}

/** vhost_disable_notify and vhost_enable_notify (reference §4.4, §4.5). */
function countNotifications(
  counts: RoundCounts,
  before: RingWord,
  ranDry: boolean,
  woken: number,
): void {
  const enabled = ranDry ? 1 : 0;
  if (before.eventIdx) {
    set(counts, PUT_AVAIL_EVENT, enabled, enabled + woken);
    return;
  }
  const disabled = before.noNotify ? 0 : 1;
  set(counts, PUT_USED_FLAGS, disabled + enabled, disabled + enabled + 2 * woken);
}

interface Progress {
  readonly handler: number;
  readonly heads: number;
  readonly fresh: number;
  readonly found: number;
  readonly woken: number;
  readonly ranDry: boolean;
}

/** Each read of the index either finds it moved, or ends a step of the handler's loop. */
function countIndexReads(
  counts: RoundCounts,
  rules: AccessorRules,
  { handler, heads, fresh, found, woken, ranDry }: Progress,
): void {
  const first = fresh > 0 ? 1 : 0;
  // vhost_get_vq_desc found the ring empty, and vhost_enable_notify looked again.
  const last = ranDry ? 2 : 0;
  const emptyReads = woken + 1;
  const enableReads = rules.enableCachesIndex ? 1 : woken + 1;
  // vhost_vq_avail_empty, where the socket limits what is sent.
  const emptyTests = handler === NET_TX ? heads + 1 : 0;
  const most = found + emptyReads + enableReads + emptyTests + (handler === OTHER ? heads + 1 : 0);
  // rx that found no packet has read nothing.
  set(counts, GET_AVAIL_IDX, Math.max(first, found > 0 ? 1 : 0) + last, most);
}

/** get_avail_head and get_desc: those of heads that were discarded and taken again count as often. */
function countHeads(
  counts: RoundCounts,
  round: EndedRound,
  heads: number,
  found: number,
  ahead: number,
  woken: number,
  ranDry: boolean,
): void {
  const { num, chain, usualChain } = round;
  const available = ahead + found;
  const discarded = mostDiscarded(round, available, woken, ranDry);
  // In order, a head is where the one before ended.
  if (round.before.inOrder) set(counts, GET_AVAIL_HEAD, 0, 0);
  else set(counts, GET_AVAIL_HEAD, heads, heads + discarded);
  const isCounted = chain > 0 && chain <= LONGEST_CHAIN;
  const longest = num > 0 ? num : MAX_NUM;
  if (heads === 0) {
    set(counts, GET_DESC, 0, discarded * longest);
    return;
  }
  const firstLeast = Math.max(1, chain);
  const firstMost = isCounted ? chain : longest;
  set(
    counts,
    GET_DESC,
    firstLeast + heads - 1,
    firstMost + (heads - 1 + discarded) * longest,
    heads * (chain > 0 ? chain : Math.max(1, usualChain)),
  );
}

/** Heads that were taken and given back, to be taken again later. */
function mostDiscarded(
  { handler, num, missed }: EndedRound,
  available: number,
  woken: number,
  ranDry: boolean,
): number {
  switch (handler) {
    case NET_RX:
      // Of a packet for which there were too few: vhost_enable_notify was called each time. Or a buffer of it was
      // missed by the device IOTLB, and the handler left.
      return (
        (woken + (ranDry ? 1 : 0) + (missed === NOTHING_MISSED ? 0 : 1)) * Math.min(available, num)
      );
    case OTHER:
      return available;
    default:
      // Where the ring ran dry no packet was given back.
      return ranDry ? 0 : Math.min(1, available);
  }
}

/** vhost_add_used_n and what signals it (reference §4.2, §4.3). */
function countUsed(counts: RoundCounts, round: EndedRound): void {
  const { handler, num, before } = round;
  const used = usedOf(round);
  if (used === 0) return;
  let fewest: number;
  let calls: number;
  switch (handler) {
    case NET_TX:
      // A batch is put when it is full, at the end, and before a packet that does not fit into one.
      fewest = Math.ceil(used / NET_BATCH);
      calls = used;
      break;
    case NET_RX:
      // After the packet with which more than a batch is held: packets may take many heads.
      fewest = Math.ceil(used / (NET_BATCH + MOST_HEADS_OF_PACKET));
      // Before it polls, it puts what it holds.
      calls = before.busyPoll ? used : Math.ceil(used / (NET_BATCH + 1));
      break;
    case VSOCK:
      fewest = used;
      calls = used;
      break;
    default:
      fewest = 1;
      calls = used;
  }
  const usual = handler === NET_TX ? fewest : calls;
  set(counts, PUT_USED_IDX, fewest, calls, usual);
  countSignals(counts, round, fewest, calls, usual);
  if (before.inOrder) {
    // One element for all buffers of a batch (tx), or of a packet (rx): by itself, also where the ring ends.
    set(counts, PUT_USED, fewest, used, handler === NET_TX ? fewest : used);
    return;
  }
  // Ends of the ring within the entries put: a put stops there.
  const start = num > 0 ? before.lastUsedIdx % num : 0;
  const wraps = num > 0 ? Math.floor((start + used - 1) / num) : 0;
  set(
    counts,
    PUT_USED,
    fewest === 1 && calls === 1 ? 1 + wraps : Math.max(fewest, wraps + 1),
    Math.min(used, calls + wraps),
    usual + wraps,
  );
}

function countSignals(
  counts: RoundCounts,
  { handler, before, after }: EndedRound,
  fewest: number,
  calls: number,
  usual: number,
): void {
  if (!before.callEventfd && !after.callEventfd) return;
  const isCertain = before.callEventfd && after.callEventfd;
  // vsock signals once, other callers as they please.
  const [low, high, guess] =
    handler === VSOCK ? [1, 1, 1] : handler === OTHER ? [0, calls, usual] : [fewest, calls, usual];
  const accessor = before.eventIdx ? GET_USED_EVENT : GET_AVAIL_FLAGS;
  // The first signal after a backend was attached asks for nothing.
  const free = before.eventIdx && !before.signalledUsedValid ? 1 : 0;
  const least = isCertain && !before.notifyOnEmpty ? Math.max(0, low - free) : 0;
  set(counts, accessor, least, Math.max(0, high - free), guess - free);
}
