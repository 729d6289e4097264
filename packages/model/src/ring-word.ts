/**
 * The state of a virtqueue that decides which accessors run (reference §4), packed into 64 bits: what the
 * recording program reads at the beginning and at the end of a round travels as one number each.
 *
 * The layout is part of the trace format.
 */

/** First bit of each 16-bit index. */
export const RING_WORD_INDEX = { lastAvailIdx: 0, availIdx: 16, lastUsedIdx: 32 } as const;

/** Bit of each flag. */
export const RING_WORD_FLAG = {
  /** VRING_USED_F_NO_NOTIFY in vq->used_flags. */
  noNotify: 48,
  signalledUsedValid: 49,
  /** vq->call_ctx has an eventfd. */
  callEventfd: 50,
  /** VIRTIO_RING_F_EVENT_IDX is acked. */
  eventIdx: 51,
  /** VIRTIO_F_NOTIFY_ON_EMPTY is acked. */
  notifyOnEmpty: 52,
  /** vq->iotlb is set: every accessor goes through the device IOTLB. */
  iotlb: 53,
  /** VIRTIO_F_IN_ORDER is acked, which only vhost of Linux 6.18 and newer lets a driver do. */
  inOrder: 54,
  /** vq->meta_iotlb of an area is set: the device IOTLB keeps a translation of all of it. */
  metaDesc: 55,
  metaAvail: 56,
  metaUsed: 57,
  /** Whether those three were read: recordings before they were have zeros there. */
  metaTold: 58,
  /** vq->busyloop_timeout is not 0: vhost-net polls the ring instead of waiting. In the word before a round only. */
  busyPoll: 59,
} as const;

/** A ring word, taken apart. Indices are 16 bit. */
export interface RingWord {
  lastAvailIdx: number;
  availIdx: number;
  lastUsedIdx: number;
  noNotify: boolean;
  signalledUsedValid: boolean;
  callEventfd: boolean;
  eventIdx: boolean;
  notifyOnEmpty: boolean;
  iotlb: boolean;
  inOrder: boolean;
  metaDesc: boolean;
  metaAvail: boolean;
  metaUsed: boolean;
  metaTold: boolean;
  busyPoll: boolean;
}

/** A ring word of zeros. */
export function createRingWord(): RingWord {
  return {
    lastAvailIdx: 0,
    availIdx: 0,
    lastUsedIdx: 0,
    noNotify: false,
    signalledUsedValid: false,
    callEventfd: false,
    eventIdx: false,
    notifyOnEmpty: false,
    iotlb: false,
    inOrder: false,
    metaDesc: false,
    metaAvail: false,
    metaUsed: false,
    metaTold: false,
    busyPoll: false,
  };
}

/**
 * Takes a ring word apart, given as two words of 32 bits. Bits that have no meaning yet are left alone.
 *
 * @param word to fill, so that none is allocated per event
 */
export function readRingWord(
  low: number,
  high: number,
  word: RingWord = createRingWord(),
): RingWord {
  word.lastAvailIdx = low & 0xffff;
  word.availIdx = low >>> 16;
  word.lastUsedIdx = high & 0xffff;
  word.noNotify = hasFlag(high, RING_WORD_FLAG.noNotify);
  word.signalledUsedValid = hasFlag(high, RING_WORD_FLAG.signalledUsedValid);
  word.callEventfd = hasFlag(high, RING_WORD_FLAG.callEventfd);
  word.eventIdx = hasFlag(high, RING_WORD_FLAG.eventIdx);
  word.notifyOnEmpty = hasFlag(high, RING_WORD_FLAG.notifyOnEmpty);
  word.iotlb = hasFlag(high, RING_WORD_FLAG.iotlb);
  word.inOrder = hasFlag(high, RING_WORD_FLAG.inOrder);
  word.metaDesc = hasFlag(high, RING_WORD_FLAG.metaDesc);
  word.metaAvail = hasFlag(high, RING_WORD_FLAG.metaAvail);
  word.metaUsed = hasFlag(high, RING_WORD_FLAG.metaUsed);
  word.metaTold = hasFlag(high, RING_WORD_FLAG.metaTold);
  word.busyPoll = hasFlag(high, RING_WORD_FLAG.busyPoll);
  return word;
}

function hasFlag(high: number, flag: number): boolean {
  return ((high >>> (flag - 32)) & 1) === 1;
}

/** Puts a ring word together. */
export function ringWord(word: RingWord): bigint {
  let bits = 0n;
  for (const [name, shift] of Object.entries(RING_WORD_INDEX))
    bits |= BigInt(word[name as keyof typeof RING_WORD_INDEX]) << BigInt(shift);
  for (const [name, bit] of Object.entries(RING_WORD_FLAG))
    if (word[name as keyof typeof RING_WORD_FLAG]) bits |= 1n << BigInt(bit);
  return bits;
}
