/** A read-only snapshot of what the engine holds of a virtqueue, to explain a decision. */
import { slotAt, NO_CPU, type Callback } from './callbacks.js';
import { DOUBT_MEANING } from './doubts.js';
import { effectsUnderWay, type EffectsUnderWay } from './effects-under-way.js';
import type { EngineState } from './engine-state.js';
import { NOTIFIER_OFF, NOTIFIER_ON } from './device-state.js';
import { recall, type HistoryEntry } from './history.js';
import { AMBIGUOUS, PENDING } from './outcome.js';
import { AREA_COUNT } from './ring.js';
import { isRangeUnderWay } from './stock-host/ranges-under-way.js';
import { NO_OUTCOME, RANGE_NONE, RANGE_SET, UNKNOWN_COUNT } from './virtqueue-state.js';

export interface VirtqueueSnapshot {
  readonly vq: number;
  /** Absent while no device is known. */
  readonly dev: number | undefined;
  readonly notifier: 'registered' | 'unregistered' | 'unknown';
  readonly iotlb: boolean;
  /** invalidate_count. */
  readonly count: Bounds;
  /** In ranges order: effects that may or may not have happened; the rest of the count is over. */
  readonly underWay: EffectsUnderWay;
  /** Callbacks may be under way that were entered before anything was known of the virtqueue. */
  readonly mayHaveUnseen: boolean;
  /** Those of them whose callbacks are not followed any more. */
  readonly unfollowed: { readonly starts: number; readonly ends: number };
  readonly areas: readonly AreaSnapshot[];
  /** Callbacks under way that have to do with the virtqueue, oldest first. */
  readonly callbacks: readonly CallbackSnapshot[];
  readonly history: readonly HistoryEntry[];
}

/** A bound is undefined where nothing bounds the value. */
export interface Bounds {
  readonly least: number | undefined;
  readonly most: number | undefined;
}

export interface AreaSnapshot {
  readonly area: number;
  /** What an access would become by the map alone, see OUTCOME_NAMES. */
  readonly map: number;
  /** Why `map` is ambiguous; absent where it is not. */
  readonly doubt: string | undefined;
  /** First and last byte; null when it has no size, absent while not known. */
  readonly range: { readonly first: bigint; readonly last: bigint } | null | undefined;
  /**
   * The attempt of a round that is not judged yet: least and greatest count that it may meet, and what
   * get_user_pages was seen to find.
   */
  readonly attempt: (Bounds & { readonly pages: number | undefined }) | undefined;
}

export interface CallbackSnapshot {
  readonly isStart: boolean;
  readonly dev: number;
  /** Where it was entered: line, ns, CPU. Of several alike that is not certain. */
  readonly line: number;
  readonly time: bigint;
  readonly cpu: number;
  /** An indistinguishable one has returned: this may be that one, and that one this. */
  readonly isOneOfSeveral: boolean;
  readonly pid: number;
  /** Name of the process; without the zero bytes that fill it up, and what was left behind them. */
  readonly comm: string;
  readonly cause: number;
  readonly start: bigint;
  readonly end: bigint;
  /** In the order in which the kernel comes to them. */
  readonly effects: readonly {
    readonly vq: number;
    readonly area: number;
    /** `may`: it may have happened; `perhaps`: it may also never happen. */
    readonly state: 'done' | 'may' | 'perhaps';
  }[];
  /** Its next bound when that is the next event of this CPU; absent otherwise. */
  readonly waitsForCpu: number | undefined;
  /** Whether the entry of its end shows that it has returned. */
  readonly endShows: boolean;
}

export function inspectVirtqueue(engine: EngineState, vq: number): VirtqueueSnapshot {
  const { virtqueues, devices, open, order } = engine;
  const dev = virtqueues.dev[vq];
  const notifier = devices.notifier[dev];
  return {
    vq,
    dev: dev < 0 ? undefined : dev,
    notifier:
      notifier === NOTIFIER_ON
        ? 'registered'
        : notifier === NOTIFIER_OFF
          ? 'unregistered'
          : 'unknown',
    iotlb: virtqueues.iotlb[vq] === 1 || engine.design.usesDeviceIotlb === true,
    count: boundsOf(virtqueues.countLow[vq], virtqueues.countHigh[vq]),
    underWay:
      order === 'ranges' ? effectsUnderWay(engine, vq) : { starts: 0, ends: 0, doubtful: 0 },
    mayHaveUnseen: order === 'ranges' && virtqueues.untracked[vq] === 1,
    unfollowed: { starts: virtqueues.looseStarts[vq], ends: virtqueues.looseEnds[vq] },
    areas: Array.from({ length: AREA_COUNT }, (_, area) => areaOf(engine, 4 * vq + area)),
    callbacks: open
      .filter((callback) => concerns(callback, vq))
      .map((callback) => callbackOf(engine, callback)),
    history: recall(engine.history, vq),
  };
}

