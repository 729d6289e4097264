/** The state of the acceptor of one virtqueue: what is possible, and what all possibilities share. */
import { copyChainLengths, createChainLengths, type ChainLengths } from './chain-lengths.js';
import {
  copySet,
  createPossibility,
  type Possibility,
  type PossibilitySet,
} from './possibility.js';
import type { AccessorRules } from './rule-sets.js';
import { copyUsedPosition, createUsedPosition, type UsedPosition } from './used-position.js';

/** Who may call: vhost-net's handlers in their order (either, rx, tx), or anyone in any order. */
export type Handlers = 'net' | 'net_rx' | 'net_tx' | 'any';

export interface Automaton {
  readonly rules: AccessorRules;
  readonly handlers: Handlers;
  /** Calls may fail: a copy from or to the ring, or a ring that makes no sense. */
  readonly failures: boolean;
  /** Descriptors of a chain in the main table, at most. */
  readonly mostDescriptors: number;
  /** False until a round or a reset shows where in the rules the virtqueue is. */
  judging: boolean;
  /** Entries of the ring; MAX_NUM while unknown. */
  num: number;
  /** EVENT_IDX as the size of the avail ring told it; -1 while it did not. */
  eventIdx: number;
  /**
   * The device IOTLB may be on: a miss then ends a round before it does anything, or a chain after any
   * of its descriptors (reference §4.1, §5.1).
   */
  iotlb: boolean;
  used: UsedPosition;
  /** Entries of a put_used that the next access will show to be whole or the first of two; 0: none. */
  openPut: number;
  readonly chains: ChainLengths;
  now: PossibilitySet;
  next: PossibilitySet;
  /** Reused copies, for what a step changes on its way; `depth` are taken. */
  readonly scratch: Possibility[];
  depth: number;
}

export type AutomatonOptions = Pick<
  Automaton,
  'rules' | 'handlers' | 'failures' | 'mostDescriptors'
>;

/** Copies that one step needs at most: its silent steps do not go in circles. */
const SCRATCH = 64;

export function createAutomaton(options: AutomatonOptions, num: number): Automaton {
  return {
    ...options,
    judging: false,
    num,
    eventIdx: -1,
    iotlb: true,
    used: createUsedPosition(0),
    openPut: 0,
    chains: createChainLengths(),
    now: { count: 0, members: [] },
    next: { count: 0, members: [] },
    scratch: Array.from({ length: SCRATCH }, createPossibility),
    depth: 0,
  };
}

/** A copy that goes its own way. */
export function copyAutomaton(automaton: Automaton): Automaton {
  return {
    ...automaton,
    used: copyUsedPosition(automaton.used),
    chains: copyChainLengths(automaton.chains),
    now: copySet(automaton.now),
    next: { count: 0, members: [] },
    scratch: automaton.scratch.map(createPossibility),
  };
}
