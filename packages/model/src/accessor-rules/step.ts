/** One access: from the possibilities before it to those after it. */
import {
  GET_AVAIL_FLAGS,
  GET_AVAIL_HEAD,
  GET_AVAIL_IDX,
  GET_DESC,
  GET_USED_EVENT,
  GET_USED_IDX,
  PUT_AVAIL_EVENT,
  PUT_USED,
  PUT_USED_FLAGS,
  PUT_USED_IDX,
} from './accessor-numbers.js';
import type { Automaton } from './automaton.js';
import { endChain } from './chain-lengths.js';
import {
  ANY,
  assign,
  BETWEEN,
  CHAIN,
  CHECK,
  DESC,
  EMPTY,
  ENABLE,
  FLUSH,
  FLUSH_PART,
  HEAD,
  IDLE,
  INDEX,
  INIT,
  LOOP,
  SIGNAL,
  SPLIT,
  START,
  TO_END_DISCARDED,
  TX_BATCH,
  TX_SINGLE,
  type Possibility,
} from './possibility.js';
import { disableNotify, endRound, fork, MOST_AHEAD, wait } from './handler-loop.js';
import {
  afterDescriptor,
  afterPut,
  afterSignal,
  afterCheck,
  enabled,
  expectDescriptor,
  expectHead,
  expectIndex,
  expectSecondPut,
  failed,
  foundNothing,
} from './silent-steps.js';
import {
  forgetUsedPosition,
  mayPutFirst,
  mayPutWhole,
  putFirst,
  putWhole,
} from './used-position.js';

/** HOT: fills `next` with what is possible after one access; false when nothing is. */
export function tryAccess(automaton: Automaton, accessor: number, entries: number): boolean {
  const { now } = automaton;
  automaton.next.count = 0;
  for (let i = 0; i < now.count; i++) {
    automaton.depth = 0;
    const member = now.members[i];
    if (member.phase === IDLE) call(automaton, fork(automaton, member), accessor, entries);
    else consume(automaton, fork(automaton, member), accessor, entries);
  }
  return automaton.next.count > 0;
}

/** HOT: what `tryAccess` found has happened. */
export function takeAccess(automaton: Automaton, accessor: number, entries: number): void {
  swap(automaton);
  const { chains, openPut, used } = automaton;
  if (accessor === GET_DESC) chains.open++;
  else if (chains.open > 0) endChain(chains);
  // After a failed put the kernel's place is not what the puts add up to.
  if (automaton.failures) return;
  if (openPut > 0) {
    if (accessor === PUT_USED) putFirst(used, openPut);
    else putWhole(used, openPut);
    automaton.openPut = 0;
  }
  if (accessor === PUT_USED) automaton.openPut = entries;
  else if (accessor === GET_USED_IDX) forgetUsedPosition(used);
}

/** What was found possible is what is. */
export function swap(automaton: Automaton): void {
  const { now, next } = automaton;
  automaton.now = next;
  automaton.next = now;
}

/** HOT: an access while the handler, or an exported function, waits for it. */
function consume(automaton: Automaton, p: Possibility, accessor: number, entries: number): void {
  switch (p.phase) {
    case BETWEEN:
      if (accessor === PUT_USED_FLAGS) initAccess(automaton, p);
      return;
    case START:
      if (accessor === PUT_USED_FLAGS) disableNotify(automaton, disabled(p));
      return;
    case LOOP:
      getDescriptor(automaton, p, accessor);
      return;
    case HEAD:
      if (accessor === GET_AVAIL_HEAD) expectDescriptor(automaton, p);
      return;
    case DESC:
    case CHAIN:
      if (accessor !== GET_DESC) return;
      p.chain++;
      afterDescriptor(automaton, p);
      return;
    case CHECK:
      if (accessor === GET_AVAIL_IDX) afterCheck(automaton, p);
      return;
    case EMPTY:
      enableNotify(automaton, p, accessor);
      return;
    case ENABLE:
      if (accessor === GET_AVAIL_IDX) enabled(automaton, p);
      return;
    case FLUSH:
    case FLUSH_PART:
      if (accessor === PUT_USED) put(automaton, p, entries);
      return;
    case SPLIT:
      if (accessor === PUT_USED) putRest(automaton, p, entries);
      return;
    case INDEX:
      if (accessor === PUT_USED_IDX) afterPut(automaton, p);
      return;
    case SIGNAL:
      if (accessor === signalAccessor(p)) afterSignal(automaton, p);
      return;
    case INIT:
      if (accessor === GET_USED_IDX) initialised(automaton, p);
      return;
  }
}

