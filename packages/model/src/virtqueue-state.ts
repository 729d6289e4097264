/**
 * State of all virtqueues as columns, indexed by virtqueue id, or by slot = 4 * id + area for what an
 * area has (reference §1.1).
 */
import { ACCESSORS_OF_AREA, ACCESSOR_SPAN, AREA_COUNT, ONLY_IN_ROUND } from './ring.js';
import { IOTLB_COMES } from './doubts.js';
import { AMBIGUOUS, IOTLB, OUTCOMES } from './outcome.js';

/** invalidate_count lies between minus this and this: an interval that says nothing. */
export const UNKNOWN_COUNT = 1 << 28;

export interface VirtqueueState {
  capacity: number;
  /** Ids seen are below this. */
  size: number;
  /** Device id, -1 while unknown. */
  dev: Int32Array;
  /** IOTLB_OFF, IOTLB_ON or IOTLB_COMING. */
  iotlb: Uint8Array;
  /** invalidate_count lies in [countLow, countHigh]; equal when it is known. */
  countLow: Int32Array;
  countHigh: Int32Array;
  /** Clock of the engine when countLow was last below zero. */
  negativeAt: Float64Array;
  /** What `map` and `diverged` hold until something is known. */
  firstMap: number;
  firstDiverged: number;
  /** Map of each slot as an outcome, plus PENDING. */
  map: Uint8Array;
  /** Virtqueues of which a map was set since anybody looked: the first `touchedCount`; and a mark for each. */
  touched: Uint32Array;
  touchedCount: number;
  isTouched: Uint8Array;
  /**
   * What the accesses meet that only the holder of a round makes (`ONLY_IN_ROUND`): the map, but where a
   * design holds maps from the beginning of a round to its end, which is not in the trace.
   */
  roundMap: Uint8Array;
  /** 1 where the recording kernel, whatever its design, may have a map (ranges order). */
  mayBeMapped: Uint8Array;
  /** Engine clock of the last sign that it built one, and of the last time it was taken for gone. */
  builtAt: Float64Array;
  goneAt: Float64Array;
  /** Why a map that is AMBIGUOUS is, see doubts.ts. */
  doubt: Uint8Array;
  /** What an access meets, by ACCESSOR_SPAN * id + accessor: the map, or IOTLB. Derived from those. */
  effective: Uint8Array;
  /** First and last byte of each area, as words (index 2 * slot); meaningful where RANGE_SET. */
  first: Uint32Array;
  last: Uint32Array;
  /** RANGE_UNKNOWN, RANGE_NONE (size 0) or RANGE_SET. */
  sized: Uint8Array;
  /** Least and greatest count since the attempt of the open round became possible. */
  attemptLow: Int32Array;
  attemptHigh: Int32Array;
  /** CPU on whose next event the attempts of the open round are over; -1 where that is not known. */
  roundCpu: Int32Array;
  /** get_user_pages outcome recorded in the open round; NO_OUTCOME when none. */
  gup: Uint8Array;
  /** 1 while a success of get_user_pages still holds: no overlapping range since. */
  gupHolds: Uint8Array;
  /** Effects of callbacks that are no longer followed one by one and may or may not have happened. */
  looseStarts: Int32Array;
  looseEnds: Int32Array;
  /** 1 where the recording kernel may have other ranges than the design, which kept its own (§3.3, 1). */
  diverged: Uint8Array;
  /** NOT_RESETTING, RESETTING or PERHAPS_RESETTING. */
  resetting: Uint8Array;
  /** Recorded effects that are due of callbacks entered (effects order). */
  startsDue: Int32Array;
  endsDue: Int32Array;
  /** Engine clock since when ends have been due without a break. */
  endsDueSince: Float64Array;
  /** Overlapping ranges whose start was entered and whose end was not (effects order). */
  openRanges: Int32Array;
  /** What the kernel was seen to do in the open round: SEEN_NOTHING, SEEN_REFUSED, SEEN_TRIED. */
  seenAttempt: Uint8Array;
  /** 1 while callbacks may be under way that nothing is known of. */
  untracked: Uint8Array;
  /** 1 where a callback that is not followed may still take the map (deferred-maps.ts). */
  mayStillGo: Uint8Array;
  /** 1 once the virtqueue was reset. */
  wasReset: Uint8Array;
  /** 1 where the count of all ranges of the process is 0 whenever none is under way; see mm-wide-count.ts. */
  countsFromZero: Uint8Array;
  /** Engine clock when the last round began (with observations, like the next two). */
  roundAt: Float64Array;
  /** 1 where there was surely no map then. */
  absentAtRound: Uint8Array;
  /** Engine clock when a start had passed that may have removed the map, or may have come before it. */
  doubtedAt: Float64Array;
  /** 1 from the beginning of a round to its end (stock hosts, like all that follow). */
  inRound: Uint8Array;
  /** What `iotlb` was when the last round began, by which it tried to map or not. */
  roundIotlb: Uint8Array;
  /** What the device IOTLB missed since the last round began; see derive-round.ts. */
  missed: Uint8Array;
  /** 1 while an ioctl sets the ring up: when it dropped the maps is not known. */
  inSetUp: Uint8Array;
  /** 1 where a map may have gone, or changed in another way, since the round began; see doubts.ts for why. */
  changed: Uint8Array;
  changeDoubt: Uint8Array;
  /** 1 where a range has begun or ended over the area since the round began. */
  disturbed: Uint8Array;
  /** When the last round began, and when copies show the page table again after the last range (ns). */
  roundTime: Float64Array;
  flushedAt: Float64Array;
  /** Since when all ranges over the area that may be under way have been told (ns). */
  watchedFrom: Float64Array;
  /** 1 where all pages that an attempt asks for were copied from (to, if used) since the last range. */
  allCopied: Uint8Array;
  /** Entries copied since the last range: the first, the next to come (16 bit), and how many. */
  copiedFrom: Uint16Array;
  copiedTo: Uint16Array;
  copiedCount: Uint32Array;
  /** Whether the pages follow each other, see page-evidence.ts, and since when all surely are there (ns). */
  contiguity: Uint8Array;
  contiguousAt: Float64Array;
  /** What an attempt would find of the pages, as a look in the kernel has shown; NO_OUTCOME where none has. */
  looked: Uint8Array;
  /**
   * 1 where the protection of pages was changed: that they are there does not say that they can be read. Memory
   * keeps its protection when a ring in it is set up again.
   */
  protected: Uint8Array;
  /** Descriptors of the last chain that was counted; 0 while none was. */
  usualChain: Uint32Array;
  /** By ACCESSOR_SPAN * id + accessor: what the last `counted` event said, and what it added in this round. */
  counters: Uint32Array;
  countedInRound: Uint32Array;
  /** Where nothing takes time, the accesses that were told in this round by derivedIndex; see told-in-round.ts. */
  toldInRound: Uint32Array;
}