/** invalidate_count as an interval; `isSettled` where no effect is due of which the entry was seen. */
export interface SureCount {
  readonly low: number;
  readonly high: number;
  readonly isSettled: boolean;
}

/** Of a virtqueue that no event named yet, nothing is known. */
export function sureCount(engine: EngineState, vq: number): SureCount {
  const { virtqueues } = engine;
  if (vq >= virtqueues.size) return { low: -UNKNOWN_COUNT, high: UNKNOWN_COUNT, isSettled: false };
  let due = 0;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
    due += virtqueues.startsDue[slot] + virtqueues.endsDue[slot];
  // Where a ring was first told of after ranges over it had begun, only the engine knows of those.
  if (engine.host === 'stock')
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
      if (isRangeUnderWay(engine, slot)) due++;
  return { low: virtqueues.countLow[vq], high: virtqueues.countHigh[vq], isSettled: due === 0 };
}

function boundsOf(low: number, high: number): Bounds {
  return {
    least: low <= -UNKNOWN_COUNT / 2 ? undefined : low,
    most: high >= UNKNOWN_COUNT / 2 ? undefined : high,
  };
}

function areaOf({ virtqueues }: EngineState, slot: number): AreaSnapshot {
  const map = virtqueues.map[slot] & (PENDING - 1);
  const { first, last, sized, gup } = virtqueues;
  return {
    area: slot & 3,
    map,
    doubt: map === AMBIGUOUS ? DOUBT_MEANING[virtqueues.doubt[slot]] : undefined,
    range:
      sized[slot] === RANGE_SET
        ? {
            first: wide(first[2 * slot], first[2 * slot + 1]),
            last: wide(last[2 * slot], last[2 * slot + 1]),
          }
        : sized[slot] === RANGE_NONE
          ? null
          : undefined,
    attempt:
      virtqueues.map[slot] < PENDING
        ? undefined
        : {
            ...boundsOf(virtqueues.attemptLow[slot], virtqueues.attemptHigh[slot]),
            pages: gup[slot] === NO_OUTCOME ? undefined : gup[slot],
          },
  };
}

function concerns(callback: Callback, vq: number): boolean {
  for (let k = callback.done; k < callback.slotCount; k++)
    if (slotAt(callback, k) >> 2 === vq) return true;
  return false;
}

function callbackOf(engine: EngineState, callback: Callback): CallbackSnapshot {
  const effects: CallbackSnapshot['effects'][number][] = [];
  for (let k = 0; k < callback.slotCount; k++) {
    const slot = slotAt(callback, k);
    const state = callback.slots[k] < 0 ? 'perhaps' : k < callback.done ? 'done' : 'may';
    effects.push({ vq: slot >> 2, area: slot & 3, state });
  }
  return {
    isStart: callback.isStart,
    dev: callback.dev,
    line: callback.line,
    time: wide(callback.timeLow, callback.timeHigh | 0),
    cpu: callback.enteredOn,
    isOneOfSeveral: callback.isOneOfSeveral,
    pid: callback.pid,
    comm: nameOf(callback),
    cause: callback.cause,
    start: wide(callback.startLow, callback.startHigh),
    end: wide(callback.endLow, callback.endHigh),
    effects,
    waitsForCpu: callback.cpu === NO_CPU ? undefined : callback.cpu,
    endShows: callback.isStart && engine.devices.paired[callback.dev] === true,
  };
}

/** How the dialect writes a zero byte. */
const NAME_END = '\\x00';

function nameOf({ comm, commFrom, commLength }: Callback): string {
  const recorded = String.fromCharCode(...comm.subarray(commFrom, commFrom + commLength));
  const end = recorded.indexOf(NAME_END);
  return end < 0 ? recorded : recorded.slice(0, end);
}

/** 64 bits of two words; signed where the high word is. */
function wide(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}