/** HOT: the first access of a call, when any exported function may be called (reference §4.1–§4.5). */
function call(automaton: Automaton, p: Possibility, accessor: number, entries: number): void {
  switch (accessor) {
    case GET_AVAIL_IDX:
      // vhost_get_vq_desc or vhost_vq_avail_empty. aheadMost counts what discarding would add.
      if (p.aheadLeast > 0) return;
      p.aheadMost = automaton.failures ? MOST_AHEAD : p.heldMost + automaton.num;
      wait(automaton, p, IDLE);
      return;
    case GET_AVAIL_HEAD:
      if (p.aheadMost > 0) expectDescriptor(automaton, p);
      return;
    case PUT_USED:
      p.heldLeast = 0;
      put(automaton, p, entries);
      return;
    case PUT_USED_FLAGS: {
      initAccess(automaton, fork(automaton, p));
      if (p.eventIdx === 1) return;
      const enable = p.noNotify === 1;
      p.noNotify = enable ? 0 : 1;
      if (enable && automaton.failures) wait(automaton, fork(automaton, p), IDLE);
      wait(automaton, p, enable ? ENABLE : IDLE);
      return;
    }
    case PUT_AVAIL_EVENT:
      // With EVENT_IDX vhost_disable_notify does not show.
      if (p.eventIdx === 0) return;
      if (automaton.failures) wait(automaton, fork(automaton, p), IDLE);
      wait(automaton, p, ENABLE);
      return;
    case GET_AVAIL_FLAGS:
    case GET_USED_EVENT:
      if (accessor !== signalAccessor(p) || p.call === 0) return;
      if (p.notifyOnEmpty === 1 && p.aheadMost === 0) return;
      wait(automaton, p, IDLE);
      return;
  }
}

const signalAccessor = (p: Possibility): number =>
  p.eventIdx === 1 ? GET_USED_EVENT : GET_AVAIL_FLAGS;

function disabled(p: Possibility): Possibility {
  p.noNotify = 1;
  return p;
}

/** The first access of vhost_get_vq_desc: none of the index while the cached one is ahead (§4.1). */
function getDescriptor(automaton: Automaton, p: Possibility, accessor: number): void {
  if (accessor === GET_AVAIL_HEAD) {
    if (p.aheadMost === 0) return;
    p.aheadLeast = Math.max(1, p.aheadLeast);
    expectDescriptor(automaton, p);
  } else if (accessor === GET_AVAIL_IDX && p.aheadLeast === 0) {
    if (automaton.failures) {
      const wrong = fork(automaton, p);
      wrong.aheadMost = MOST_AHEAD;
      failed(automaton, wrong);
    }
    foundNothing(automaton, fork(automaton, p));
    p.aheadMost = automaton.num;
    expectHead(automaton, p);
  }
}

/** vhost_enable_notify writes the flags, or the event index with EVENT_IDX (reference §4.4). */
function enableNotify(automaton: Automaton, p: Possibility, accessor: number): void {
  if (accessor !== (p.eventIdx === 1 ? PUT_AVAIL_EVENT : PUT_USED_FLAGS)) return;
  p.noNotify = 0;
  if (automaton.failures) failed(automaton, fork(automaton, p));
  wait(automaton, p, ENABLE);
}

/** vhost_add_used_n: one put, or two when the ring ends within it (reference §4.2). */
function put(automaton: Automaton, p: Possibility, entries: number): void {
  const all = p.phase !== FLUSH_PART;
  if (entries < 1 || entries > p.heldMost) return;
  const { used } = automaton;
  if (entries < p.heldMost && mayPutFirst(used, entries)) {
    const cut = fork(automaton, p);
    takeHeld(cut, entries);
    expectSecondPut(automaton, cut);
  }
  if (p.heldLeast - entries > (all ? 0 : p.open)) return;
  if (!mayPutWhole(used, entries)) return;
  takeHeld(p, entries);
  expectIndex(automaton, p);
}

/** The put after the end of the ring, from its first entry on. */
function putRest(automaton: Automaton, p: Possibility, entries: number): void {
  if (entries < 1 || entries > p.heldMost || entries > automaton.num) return;
  if (p.heldLeast - entries > (p.after === TO_END_DISCARDED ? p.open : 0)) return;
  takeHeld(p, entries);
  expectIndex(automaton, p);
}

function takeHeld(p: Possibility, entries: number): void {
  p.heldLeast = Math.max(0, p.heldLeast - entries);
  p.heldMost -= entries;
  // With any caller, aheadMost is what would be ahead if all held heads were discarded.
  if (p.role === ANY) p.aheadMost -= entries;
}

/** vhost_vq_init_access: the flags, then the used index (reference §4.5). */
function initAccess(automaton: Automaton, p: Possibility): void {
  if (automaton.failures) wait(automaton, fork(automaton, p), p.phase);
  wait(automaton, p, INIT);
}

/** A backend is attached: what only a detached one lets be changed may have changed. */
function initialised(automaton: Automaton, p: Possibility): void {
  p.signalledValid = 0;
  // VHOST_SET_VRING_BASE makes the cached index that of the next head; with no backend it may run.
  p.aheadLeast = 0;
  for (let choice = 0; choice < 4; choice++) {
    const other = assign(automaton.scratch[automaton.depth], p);
    other.call = choice & 1;
    other.notifyOnEmpty = choice >> 1;
    endRoundOfRoles(automaton, other);
  }
}

/** Another socket may have another limit of its send buffer. */
function endRoundOfRoles(automaton: Automaton, p: Possibility): void {
  if (p.role !== TX_BATCH && p.role !== TX_SINGLE) {
    endAttached(automaton, p);
    return;
  }
  p.role = TX_BATCH;
  endAttached(automaton, p);
  p.role = TX_SINGLE;
  endAttached(automaton, p);
}

function endAttached(automaton: Automaton, p: Possibility): void {
  // Heads that a caller unknown to us holds stay held.
  if (p.role === ANY) wait(automaton, p, IDLE);
  else endRound(automaton, p);
}
