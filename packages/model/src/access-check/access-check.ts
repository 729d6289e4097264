/**
 * Checks the accesses of a trace against the accessor rules: one acceptor a virtqueue, fed in time
 * order. One pass; what is kept is bounded, whatever the trace.
 */
import { GET_DESC, PUT_USED } from '../accessor-rules/accessor-numbers.js';
import type { AccessorRules } from '../accessor-rules/rule-sets.js';
import { hasDetail, NOT_OBSERVED, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import {
  checkedOf,
  setUnfit,
  type AccessCheckOptions,
  type CheckedState,
  type CheckState,
} from './check-state.js';
import { checkedVirtqueue, type CheckedVirtqueue } from './checked-virtqueue.js';
import { noteRecent } from './recent-events.js';
import { keepRejection, type RejectedEvent } from './rejected-events.js';
import { noteChain, unusualChains, type KeptChain } from './unusual-chains.js';

export interface AccessCheck {
  /**
   * Events `from` to `to` (exclusive) of a batch, which follow in time what came before. HOT: allocates
   * nothing per event once all virtqueues were seen.
   */
  consume(batch: EventBatch, from: number, to: number): void;
  /** Every virtqueue that an event named. */
  virtqueues(): CheckedVirtqueue[];
  /** The first rejected events of each virtqueue, in the order of the trace. */
  rejections(): readonly RejectedEvent[];
  /** The first chains of unusual length, likewise. */
  unusualChains(): KeptChain[];
  /** The first from here on are those that are described. */
  describeAnew(): void;
}

export function createAccessCheck(
  rules: AccessorRules,
  { handlers = 'net', failures = false, chainLength = 'auto' }: AccessCheckOptions = {},
): AccessCheck {
  const state: CheckState = {
    rules,
    options: { handlers, failures, chainLength },
    virtqueues: [],
    recording: -1,
    unfit: new Map(),
    rejections: [],
    chains: [],
  };
  return {
    consume: (batch, from, to) => {
      for (let i = from; i < to; i++) {
        if (batch.kind[i] === KIND.access) access(state, batch, i);
        else mark(state, batch, i);
      }
    },
    virtqueues: () =>
      state.virtqueues.flatMap((checked) => (checked ? [checkedVirtqueue(state, checked)] : [])),
    rejections: () => state.rejections,
    unusualChains: () => unusualChains(state),
    describeAnew: () => {
      state.rejections = [];
      state.chains.length = 0;
    },
  };
}

/** HOT. */
function access(state: CheckState, batch: EventBatch, i: number): void {
  const checked = checkedOf(state, batch.vq[i]);
  const { acceptor, recent, recording } = checked;
  const n = batch.n[i];
  checked.accesses += n;
  if (n !== 1) {
    if (n > 1) setUnfit(state, recording, 'counted');
    return;
  }
  if (state.unfit.size > 0 && state.unfit.has(recording)) return;
  const accessor = batch.accessor[i];
  const entries = accessor === PUT_USED ? entriesOf(batch, i) : 1;
  if (entries < 0) {
    setUnfit(state, recording, 'no_entries');
    return;
  }
  const observed = batch.observed[i];
  if (observed !== NOT_OBSERVED) tellIotlb(checked, observed === 2);
  const chain = accessor === GET_DESC ? 0 : acceptor.chains.open;
  if (!acceptor.access(accessor, entries)) {
    checked.rejectedAccesses++;
    keepRejection(state, checked, batch, i);
  } else if (chain > 0) {
    noteChain(state, checked, chain);
  }
  noteRecent(recent, batch, i, entries);
}

/** Entries of a put_used; -1 when the trace does not say. */
function entriesOf({ detail, details }: EventBatch, i: number): number {
  const row = detail[i];
  if (detail[i + 1] === row) return -1;
  return hasDetail(details, row, 'entries') ? details.entries[row] : -1;
}

/** Every event that is no access. */
function mark(state: CheckState, batch: EventBatch, i: number): void {
  switch (batch.kind[i]) {
    case KIND.recording:
      state.recording++;
      forget(state);
      return;
    case KIND.lost:
      forget(state);
      return;
    case KIND.round:
    case KIND.unmap:
    case KIND.addresses:
    case KIND.reset:
    case KIND.iotlb: {
      const checked = checkedOf(state, batch.vq[i]);
      if (state.unfit.has(checked.recording)) return;
      if (!isAccepted(checked, batch, i)) keepRejection(state, checked, batch, i);
      noteRecent(checked.recent, batch, i, 0);
      return;
    }
    default:
      return;
  }
}

function isAccepted(checked: CheckedState, batch: EventBatch, i: number): boolean {
  const { acceptor } = checked;
  const { details } = batch;
  const detail = batch.detail[i];
  switch (batch.kind[i]) {
    case KIND.round:
      return acceptor.round();
    case KIND.unmap:
      return acceptor.unmap();
    case KIND.reset:
      // It switches the device IOTLB off, which may be on again before the next access shows it.
      checked.mayBeIotlb = true;
      return acceptor.reset();
    case KIND.addresses: {
      // No ring is as large as a size that needs the high word.
      const size = details.size[2 * detail + 1] === 0 ? details.size[2 * detail] : 0;
      return acceptor.addresses(details.area[detail], size);
    }
    default:
      tellIotlb(checked, details.enabled[detail] === 1);
      return true;
  }
}

function tellIotlb(checked: CheckedState, isOn: boolean): void {
  if (checked.mayBeIotlb === isOn) return;
  checked.mayBeIotlb = isOn;
  checked.acceptor.iotlb(isOn);
}

/** A recording begins, or events were lost: then what follows is judged as if one began there. */
function forget({ virtqueues }: CheckState): void {
  for (const checked of virtqueues) {
    if (checked === undefined) continue;
    checked.acceptor.forget();
    checked.mayBeIotlb = true;
  }
}