export const IOTLB_OFF = 0;
export const IOTLB_ON = 1;
/** It is being switched on, and may be on or not. */
export const IOTLB_COMING = 2;

export const RANGE_UNKNOWN = 0;
export const RANGE_NONE = 1;
export const RANGE_SET = 2;

export const NOT_RESETTING = 0;
/** Between the drop of maps by a reset and the reset's own event. */
export const RESETTING = 1;
/** Likewise, where it is not known whether a reset dropped the maps, or the ioctls of the ring did. */
export const PERHAPS_RESETTING = 2;

export const NO_OUTCOME = 255;
export const SEEN_NOTHING = 0;
export const SEEN_REFUSED = 1;
export const SEEN_TRIED = 2;

/**
 * Of virtqueues that are not reset before our eyes, nothing is known.
 *
 * @param map what `map` holds then
 * @param diverged what `diverged` holds then
 */
export function createVirtqueueState(map: number, diverged: number): VirtqueueState {
  return allocate(16, map, diverged);
}

function allocate(capacity: number, map: number, diverged: number): VirtqueueState {
  const slots = 4 * capacity;
  return {
    capacity,
    size: 0,
    dev: new Int32Array(capacity).fill(-1),
    iotlb: new Uint8Array(capacity),
    countLow: new Int32Array(capacity).fill(-UNKNOWN_COUNT),
    countHigh: new Int32Array(capacity).fill(UNKNOWN_COUNT),
    negativeAt: new Float64Array(capacity).fill(-1),
    firstMap: map,
    firstDiverged: diverged,
    map: new Uint8Array(slots).fill(map),
    touched: new Uint32Array(capacity),
    touchedCount: 0,
    isTouched: new Uint8Array(capacity),
    roundMap: new Uint8Array(slots).fill(map),
    mayBeMapped: new Uint8Array(slots).fill(1),
    builtAt: new Float64Array(slots).fill(-1),
    goneAt: new Float64Array(slots).fill(-1),
    doubt: new Uint8Array(slots),
    effective: new Uint8Array(ACCESSOR_SPAN * capacity).fill(map),
    first: new Uint32Array(2 * slots),
    last: new Uint32Array(2 * slots),
    sized: new Uint8Array(slots),
    attemptLow: new Int32Array(slots),
    attemptHigh: new Int32Array(slots),
    roundCpu: new Int32Array(capacity).fill(-1),
    gup: new Uint8Array(slots).fill(NO_OUTCOME),
    gupHolds: new Uint8Array(slots),
    looseStarts: new Int32Array(capacity),
    looseEnds: new Int32Array(capacity),
    diverged: new Uint8Array(capacity).fill(diverged),
    resetting: new Uint8Array(capacity),
    startsDue: new Int32Array(slots),
    endsDue: new Int32Array(slots),
    endsDueSince: new Float64Array(slots),
    openRanges: new Int32Array(slots),
    seenAttempt: new Uint8Array(slots),
    untracked: new Uint8Array(capacity).fill(1),
    mayStillGo: new Uint8Array(slots),
    wasReset: new Uint8Array(capacity),
    countsFromZero: new Uint8Array(capacity),
    roundAt: new Float64Array(capacity).fill(-1),
    absentAtRound: new Uint8Array(slots),
    doubtedAt: new Float64Array(slots).fill(-1),
    inRound: new Uint8Array(capacity),
    roundIotlb: new Uint8Array(capacity),
    missed: new Uint8Array(capacity),
    inSetUp: new Uint8Array(capacity),
    changed: new Uint8Array(slots),
    changeDoubt: new Uint8Array(slots),
    disturbed: new Uint8Array(slots),
    roundTime: new Float64Array(capacity),
    flushedAt: new Float64Array(slots),
    watchedFrom: new Float64Array(slots),
    allCopied: new Uint8Array(slots),
    copiedFrom: new Uint16Array(slots),
    copiedTo: new Uint16Array(slots),
    copiedCount: new Uint32Array(slots),
    contiguity: new Uint8Array(slots),
    contiguousAt: new Float64Array(slots),
    looked: new Uint8Array(slots).fill(NO_OUTCOME),
    protected: new Uint8Array(slots),
    usualChain: new Uint32Array(capacity),
    counters: new Uint32Array(ACCESSOR_SPAN * capacity),
    countedInRound: new Uint32Array(ACCESSOR_SPAN * capacity),
    toldInRound: new Uint32Array(ACCESSOR_SPAN * OUTCOMES * capacity),
  };
}

