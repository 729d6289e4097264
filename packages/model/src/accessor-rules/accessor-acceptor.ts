/**
 * Accepts or rejects the metadata accesses of one virtqueue by the rules of a kernel (reference §4).
 *
 * An automaton over what a trace does not show runs as the set of all its states that agree with the
 * accesses so far. An access that none of them waits for is rejected. `README.md` says what is shown,
 * what is assumed and what escapes.
 */
import { ACCESSORS } from '../ring.js';
import type { ChainLengths } from './chain-lengths.js';
import { copyAutomaton, createAutomaton, type Automaton, type Handlers } from './automaton.js';
import { PUT_USED } from './accessor-numbers.js';
import {
  anythingBetweenRounds,
  forget,
  forgetSetUp,
  recordArea,
  resetTo,
  standBetween,
  startRound,
} from './marks.js';
import { PHASES, ROLES, type Phase, type Possibility, type Role } from './possibility.js';
import { MAX_NUM, type AccessorRules } from './rule-sets.js';
import { swap, takeAccess, tryAccess } from './step.js';

export interface AcceptorOptions {
  /** Who calls: vhost-net without busy polling and zero copy, or anyone. Default `net`: rx or tx. */
  readonly handlers?: Handlers;
  /**
   * Descriptors that a chain has in the main table at most. The rules bound it by the entries of the
   * ring, which is the default; a driver with indirect descriptors or one buffer a packet has 1.
   */
  readonly mostDescriptors?: number;
  /** Let calls fail: a copy from or to the ring, a head or an index out of range. Default false. */
  readonly failures?: boolean;
  /** Whether the rejection at hand is to be described in `rejections`. Default: the first 16 are. */
  readonly describes?: () => boolean;
}

/** A state of the set, for people. */
export interface AcceptorState {
  readonly waitsFor: Phase;
  readonly role: Role;
  readonly eventIdx: boolean;
  readonly noNotify: boolean;
  readonly callEventfd: boolean;
  readonly notifyOnEmpty: boolean;
  /** Least and greatest number of heads that are fetched and not yet put. */
  readonly held: readonly [number, number];
  /** Least and greatest number of heads that the cached avail index is ahead. */
  readonly ahead: readonly [number, number];
}

export interface AcceptableAccess {
  readonly accessor: (typeof ACCESSORS)[number];
  /** Entries of a put_used, least and greatest; in between not all need be acceptable. */
  readonly entries: readonly [number, number];
}

export interface Rejection {
  /** Number of the access, from 0; of a mark, that of the next access. */
  readonly index: number;
  /** What was rejected. */
  readonly found: (typeof ACCESSORS)[number] | 'round' | 'set-up' | 'reset';
  readonly entries: number;
  /** The set before. */
  readonly before: readonly AcceptorState[];
  /** What would have been accepted; `between rounds` also takes marks. */
  readonly expected: readonly AcceptableAccess[];
}

export interface AccessorAcceptor {
  /** Accesses seen, and of them those that were judged: none is before the first round or reset. */
  readonly counts: { accesses: number; judged: number; rejections: number };
  /** Chains seen, by their descriptors. */
  readonly chains: Readonly<ChainLengths>;
  /**
   * The next access, by accessor number; `entries` matters for put_used. False when it is rejected:
   * then nothing is judged until the next round or reset. HOT: allocates nothing once it runs.
   */
  access(accessor: number, entries: number): boolean;
  /** vq_meta_prefetch. False when the round before it cannot be over. */
  round(): boolean;
  /** An ioctl dropped maps: it holds the virtqueue's mutex, so no round is under way. */
  unmap(): boolean;
  /** An area was recorded by VHOST_SET_VRING_NUM or _ADDR. */
  addresses(area: number, size: number): boolean;
  /** vhost_vq_reset. */
  reset(): boolean;
  /** Whether the device IOTLB may be on; true until told, and after `reset` and `forget`. */
  iotlb(mayBeOn: boolean): void;
  /** A recording begins, or events were lost: nothing is known but the chains seen. */
  forget(): void;
  /** The set as it is. */
  states(): AcceptorState[];
  /** What the next access may be. */
  acceptable(): AcceptableAccess[];
  /** Rejections that were described; `counts` has the number of all. */
  readonly rejections: readonly Rejection[];
  /** An acceptor in the same state, which goes its own way. */
  fork(): AccessorAcceptor;
}

