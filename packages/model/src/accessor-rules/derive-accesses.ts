/** Which accessors a call of an exported function runs, in order (reference §4.1–§4.5). */
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
import type {
  Answer,
  Derivation,
  DerivedAccesses,
  ExportedCall,
  RingState,
} from './exported-calls.js';
import type { AccessorRules } from './rule-sets.js';

const U16 = 0xffff;

interface Run {
  readonly rules: AccessorRules;
  readonly ring: RingState;
  readonly accesses: DerivedAccesses[];
  /** Accesses until one fails. */
  untilFailure: number;
}

/**
 * The accesses of one call, and what it answers. The ring is changed as the call changes it.
 *
 * All counts are exact, save that of get_desc when the length of the chain is not given: 1 to num.
 */
export function deriveAccesses(
  rules: AccessorRules,
  ring: RingState,
  call: ExportedCall,
): Derivation {
  const run: Run = { rules, ring, accesses: [], untilFailure: call.failsAt ?? Infinity };
  return { answer: answerOf(run, call), accesses: run.accesses };
}

function answerOf(run: Run, call: ExportedCall): Answer {
  const { ring } = run;
  switch (call.function) {
    case 'vhost_get_vq_desc':
      return getDescriptor(run, call.inMemory, call.chain);
    case 'vhost_add_used_n':
      return addUsed(run, call.count);
    case 'vhost_signal':
      return signal(run);
    case 'vhost_add_used_and_signal_n':
      // The driver is told of what was put, whether all was or not (reference §4.3).
      addUsed(run, call.count);
      return signal(run);
    case 'vhost_enable_notify':
      return enableNotify(run, call.inMemory);
    case 'vhost_disable_notify':
      if (!ring.noNotify) {
        ring.noNotify = true;
        if (!ring.eventIdx) access(run, PUT_USED_FLAGS);
      }
      return 'done';
    case 'vhost_vq_avail_empty':
      if (ring.availIdx !== ring.lastAvailIdx) return 'false';
      if (!readIndex(run, call.inMemory)) return 'false';
      return ring.availIdx === ring.lastAvailIdx ? 'true' : 'false';
    case 'vhost_vq_init_access':
      return initAccess(run, call.usedInMemory);
    case 'vhost_discard_vq_desc':
      ring.lastAvailIdx = (ring.lastAvailIdx - call.count) & U16;
      return 'done';
    case 'vq_meta_prefetch':
      return 'done';
  }
}

/** One access; false when it fails. */
function access(run: Run, accessor: number, entries = 1): boolean {
  run.accesses.push({ accessor, entries, least: 1, most: 1 });
  return --run.untilFailure !== 0;
}

/** get_avail_idx into the cache; false when it fails. */
function readIndex(run: Run, inMemory: number): boolean {
  if (!access(run, GET_AVAIL_IDX)) return false;
  run.ring.availIdx = inMemory;
  return true;
}

/** §4.1. An index out of range stays cached, so that a retry does not read it again. */
function getDescriptor(run: Run, inMemory: number, chain: number | undefined): Answer {
  const { ring } = run;
  if (ring.availIdx === ring.lastAvailIdx) {
    if (!readIndex(run, inMemory)) return 'failed';
    if (ring.availIdx === ring.lastAvailIdx) return 'empty';
    if (((ring.availIdx - ring.lastAvailIdx) & U16) > ring.num) return 'failed';
  }
  if (!access(run, GET_AVAIL_HEAD)) return 'failed';
  const least = chain ?? 1;
  const most = chain ?? ring.num;
  const read = Math.min(least, run.untilFailure);
  run.accesses.push({
    accessor: GET_DESC,
    entries: 1,
    least: read,
    most: read < least ? read : most,
  });
  run.untilFailure -= read;
  if (run.untilFailure <= 0) return 'failed';
  ring.lastAvailIdx = (ring.lastAvailIdx + 1) & U16;
  return 'head';
}

/** §4.2: one put, or two where the end of the ring cuts it. */
function addUsed(run: Run, count: number): Answer {
  const { ring, rules } = run;
  const untilEnd = ring.num - (ring.lastUsedIdx & (ring.num - 1));
  let rest = count;
  if (untilEnd < count) {
    if (!putUsed(run, untilEnd)) return 'failed';
    rest -= untilEnd;
  }
  const put = putUsed(run, rest);
  if (!put && rules.failedPutSkipsIndex) return 'failed';
  return access(run, PUT_USED_IDX) && put ? 'done' : 'failed';
}

function putUsed(run: Run, count: number): boolean {
  const { ring } = run;
  if (!access(run, PUT_USED, count)) return false;
  const old = ring.lastUsedIdx;
  ring.lastUsedIdx = (old + count) & U16;
  // vring_need_event would be asked about an index passed long ago.
  if (((ring.lastUsedIdx - ring.signalledUsed) & U16) < count) ring.signalledUsedValid = false;
  return true;
}

/** §4.3. Whether the driver is interrupted does not matter here. */
function signal(run: Run): Answer {
  const { ring } = run;
  if (!ring.callEventfd) return 'done';
  if (ring.notifyOnEmpty && ring.availIdx === ring.lastAvailIdx) return 'done';
  if (!ring.eventIdx) {
    access(run, GET_AVAIL_FLAGS);
    return 'done';
  }
  const valid = ring.signalledUsedValid;
  ring.signalledUsed = ring.lastUsedIdx;
  ring.signalledUsedValid = true;
  if (valid) access(run, GET_USED_EVENT);
  return 'done';
}

/** §4.4. */
function enableNotify(run: Run, inMemory: number): Answer {
  const { ring, rules } = run;
  if (!ring.noNotify) return 'false';
  ring.noNotify = false;
  if (!access(run, ring.eventIdx ? PUT_AVAIL_EVENT : PUT_USED_FLAGS)) return 'false';
  const compared = rules.enableComparesWith === 'cached' ? ring.availIdx : ring.lastAvailIdx;
  if (!access(run, GET_AVAIL_IDX)) return 'failed';
  if (rules.enableCachesIndex) ring.availIdx = inMemory;
  return inMemory === compared ? 'false' : 'true';
}

/** §4.5, vhost_vq_init_access. */
function initAccess(run: Run, usedInMemory: number): Answer {
  const { ring } = run;
  if (!ring.backend) return 'done';
  if (!access(run, PUT_USED_FLAGS)) return 'failed';
  ring.signalledUsedValid = false;
  if (!access(run, GET_USED_IDX)) return 'failed';
  ring.lastUsedIdx = usedInMemory;
  return 'done';
}
