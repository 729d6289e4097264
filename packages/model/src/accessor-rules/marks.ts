/** Marks of a trace that are not accesses, and where the rules let them stand. */
import type { Automaton, Handlers } from './automaton.js';
import {
  ANY,
  BETWEEN,
  createPossibility,
  IDLE,
  keep,
  RX,
  TX_BATCH,
  TX_SINGLE,
  type Possibility,
} from './possibility.js';
import { MAX_NUM } from './rule-sets.js';
import { disableNotify, fork, wait } from './handler-loop.js';
import { createUsedPosition, forgetUsedPosition } from './used-position.js';

const BOTH = [0, 1] as const;
const NEITHER = [0] as const;

const ROLES_OF: Readonly<Record<Handlers, readonly number[]>> = {
  net: [RX, TX_BATCH, TX_SINGLE],
  net_rx: [RX],
  net_tx: [TX_BATCH, TX_SINGLE],
  any: [ANY],
};

/** Every possibility that agrees with what is given: what it lacks may be anything. */
function keepAll(automaton: Automaton, given: Partial<Possibility>): void {
  const setUp = automaton.eventIdx < 0 ? {} : { eventIdx: automaton.eventIdx };
  const known = { ...setUp, ...given };
  const flags = ['eventIdx', 'notifyOnEmpty', 'call', 'noNotify', 'signalledValid'] as const;
  let all: Possibility[] = ROLES_OF[automaton.handlers].map((role) => ({
    ...createPossibility(),
    phase: role === ANY ? IDLE : BETWEEN,
    aheadMost: automaton.num,
    ...known,
    role,
  }));
  for (const flag of flags) {
    const values = known[flag] === undefined ? BOTH : NEITHER;
    all = all.flatMap((p) =>
      values.map((value) => (known[flag] === undefined ? { ...p, [flag]: value } : p)),
    );
  }
  for (const p of all) keep(automaton.next, p);
}

/** Nothing is known of the calls, and nothing is judged until a round or a reset. */
export function forget(automaton: Automaton): void {
  automaton.judging = false;
  automaton.now.count = 0;
  automaton.openPut = 0;
  automaton.chains.open = 0;
  forgetUsedPosition(automaton.used);
}

/** Another recording: not even the set-up of the ring is known. */
export function forgetSetUp(automaton: Automaton): void {
  setNum(automaton, 0);
  automaton.eventIdx = -1;
  automaton.iotlb = true;
}

/** vhost_vq_reset: the virtqueue is as new (reference §1.5). */
export function resetTo(automaton: Automaton): void {
  automaton.next.count = 0;
  automaton.judging = true;
  automaton.chains.open = 0;
  setNum(automaton, 0);
  automaton.eventIdx = -1;
  // It is off, and may be switched on again before the next access shows whether it was.
  automaton.iotlb = true;
  keepAll(automaton, { noNotify: 0, signalledValid: 0, aheadMost: 0 });
}

/** The state of a virtqueue whose past is not known, between two rounds. */
export function anythingBetweenRounds(automaton: Automaton): void {
  automaton.next.count = 0;
  automaton.judging = true;
  keepAll(
    automaton,
    automaton.handlers === 'any' ? { heldMost: MAX_NUM, aheadMost: 2 * MAX_NUM } : {},
  );
}

/** Leaves what stands between rounds, or between calls; false when nothing does. */
export function standBetween(automaton: Automaton): boolean {
  const { now } = automaton;
  automaton.next.count = 0;
  for (let i = 0; i < now.count; i++) {
    const member = now.members[i];
    if (member.phase === BETWEEN || member.phase === IDLE) keep(automaton.next, member);
  }
  return automaton.next.count > 0;
}

/** vq_meta_prefetch: a round begins (reference §4.6); false when none can begin here. */
export function startRound(automaton: Automaton): boolean {
  const { now } = automaton;
  automaton.next.count = 0;
  for (let i = 0; i < now.count; i++) {
    const member = now.members[i];
    if (member.phase === IDLE) keep(automaton.next, member);
    if (member.phase !== BETWEEN) continue;
    automaton.depth = 0;
    if (automaton.iotlb) wait(automaton, fork(automaton, member), BETWEEN);
    disableNotify(automaton, fork(automaton, member));
  }
  return automaton.next.count > 0;
}

function setNum(automaton: Automaton, num: number): void {
  automaton.num = num === 0 ? MAX_NUM : num;
  automaton.openPut = 0;
  if (automaton.used.num !== num) automaton.used = createUsedPosition(num);
}

/** Bytes before the ring in its avail area, and per entry (reference §1.1). */
const AVAIL_HEADER = 4;
const AVAIL_ENTRY = 2;
const DESCRIPTOR = 16;

/** Entries of the ring whose descriptor table has that size; 0 when no ring can have it. */
function entriesOf(size: number): number {
  const num = size / DESCRIPTOR;
  return num <= MAX_NUM && Number.isInteger(Math.log2(num)) ? num : 0;
}

/**
 * The range of an area was recorded. The descriptor table tells the entries of the ring, the avail
 * ring whether EVENT_IDX was acked. Standing between rounds has been checked.
 */
export function recordArea(automaton: Automaton, area: number, size: number): void {
  if (area === 0 && size > 0) setNum(automaton, entriesOf(size));
  if (area !== 1 || automaton.used.num === 0 || size === 0) return;
  const eventIdx = size > AVAIL_HEADER + AVAIL_ENTRY * automaton.num ? 1 : 0;
  automaton.eventIdx = eventIdx;
  const { next } = automaton;
  const members = next.members.slice(0, next.count).map((member) => ({ ...member, eventIdx }));
  next.count = 0;
  for (const member of members) keep(next, member);
}
