/**
 * How vhost-net's handlers begin a round, go round their loop and leave it, as far as no access shows
 * (reference §4.6). Each function may change the possibility that it is given; who needs it afterwards
 * passes a fork.
 */
import type { Automaton } from './automaton.js';
import {
  ANY,
  assign,
  BETWEEN,
  FLUSH,
  FLUSH_PART,
  IDLE,
  keep,
  LOOP,
  RX,
  START,
  TO_CALLER,
  TO_END,
  TO_END_DISCARDED,
  TO_LOOP,
  type Possibility,
} from './possibility.js';
import { MOST_HEADS_OF_PACKET, NET_BATCH } from './rule-sets.js';

/** Bound of index arithmetic: indices are 16 bit. */
export const MOST_AHEAD = 65_535;

/** A reused copy of a possibility, good until the end of the step. */
export function fork(automaton: Automaton, from: Possibility): Possibility {
  return assign(automaton.scratch[automaton.depth++], from);
}

/** Waits for an access in that phase. */
export function wait(automaton: Automaton, p: Possibility, phase: number): void {
  p.phase = phase;
  keep(automaton.next, p);
}

/** The round is over, and nothing is held. */
export function endRound(automaton: Automaton, p: Possibility): void {
  p.heldLeast = 0;
  p.heldMost = 0;
  p.open = 0;
  p.packets = 0;
  p.after = TO_CALLER;
  wait(automaton, p, p.role === ANY ? IDLE : BETWEEN);
}

/** vhost_disable_notify at the start of a round, or after vhost_enable_notify found more. */
export function disableNotify(automaton: Automaton, p: Possibility): void {
  if (p.eventIdx === 0 && p.noNotify === 0) {
    wait(automaton, p, START);
    return;
  }
  p.noNotify = 1;
  loop(automaton, p);
}

/** The top of the handler's loop, between packets. */
export function loop(automaton: Automaton, p: Possibility): void {
  p.after = TO_CALLER;
  if (p.role === RX) {
    // The socket ran dry, or the weight is reached: neither shows.
    leave(automaton, fork(automaton, p));
    flushBatch(automaton, p);
    if (p.heldLeast <= NET_BATCH + MOST_HEADS_OF_PACKET) wait(automaton, p, LOOP);
    return;
  }
  if (p.heldLeast === NET_BATCH) flush(automaton, p, TO_LOOP);
  else wait(automaton, p, LOOP);
}

/** handle_rx flushes when more than a batch is held after a packet (reference §4.6). */
function flushBatch(automaton: Automaton, p: Possibility): void {
  if (p.heldMost <= NET_BATCH) return;
  const full = fork(automaton, p);
  full.heldLeast = Math.max(full.heldLeast, NET_BATCH + 1);
  flush(automaton, full, TO_LOOP);
}

/** The handler leaves its loop and puts what it holds. */
export function leave(automaton: Automaton, p: Possibility): void {
  if (p.heldLeast === 0) endRound(automaton, fork(automaton, p));
  flush(automaton, p, TO_END);
}

/**
 * handle_rx leaves its loop after it discarded the heads of a packet that is short of heads: the
 * cached index is ahead by as many more (reference §4.1, §4.5).
 */
export function leaveDiscarding(automaton: Automaton, p: Possibility): void {
  if (p.heldLeast <= p.open) {
    const none = fork(automaton, p);
    takeBack(none);
    endRound(automaton, none);
  }
  if (p.heldMost === 0) return;
  p.after = TO_END_DISCARDED;
  wait(automaton, p, FLUSH_PART);
}

/** What is held was discarded, and is of the open packet: all else was put. */
export function takeBack(p: Possibility): void {
  p.aheadLeast += p.heldLeast;
  p.aheadMost = Math.min(MOST_AHEAD, p.aheadMost + Math.min(p.heldMost, p.open));
}

/** vhost_add_used_and_signal_n of all held heads, unless there is none. */
export function flush(automaton: Automaton, p: Possibility, after: number): void {
  if (p.heldMost === 0) return;
  p.after = after;
  wait(automaton, p, FLUSH);
}
