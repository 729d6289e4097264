/** Chains of another length than nearly all of their virtqueue. Which those are shows at the end. */
import { chainHabit, type ChainHabit } from '../accessor-rules/chain-lengths.js';
import type { CheckedState, CheckState } from './check-state.js';
import { recallRecent, type EventPlace, type RecentEvent } from './recent-events.js';

/** A chain; its place is that of its last get_desc. */
export interface KeptChain extends EventPlace {
  readonly recording: number;
  readonly vq: number;
  /** Number of its last get_desc among the accesses of the virtqueue, from 1. */
  readonly number: number;
  /** Descriptors. */
  readonly length: number;
  /** The last accesses and marks up to its last get_desc, oldest first. */
  readonly before: readonly RecentEvent[];
}

/**
 * Of each length the first chains of a virtqueue are kept, and so many of a trace: drivers use few
 * lengths, so that only a trace that is made up has more.
 */
const OF_LENGTH = 3;
const OF_TRACE = 4096;

/** HOT: the chain before the access that was just accepted is over. */
export function noteChain(state: CheckState, checked: CheckedState, length: number): void {
  const { acceptor, recent, recording, vq } = checked;
  const { counts } = acceptor.chains;
  if (counts[Math.min(length, counts.length - 1)] > OF_LENGTH) return;
  if (state.options.chainLength !== 'auto' || state.chains.length >= OF_TRACE) return;
  const before = recallRecent(recent);
  const last = before.findLast(({ accessor }) => accessor === 'get_desc');
  if (last === undefined) return;
  const { line, time, cpu } = last;
  const number = acceptor.counts.accesses - 1;
  state.chains.push({ recording, vq, line, time, cpu, number, length, before });
}

/** What is assumed of the chains of a virtqueue; undefined when nothing. */
export function habitOf(state: CheckState, { acceptor }: CheckedState): ChainHabit | undefined {
  return state.options.chainLength === 'auto' ? chainHabit(acceptor.chains.counts) : undefined;
}

/** The first chains of every unusual length, in the order of the trace. */
export function unusualChains(state: CheckState): KeptChain[] {
  const habits = state.virtqueues.map((checked) => checked && habitOf(state, checked));
  return state.chains.filter(({ vq, recording, length }) => {
    const habit = habits[vq];
    return habit !== undefined && habit.length !== length && !state.unfit.has(recording);
  });
}
