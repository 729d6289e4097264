/**
 * One thing that the kernel may be doing: a state of the nondeterministic automaton. It holds what a
 * trace does not show of a virtqueue. Each waits for one kind of access, or stands between rounds;
 * what the kernel does without an access has been gone through before (`silent-steps.ts`).
 */

/** What a possibility waits for. */
export const PHASES = [
  'between', // between the rounds of vhost-net: a mark, or vhost_vq_init_access
  'idle', // between calls of exported functions, when the handler is not known
  'start', // a round began: vhost_disable_notify
  'loop', // top of the handler's loop: vhost_get_vq_desc
  'head', // vhost_get_vq_desc knows of a head: get_avail_head
  'desc', // first descriptor of the chain
  'chain', // one more descriptor of the chain
  'check', // handle_tx asks vhost_vq_avail_empty after a packet
  'empty', // vhost_get_vq_desc found nothing: vhost_enable_notify
  'enable', // vhost_enable_notify has put: get_avail_idx
  'flush', // put_used of all held heads
  'flush_part', // the same, but heads that were discarded are not put
  'split', // the second put_used of a put that passes the end of the ring
  'index', // put_used_idx
  'signal', // vhost_notify reads flags or event
  'init', // vhost_vq_init_access has put the flags: get_used_idx
] as const;
export type Phase = (typeof PHASES)[number];

export const BETWEEN = 0;
export const IDLE = 1;
export const START = 2;
export const LOOP = 3;
export const HEAD = 4;
export const DESC = 5;
export const CHAIN = 6;
export const CHECK = 7;
export const EMPTY = 8;
export const ENABLE = 9;
export const FLUSH = 10;
export const FLUSH_PART = 11;
export const SPLIT = 12;
export const INDEX = 13;
export const SIGNAL = 14;
export const INIT = 15;

/** Who calls the exported functions on the virtqueue. */
export const ROLES = ['any', 'rx', 'tx_batch', 'tx_single'] as const;
export type Role = (typeof ROLES)[number];

/** Any caller, in any order. */
export const ANY = 0;
/** handle_rx of vhost-net. */
export const RX = 1;
/** handle_tx_copy, the socket's send buffer unlimited: packets are sent in batches. */
export const TX_BATCH = 2;
/** handle_tx_copy, the send buffer limited: vhost_vq_avail_empty after every packet. */
export const TX_SINGLE = 3;

/** Where the handler goes on after used heads were put. */
export const TO_CALLER = 0;
export const TO_END = 1;
/** To the end of the round; the heads that are still held were discarded before (reference §4.5). */
export const TO_END_DISCARDED = 2;
export const TO_LOOP = 3;
/** To the packet whose head was fetched before the flush. */
export const TO_PACKET = 4;

export interface Possibility {
  phase: number;
  role: number;
  /** VIRTIO_RING_F_EVENT_IDX is acked. */
  eventIdx: number;
  /** VIRTIO_F_NOTIFY_ON_EMPTY is acked. */
  notifyOnEmpty: number;
  /** There is a call eventfd. */
  call: number;
  /** VRING_USED_F_NO_NOTIFY in vq->used_flags. */
  noNotify: number;
  /** vq->signalled_used_valid. */
  signalledValid: number;
  /** Where to go on after the flush under way. */
  after: number;
  /** Heads fetched and neither put nor discarded, both inclusive. */
  heldLeast: number;
  heldMost: number;
  /** Of the held heads, those that may belong to a packet of handle_rx still short of heads, at most. */
  open: number;
  /** avail_idx - last_avail_idx: heads that the cached index is ahead, both inclusive. */
  aheadLeast: number;
  aheadMost: number;
  /** Descriptors of the chain so far. */
  chain: number;
  /** Packets that handle_tx has taken in this round. */
  packets: number;
}

export function createPossibility(): Possibility {
  return {
    phase: BETWEEN,
    role: ANY,
    eventIdx: 0,
    notifyOnEmpty: 0,
    call: 0,
    noNotify: 0,
    signalledValid: 0,
    after: TO_CALLER,
    heldLeast: 0,
    heldMost: 0,
    open: 0,
    aheadLeast: 0,
    aheadMost: 0,
    chain: 0,
    packets: 0,
  };
}

/** HOT: overwrites a possibility with another; allocates nothing. */
export function assign(to: Possibility, from: Possibility): Possibility {
  to.phase = from.phase;
  to.role = from.role;
  to.eventIdx = from.eventIdx;
  to.notifyOnEmpty = from.notifyOnEmpty;
  to.call = from.call;
  to.noNotify = from.noNotify;
  to.signalledValid = from.signalledValid;
  to.after = from.after;
  to.heldLeast = from.heldLeast;
  to.heldMost = from.heldMost;
  to.open = from.open;
  to.aheadLeast = from.aheadLeast;
  to.aheadMost = from.aheadMost;
  to.chain = from.chain;
  to.packets = from.packets;
  return to;
}

/** A set of possibilities. Its members are reused: only the first `count` count. */
export interface PossibilitySet {
  count: number;
  readonly members: Possibility[];
}

/** Members from which on a set gives up telling numbers of held heads apart. */
const MANY = 256;

function sameControl(a: Possibility, b: Possibility): boolean {
  return (
    a.phase === b.phase &&
    a.role === b.role &&
    a.eventIdx === b.eventIdx &&
    a.notifyOnEmpty === b.notifyOnEmpty &&
    a.call === b.call &&
    a.noNotify === b.noNotify &&
    a.signalledValid === b.signalledValid &&
    a.after === b.after
  );
}

const sameHeld = (a: Possibility, b: Possibility): boolean =>
  a.heldLeast === b.heldLeast && a.heldMost === b.heldMost;

/**
 * HOT: puts a copy into the set. One that differs from a member only in its bounds widens it: that
 * may accept more, never less, and it bounds the set, as there are finitely many of the rest.
 */
export function keep(set: PossibilitySet, found: Possibility): void {
  const { members, count } = set;
  for (let i = 0; i < count; i++) {
    const member = members[i];
    if (!sameControl(member, found)) continue;
    if (count < MANY && !sameHeld(member, found)) continue;
    member.heldLeast = Math.min(member.heldLeast, found.heldLeast);
    member.heldMost = Math.max(member.heldMost, found.heldMost);
    member.open = Math.max(member.open, found.open);
    member.aheadLeast = Math.min(member.aheadLeast, found.aheadLeast);
    member.aheadMost = Math.max(member.aheadMost, found.aheadMost);
    member.chain = Math.min(member.chain, found.chain);
    member.packets = Math.min(member.packets, found.packets);
    return;
  }
  // Grows to the most that were ever possible at once, then never again.
  if (count === members.length) members.push(createPossibility());
  assign(members[count], found);
  set.count++;
}

/** A copy that goes its own way. */
export function copySet(set: PossibilitySet): PossibilitySet {
  return {
    count: set.count,
    members: set.members.slice(0, set.count).map((member) => ({ ...member })),
  };
}