/** Makes room for an id. Existing columns are replaced: do not hold on to them across this call. */
export function growVirtqueueState(state: VirtqueueState, id: number): void {
  if (id >= state.capacity) {
    const larger = allocate(2 ** Math.ceil(Math.log2(id + 1)), state.firstMap, state.firstDiverged);
    for (const name of Object.keys(larger) as (keyof VirtqueueState)[]) {
      const from = state[name];
      const to = larger[name];
      if (typeof from !== 'number' && typeof to !== 'number') to.set(from);
    }
    larger.size = state.size;
    larger.touchedCount = state.touchedCount;
    Object.assign(state, larger);
  }
  if (id >= state.size) state.size = id + 1;
}

/** Sets what a slot's map is; `map` may carry PENDING. */
export function setMap(state: VirtqueueState, slot: number, map: number): void {
  state.roundMap[slot] = map;
  setMapOutsideRound(state, slot, map);
}

/** Likewise, but what the holder of the round meets stays what it is. */
export function setMapOutsideRound(state: VirtqueueState, slot: number, map: number): void {
  state.map[slot] = map;
  showMap(state, slot);
}

/** Tells accesses what they meet. */
function showMap(state: VirtqueueState, slot: number): void {
  const { map, roundMap, effective } = state;
  const vq = slot >> 2;
  if (state.isTouched[vq] === 0) {
    state.isTouched[vq] = 1;
    state.touched[state.touchedCount++] = vq;
  }
  const iotlb = state.iotlb[vq];
  const accessors = ACCESSORS_OF_AREA[slot & 3];
  for (let k = 0; k < accessors.length; k++) {
    const accessor = accessors[k];
    const met = ONLY_IN_ROUND[accessor] === 1 ? roundMap[slot] : map[slot];
    effective[ACCESSOR_SPAN * vq + accessor] =
      iotlb === IOTLB_OFF ? met : iotlb === IOTLB_ON ? IOTLB : AMBIGUOUS;
  }
}

/** Makes a slot's map ambiguous, and keeps why; `map` may carry PENDING. */
export function doubtMap(
  state: VirtqueueState,
  slot: number,
  doubt: number,
  map: number = AMBIGUOUS,
): void {
  state.doubt[slot] = doubt;
  setMap(state, slot, map);
}

/** Switches the device IOTLB of a virtqueue: maps stay, and are bypassed while it is on (§1.5). */
export function setIotlb(state: VirtqueueState, vq: number, on: boolean): void {
  state.iotlb[vq] = on ? IOTLB_ON : IOTLB_OFF;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) showMap(state, slot);
}

/** The device IOTLB begins to be switched on: an access that goes by it shows that it is. */
export function expectIotlb(state: VirtqueueState, vq: number): void {
  state.iotlb[vq] = IOTLB_COMING;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    state.doubt[slot] = IOTLB_COMES;
    showMap(state, slot);
  }
}
