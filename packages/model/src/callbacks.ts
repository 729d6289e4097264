/**
 * Notifier callbacks under way, for traces that do not record when they took effect. A callback has
 * entered (its range event); each of its effects happens at some unknown later moment, until a bound
 * proves that it has happened (traces/README, "From R alone", rules 1 and 4):
 *
 * - the end callback of the same range by the same thread is entered: its start has returned;
 * - the notifier is unregistered: unregistration waits for all callbacks;
 * - where the kernel does not preempt kernel code: the next event of the same CPU. Up to then a
 *   callback can only have left its CPU in synchronize_rcu, that is after it has removed a map.
 *
 * Threads are known by process and name only, which several threads may share. So an end is not taken
 * as done at the next range of "its thread", and among equal starts none is taken for a certain one.
 */
export interface Callback {
  dev: number;
  isStart: boolean;
  /** CPU that it was entered on; NO_CPU when that is not certain. */
  cpu: number;
  pid: number;
  cause: number;
  /** 0 or 1. */
  blockable: number;
  startLow: number;
  startHigh: number;
  endLow: number;
  endHigh: number;
  /** Bytes of the name lie here, from `commFrom` on: in the batch, until `keepName`. */
  comm: Uint8Array;
  commFrom: number;
  /** Room for a name that is kept. */
  ownComm: Uint8Array | undefined;
  commLength: number;
  /** Engine clock at entry. */
  enteredAt: number;
  /** Where it was entered: line, ns, CPU; only to be shown. */
  line: number;
  timeLow: number;
  timeHigh: number;
  enteredOn: number;
  /** An indistinguishable callback has returned, perhaps this one. */
  isOneOfSeveral: boolean;
  /**
   * Slots that it overlaps, in the order in which the kernel walks them; `doubtful` where it is not
   * known whether it overlaps the slot, or still finds it.
   */
  slots: Int32Array;
  slotCount: number;
  /** Whether it is known that it comes to the slots in the order of the list. */
  inOrder: boolean;
  /** Slots before this one have surely been dealt with. */
  done: number;
  /**
   * Engine clock when slots from `beforeFrom` on had surely not been dealt with; -1 where that was
   * never known (only with observations).
   */
  beforeAt: number;
  beforeFrom: number;
}

export const NO_CPU = -1;

/** How the recording kernel preempts kernel code; `unknown` assumes nothing. */
export type Preemption = 'voluntary' | 'full' | 'unknown';

/** Bytes of comm that are compared: 16 bytes, each at most `\xNN`. */
export const COMM_BYTES = 64;

const NO_BYTES = new Uint8Array(0);

export function createCallback(): Callback {
  return {
    dev: 0,
    isStart: true,
    cpu: NO_CPU,
    pid: 0,
    cause: 0,
    blockable: 1,
    startLow: 0,
    startHigh: 0,
    endLow: 0,
    endHigh: 0,
    comm: NO_BYTES,
    commFrom: 0,
    ownComm: undefined,
    commLength: 0,
    enteredAt: 0,
    line: 0,
    timeLow: 0,
    timeHigh: 0,
    enteredOn: NO_CPU,
    isOneOfSeveral: false,
    slots: new Int32Array(8),
    slotCount: 0,
    inOrder: true,
    done: 0,
    beforeAt: -1,
    beforeFrom: 0,
  };
}

/** A callback that outlives its event takes the name out of the batch, whose memory is used again. */
export function keepName(callback: Callback): void {
  const { comm: from, commFrom, commLength } = callback;
  callback.ownComm ??= new Uint8Array(COMM_BYTES);
  for (let k = 0; k < commLength; k++) callback.ownComm[k] = from[commFrom + k];
  callback.comm = callback.ownComm;
  callback.commFrom = 0;
}

/** Marks a slot of a callback whose effect may never happen: it is not followed. */
export function doubtful(slot: number): number {
  return slot < 0 ? slot : ~slot;
}

/** A slot of a callback, whether or not it is doubtful. */
export function slotAt(callback: Callback, index: number): number {
  const slot = callback.slots[index];
  return slot < 0 ? ~slot : slot;
}

/** Whether a callback comes, or may come, to a slot. */
export function isSlotOf(callback: Callback, slot: number): boolean {
  for (let k = 0; k < callback.slotCount; k++) if (slotAt(callback, k) === slot) return true;
  return false;
}

/** Appends a slot to a callback's list. */
export function addSlot(callback: Callback, slot: number): void {
  if (callback.slotCount === callback.slots.length) {
    const longer = new Int32Array(2 * callback.slots.length);
    longer.set(callback.slots);
    callback.slots = longer;
  }
  callback.slots[callback.slotCount++] = slot;
}
