/**
 * What the kernel does without an access: from a possibility to all those that wait for one. Every
 * choice that a trace does not show is made here, and both ways are kept.
 *
 * Each function may change the possibility that it is given; who needs it afterwards passes a fork.
 */
import type { Automaton } from './automaton.js';
import {
  disableNotify,
  endRound,
  flush,
  fork,
  leave,
  leaveDiscarding,
  loop,
  MOST_AHEAD,
  takeBack,
  wait,
} from './handler-loop.js';
import {
  ANY,
  CHAIN,
  CHECK,
  DESC,
  EMPTY,
  HEAD,
  IDLE,
  INDEX,
  RX,
  SIGNAL,
  SPLIT,
  TO_CALLER,
  TO_END,
  TO_END_DISCARDED,
  TO_LOOP,
  TO_PACKET,
  TX_BATCH,
  TX_SINGLE,
  type Possibility,
} from './possibility.js';
import { NET_PACKET_WEIGHT } from './rule-sets.js';

/** get_avail_head is next; a head that is out of range would end the call (reference §4.1). */
export function expectHead(automaton: Automaton, p: Possibility): void {
  p.aheadLeast = Math.max(1, p.aheadLeast);
  wait(automaton, p, HEAD);
}

/** get_avail_head was read. */
export function expectDescriptor(automaton: Automaton, p: Possibility): void {
  p.chain = 0;
  if (automaton.failures) failed(automaton, fork(automaton, p));
  wait(automaton, p, DESC);
}

/** A descriptor was read: the chain goes on or is complete. */
export function afterDescriptor(automaton: Automaton, p: Possibility): void {
  if (p.chain < Math.min(automaton.mostDescriptors, automaton.num)) {
    wait(automaton, fork(automaton, p), CHAIN);
  }
  // A buffer that the device IOTLB does not know ends the call: no failure of the ring.
  if (automaton.failures || automaton.iotlb) failed(automaton, fork(automaton, p));
  p.chain = 0;
  fetched(automaton, p);
}

/** vhost_get_vq_desc failed. last_avail_idx is as before, and so is what the cache is ahead. */
export function failed(automaton: Automaton, p: Possibility): void {
  p.chain = 0;
  if (p.role === ANY) wait(automaton, p, IDLE);
  else if (p.role === RX) leaveDiscarding(automaton, p);
  else leave(automaton, p);
}

/** vhost_get_vq_desc returned a head. */
function fetched(automaton: Automaton, p: Possibility): void {
  const unread = fork(automaton, p);
  p.aheadLeast = Math.max(0, p.aheadLeast - 1);
  if (p.role === ANY) {
    // aheadMost counts what discarding all held heads would add, so a fetch leaves it as it is.
    p.heldMost = Math.min(p.heldMost + 1, p.aheadMost);
    wait(automaton, p, IDLE);
    return;
  }
  p.aheadMost--;
  if (p.role === RX) {
    p.heldLeast++;
    p.heldMost++;
    p.open++;
    if (automaton.failures) {
      // recvmsg gave another length than was peeked: the packet's heads are discarded.
      const short = fork(automaton, p);
      short.aheadMost = Math.min(MOST_AHEAD, short.aheadMost + short.open);
      short.heldLeast = Math.max(0, short.heldLeast - short.open);
      short.open = 0;
      loop(automaton, short);
    }
    loop(automaton, p);
    return;
  }
  if (p.role === TX_SINGLE && p.aheadLeast === 0) {
    const checked = fork(automaton, p);
    checked.aheadMost = 0;
    wait(automaton, checked, CHECK);
    // Beyond VHOST_NET_WEIGHT bytes the ring is not looked at, and the round ends.
    checked.heldLeast++;
    checked.heldMost++;
    leave(automaton, checked);
    if (p.aheadMost === 0) return;
    p.aheadLeast = 1;
    unread.aheadLeast = 2;
  }
  sent(automaton, p, unread);
}

/** handle_tx: the packet was sent, batched or given back; `unread` is the state before its fetch. */
function sent(automaton: Automaton, p: Possibility, unread: Possibility): void {
  // No room in the socket, or no memory for the packet: discarded, and the round ends.
  leave(automaton, unread);
  if (p.role === TX_BATCH) {
    // Too large for a batch: what is batched is flushed before the packet counts (net.c, -ENOSPC).
    flush(automaton, fork(automaton, p), TO_PACKET);
  }
  packetDone(automaton, p);
}

/** handle_tx after vhost_vq_avail_empty read the index, which is ahead by 0 to num. */
export function afterCheck(automaton: Automaton, p: Possibility): void {
  p.aheadLeast = 0;
  p.aheadMost = automaton.num;
  const unread = fork(automaton, p);
  unread.aheadLeast = 1;
  unread.aheadMost++;
  sent(automaton, p, unread);
}