function stateOf(p: Possibility): AcceptorState {
  return {
    waitsFor: PHASES[p.phase],
    role: ROLES[p.role],
    eventIdx: p.eventIdx === 1,
    noNotify: p.noNotify === 1,
    callEventfd: p.call === 1,
    notifyOnEmpty: p.notifyOnEmpty === 1,
    held: [p.heldLeast, p.heldMost],
    ahead: [p.aheadLeast, p.aheadMost],
  };
}

const statesOf = ({ now }: Automaton): AcceptorState[] =>
  now.members.slice(0, now.count).map(stateOf);

/** Rejections that are kept whole: the first tell most, and a bad trace may have millions. */
const KEPT_REJECTIONS = 16;

/** Entries of a put_used that are tried to find out what is acceptable. */
const TRIED_ENTRIES = 256;

function acceptableNow(automaton: Automaton): AcceptableAccess[] {
  const most = Math.max(1, ...statesOf(automaton).map(({ held }) => held[1]));
  const counts = Array.from({ length: Math.min(most, TRIED_ENTRIES) }, (_, i) => i + 1);
  if (most > TRIED_ENTRIES) counts.push(Math.min(most, automaton.num));
  return ACCESSORS.flatMap((accessor, number): AcceptableAccess[] => {
    const possible = (number === PUT_USED ? counts : [1]).filter((entries) =>
      tryAccess(automaton, number, entries),
    );
    return possible.length === 0
      ? []
      : [{ accessor, entries: [possible[0], possible.at(-1) ?? 1] }];
  });
}

/** An acceptor for one virtqueue. */
export function createAccessorAcceptor(
  rules: AccessorRules,
  options: AcceptorOptions = {},
): AccessorAcceptor {
  const { handlers = 'net', mostDescriptors = MAX_NUM, failures = false, describes } = options;
  const automaton = createAutomaton({ rules, handlers, mostDescriptors, failures }, MAX_NUM);
  return acceptorOf(automaton, { accesses: 0, judged: 0, rejections: 0 }, [], describes);
}

type Counts = AccessorAcceptor['counts'];

function acceptorOf(
  automaton: Automaton,
  counts: Counts,
  rejections: Rejection[],
  describes: () => boolean = () => rejections.length < KEPT_REJECTIONS,
): AccessorAcceptor {
  const reject = (found: Rejection['found'], entries: number): false => {
    if (describes()) {
      rejections.push({
        index: counts.accesses,
        found,
        entries,
        before: statesOf(automaton),
        expected: acceptableNow(automaton),
      });
    }
    counts.rejections++;
    forget(automaton);
    return false;
  };

  const access = (accessor: number, entries: number): boolean => {
    if (!automaton.judging) {
      counts.accesses++;
      return true;
    }
    if (!tryAccess(automaton, accessor, entries)) {
      const accepted = reject(ACCESSORS[accessor] ?? 'none', entries);
      counts.accesses++;
      counts.judged++;
      return accepted;
    }
    takeAccess(automaton, accessor, entries);
    counts.accesses++;
    counts.judged++;
    return true;
  };

  const round = (): boolean => {
    let accepted = true;
    if (!automaton.judging || !startRound(automaton)) {
      if (automaton.judging) accepted = reject('round', 0);
      anythingBetweenRounds(automaton);
      swap(automaton);
      startRound(automaton);
    }
    swap(automaton);
    return accepted;
  };

  /** Whether an ioctl on the virtqueue can run now; leaves the set in `next`. */
  const between = (found: 'set-up' | 'reset'): boolean => {
    if (!automaton.judging) {
      automaton.next.count = 0;
      return true;
    }
    return standBetween(automaton) || reject(found, 0);
  };

  return {
    counts,
    chains: automaton.chains,
    access,
    round,
    unmap: () => {
      const accepted = between('set-up');
      if (automaton.judging) swap(automaton);
      return accepted;
    },
    addresses: (area, size) => {
      const accepted = between('set-up');
      if (!accepted) automaton.next.count = 0;
      recordArea(automaton, area, size);
      if (automaton.judging) swap(automaton);
      return accepted;
    },
    reset: () => {
      const accepted = between('reset');
      resetTo(automaton);
      swap(automaton);
      return accepted;
    },
    iotlb: (mayBeOn) => {
      automaton.iotlb = mayBeOn;
    },
    forget: () => {
      forget(automaton);
      forgetSetUp(automaton);
    },
    states: () => statesOf(automaton),
    acceptable: () => acceptableNow(automaton),
    rejections,
    fork: () => acceptorOf(copyAutomaton(automaton), { ...counts }, [...rejections]),
  };
}
