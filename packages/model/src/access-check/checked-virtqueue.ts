/** What the check of a virtqueue's accesses came to. */
import type { ChainHabit } from '../accessor-rules/chain-lengths.js';
import type { CheckedState, CheckState, NotJudged } from './check-state.js';
import { habitOf } from './unusual-chains.js';

export interface CheckedVirtqueue {
  readonly vq: number;
  readonly accesses: number;
  readonly judged: number;
  /** Of the judged, those that the rules can have produced. */
  readonly accepted: number;
  /** Accesses, rounds and ioctls that the rules cannot have produced where they stand. */
  readonly rejected: number;
  /** Why none of its accesses was judged; undefined when some were, or there are none. */
  readonly notJudged: NotJudged | undefined;
  /** Chains by their descriptors; the last element counts all longer ones. */
  readonly chains: readonly number[];
  /** What `auto` assumes of its chains; undefined when nothing. */
  readonly habit: ChainHabit | undefined;
}

export function checkedVirtqueue(state: CheckState, checked: CheckedState): CheckedVirtqueue {
  const { vq, recording, acceptor, accesses, rejectedAccesses } = checked;
  const unfit = state.unfit.get(recording);
  if (unfit !== undefined) return unfitVirtqueue(vq, accesses, unfit);
  const { judged, rejections } = acceptor.counts;
  return {
    vq,
    accesses,
    judged,
    accepted: judged - rejectedAccesses,
    rejected: rejections,
    notJudged: accesses > 0 && judged === 0 ? 'no_start' : undefined,
    chains: acceptor.chains.counts,
    habit: habitOf(state, checked),
  };
}

function unfitVirtqueue(vq: number, accesses: number, unfit: NotJudged): CheckedVirtqueue {
  return {
    vq,
    accesses,
    judged: 0,
    accepted: 0,
    rejected: 0,
    notJudged: accesses > 0 ? unfit : undefined,
    chains: [],
    habit: undefined,
  };
}
