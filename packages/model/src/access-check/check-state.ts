/** What a check of accesses holds while it goes through a trace. */
import {
  createAccessorAcceptor,
  type AccessorAcceptor,
} from '../accessor-rules/accessor-acceptor.js';
import type { Handlers } from '../accessor-rules/automaton.js';
import type { AccessorRules } from '../accessor-rules/rule-sets.js';
import { createRecentEvents, type RecentEvents } from './recent-events.js';
import { mayDescribe, type RejectedEvent } from './rejected-events.js';
import type { KeptChain } from './unusual-chains.js';

export interface AccessCheckOptions {
  /** Who calls; see AcceptorOptions. Default `net`. */
  readonly handlers?: Handlers;
  /** Let calls fail; see AcceptorOptions. Default false. */
  readonly failures?: boolean;
  /**
   * Descriptors that a chain has in the main table: at most so many, `any` number that the rules allow,
   * or `auto`: where nearly all chains of a virtqueue have one length (`chainHabit`), the others are
   * reported as unusual. That is an assumption about the driver; the rules allow them. Default `auto`.
   */
  readonly chainLength?: number | 'any' | 'auto';
}

/** Why accesses cannot be judged. */
export type NotJudged =
  /** Accesses of the recording were counted (n > 1), which leaves no order. */
  | 'counted'
  /** A put_used of the recording does not say how many entries it moved. */
  | 'no_entries'
  /** No round and no reset of the virtqueue shows where in the rules it is. */
  | 'no_start';

export interface CheckedState {
  readonly vq: number;
  readonly recording: number;
  readonly acceptor: AccessorAcceptor;
  readonly recent: RecentEvents;
  accesses: number;
  rejectedAccesses: number;
  /** Whether the device IOTLB may be on, as the acceptor was told. */
  mayBeIotlb: boolean;
}

export interface CheckState {
  readonly rules: AccessorRules;
  readonly options: Required<AccessCheckOptions>;
  /** By id, which is of one recording. */
  readonly virtqueues: (CheckedState | undefined)[];
  /** Number of the recording that is gone through, from 0; -1 before the first. */
  recording: number;
  /** By recording: why it cannot be judged. */
  readonly unfit: Map<number, NotJudged>;
  rejections: RejectedEvent[];
  readonly chains: KeptChain[];
}

/** The virtqueue of that id, made when it is seen first. */
export function checkedOf(state: CheckState, vq: number): CheckedState {
  const known = state.virtqueues[vq];
  if (known !== undefined) return known;
  const { handlers, failures, chainLength } = state.options;
  const made: CheckedState = {
    vq,
    recording: Math.max(0, state.recording),
    acceptor: createAccessorAcceptor(state.rules, {
      handlers,
      failures,
      ...(typeof chainLength === 'number' && { mostDescriptors: chainLength }),
      describes: () => mayDescribe(state.rejections, vq),
    }),
    recent: createRecentEvents(),
    accesses: 0,
    rejectedAccesses: 0,
    mayBeIotlb: true,
  };
  state.virtqueues[vq] = made;
  return made;
}

/** The recording cannot be judged; what was judged of it is taken back. */
export function setUnfit(state: CheckState, recording: number, why: NotJudged): void {
  if (state.unfit.has(recording)) return;
  state.unfit.set(recording, why);
  state.rejections = state.rejections.filter((rejection) => rejection.recording !== recording);
}