/** handle_tx counts the packet and goes on while its weight allows. */
function packetDone(automaton: Automaton, p: Possibility): void {
  p.heldLeast++;
  p.heldMost++;
  p.packets++;
  leave(automaton, fork(automaton, p));
  if (p.packets < NET_PACKET_WEIGHT) loop(automaton, p);
}

/** vhost_get_vq_desc found nothing: vhost_enable_notify. */
export function foundNothing(automaton: Automaton, p: Possibility): void {
  p.aheadLeast = 0;
  p.aheadMost = 0;
  wait(automaton, p, EMPTY);
}

/** vhost_enable_notify has read the index (reference §4.4). */
export function enabled(automaton: Automaton, p: Possibility): void {
  const { enableCachesIndex, enableComparesWith } = automaton.rules;
  const { num } = automaton;
  if (p.role === ANY) {
    // What it answers is the caller's to use.
    if (enableCachesIndex) p.aheadMost = Math.min(MOST_AHEAD, p.heldMost + num);
    if (automaton.failures && enableCachesIndex) p.aheadMost = MOST_AHEAD;
    wait(automaton, p, IDLE);
    return;
  }
  const nothing = fork(automaton, p);
  if (enableComparesWith === 'cached') leaveDiscarding(automaton, nothing);
  else leave(automaton, nothing);
  if (automaton.failures && enableCachesIndex) {
    // Unreadable or out of range: which of the two answers is given, and what is cached, is open.
    const wrong = fork(automaton, p);
    wrong.aheadMost = MOST_AHEAD;
    leaveDiscarding(automaton, fork(automaton, wrong));
    wrong.heldLeast = Math.max(0, wrong.heldLeast - wrong.open);
    wrong.open = 0;
    disableNotify(automaton, wrong);
  }
  // There is more: new heads, or by the rules of 5.18 those that were discarded.
  if (p.open > 0) {
    const discarded = fork(automaton, p);
    discarded.heldLeast = Math.max(0, discarded.heldLeast - discarded.open);
    discarded.heldMost--;
    discarded.aheadLeast = enableCachesIndex && enableComparesWith === 'cached' ? 2 : 1;
    discarded.aheadMost = enableCachesIndex ? num : discarded.open;
    discarded.open = 0;
    disableNotify(automaton, discarded);
  }
  p.open = 0;
  p.aheadLeast = enableCachesIndex ? 1 : 0;
  p.aheadMost = enableCachesIndex ? num : 0;
  disableNotify(automaton, p);
}

/** A put_used that may be the last of its flush. */
export function expectIndex(automaton: Automaton, p: Possibility): void {
  if (automaton.failures && automaton.rules.failedPutSkipsIndex) {
    afterPut(automaton, fork(automaton, p));
  }
  wait(automaton, p, INDEX);
}

/** A put_used that the end of the ring cut. */
export function expectSecondPut(automaton: Automaton, p: Possibility): void {
  if (automaton.failures) afterPut(automaton, fork(automaton, p));
  wait(automaton, p, SPLIT);
}

/** vhost_add_used_n is over: vhost_signal, for those who call it at once (reference §4.3). */
export function afterPut(automaton: Automaton, p: Possibility): void {
  if (p.role === ANY) {
    p.after = TO_CALLER;
    wait(automaton, p, IDLE);
    return;
  }
  if (p.after === TO_END_DISCARDED) {
    takeBack(p);
    p.after = TO_END;
  }
  if (p.notifyOnEmpty === 1 && p.call === 1) {
    if (p.aheadLeast === 0) {
      const empty = fork(automaton, p);
      empty.aheadMost = 0;
      afterSignal(automaton, empty);
      if (p.aheadMost === 0) return;
      p.aheadLeast = 1;
    }
  }
  if (p.call === 0) {
    afterSignal(automaton, p);
  } else if (p.eventIdx === 1 && p.signalledValid === 0) {
    p.signalledValid = 1;
    afterSignal(automaton, p);
  } else {
    wait(automaton, p, SIGNAL);
  }
}

/** The flush is over. */
export function afterSignal(automaton: Automaton, p: Possibility): void {
  p.heldLeast = 0;
  p.heldMost = 0;
  p.open = 0;
  if (p.after === TO_LOOP) loop(automaton, p);
  else if (p.after === TO_PACKET) packetAlone(automaton, p);
  else endRound(automaton, p);
}

/** handle_tx sends the packet that was too large for a batch; the socket may not take it. */
function packetAlone(automaton: Automaton, p: Possibility): void {
  const unread = fork(automaton, p);
  unread.aheadLeast++;
  unread.aheadMost++;
  endRound(automaton, unread);
  packetDone(automaton, p);
}
