/** Everything that the engine holds while it runs; the handlers in this folder are functions over it. */
import type { AccessorRules } from './accessor-rules/rule-sets.js';
import { createCallback, type Callback, type Preemption } from './callbacks.js';
import { mechanismOf, type Design, type Mechanism } from './designs.js';
import { createDeviceState, type DeviceState } from './device-state.js';
import { MAX_CPU } from './event-fields.js';
import { createHistory, type History, type HistoryEntry } from './history.js';
import { AMBIGUOUS, HIT, IOTLB, NEVER_MAPS, SWITCHED_OFF } from './outcome.js';
import type { Delays } from './stock-host/page-evidence.js';
import type { RangeUnderWay } from './stock-host/ranges-under-way.js';
import { createTallies, type Tallies } from './tallies.js';
import { createVirtqueueState, type VirtqueueState } from './virtqueue-state.js';

export type Order = 'effects' | 'ranges';

/**
 * Where the trace comes from: `direct-map` is a kernel with vhost's own callbacks and, as a rule, all its
 * accesses; `stock` one without, of which rounds and the memory manager's own calls were recorded.
 */
export type HostKind = 'direct-map' | 'stock';

/**
 * How a stock host's recording tells what a round accessed: by the ring's indices alone, from which it is
 * `derived`; by counters (`counted`); or access by access (`recorded`).
 */
export type RoundAccesses = 'derived' | 'counted' | 'recorded';

/** A prediction that the kernel contradicts, with what led to it. */
export interface Mismatch {
  readonly what: 'access' | 'prefetch';
  /** Number of the recording in the trace, from 0. */
  readonly recording: number;
  readonly line: number;
  /** ns, CLOCK_BOOTTIME. */
  readonly time: bigint;
  readonly cpu: number;
  readonly vq: number;
  /** Accessor number of an access, area number of a prefetch. */
  readonly which: number;
  /** Predicted outcome, see OUTCOME_NAMES. */
  readonly predicted: number;
  /** `observed` of an access, `result` of a prefetch. */
  readonly observed: number;
  readonly history: readonly HistoryEntry[];
}

export interface EngineState {
  readonly design: Design;
  readonly mechanism: Mechanism;
  /** What every access becomes, device IOTLB apart, if all come out alike; else -1. */
  readonly fixedMap: number;
  readonly order: Order;
  readonly host: HostKind;
  /** By whose rules a stock host's rounds access the ring. */
  readonly rules: AccessorRules;
  roundAccesses: RoundAccesses;
  readonly delays: Delays;
  /** Whether each call is over in the moment in which it is told: what is likely of a stock host, see at-once.ts. */
  readonly isAtOnce: boolean;
  readonly preemption: Preemption;
  /** Page size of the host that the design runs on; that of the recorded one is PAGE_BYTES. */
  readonly pageBytes: number;
  /** Ranges away from the rings may be missing: the recorder left them out. */
  readonly hasFilteredRanges: boolean;
  /** Recorded attempts settle maps and counts (`observed-attempts.ts`); in ranges order only. */
  readonly usesObservations: boolean;
  readonly tallies: Tallies;
  readonly mismatches: Mismatch[];
  readonly history: History;
  /** Whether events are remembered, to explain what is found; of many designs only the tallies are read. */
  remembers: boolean;
  virtqueues: VirtqueueState;
  devices: DeviceState;
  /** Callbacks under way, oldest first. */
  open: Callback[];
  /** Of a stock host: ranges that have begun and not ended; whether there may be others. */
  underWay: RangeUnderWay[];
  hasUnfollowed: boolean;
  /** Callbacks that may be used again, so that none is allocated per event. */
  readonly spare: Callback[];
  /** Callbacks and rounds that wait for the next event of each CPU (voluntary preemption only). */
  waitingOnCpu: Int32Array;
  /** Virtqueue whose attempts to map wait for the next event of a CPU; -1 for none. */
  roundOnCpu: Int32Array;
  /** True from the first loss of a recording on: nothing is taken for granted of what is first seen. */
  hasLost: boolean;
  /** True from a loss until the next event that tells anything of the state. */
  knowsNothing: boolean;
  /** Events consumed. */
  clock: number;
  /** Recordings begun, less one. */
  recording: number;
}

export function createEngineState(
  design: Design,
  order: Order,
  preemption: Preemption,
  usesObservations: boolean,
  host: HostKind,
  rules: AccessorRules,
  roundAccesses: RoundAccesses,
  delays: Delays,
  pageBytes: number,
  hasFilteredRanges: boolean,
): EngineState {
  const fixedMap = fixedMapOf(design, hasFilteredRanges);
  const mechanism = fixedMap < 0 ? mechanismOf(design) : 'fixed';
  return {
    design,
    mechanism,
    fixedMap,
    order,
    host,
    rules,
    roundAccesses,
    delays,
    isAtOnce: host === 'stock' && mechanism === 'counted' && !delays.calls,
    pageBytes,
    hasFilteredRanges,
    preemption,
    usesObservations,
    tallies: createTallies(host === 'stock'),
    mismatches: [],
    history: createHistory(),
    remembers: true,
    virtqueues: unknownVirtqueues(design, host, hasFilteredRanges),
    devices: createDeviceState(),
    open: [],
    underWay: [],
    hasUnfollowed: false,
    spare: [],
    waitingOnCpu: new Int32Array(MAX_CPU + 1),
    roundOnCpu: new Int32Array(MAX_CPU + 1).fill(-1),
    hasLost: false,
    knowsNothing: false,
    clock: 0,
    recording: -1,
  };
}

function fixedMapOf(design: Design, hasFilteredRanges: boolean): number {
  if (design.usesDeviceIotlb === true) return IOTLB;
  if (design.switchedOff !== undefined) return SWITCHED_OFF;
  if (design.maps === 'never') return NEVER_MAPS;
  // Where mapping fails the ioctl does, and the ring is not used (reference §2.1, V1).
  if (design.maps === 'ioctl') return HIT;
  // Any range of the process drops the map, also one that was left out of the recording.
  return design.overlap === 'always' && hasFilteredRanges ? AMBIGUOUS : -1;
}

/** Virtqueues as a recording finds them. */
export function unknownVirtqueues(
  design: Design,
  host: HostKind,
  hasFilteredRanges: boolean,
): VirtqueueState {
  const fixedMap = fixedMapOf(design, hasFilteredRanges);
  const map = fixedMap < 0 ? AMBIGUOUS : fixedMap;
  // A stock kernel records no ranges that could be other ones.
  const mayDiverge = host === 'direct-map' && design.keepsRangesOnFailedSetup;
  return createVirtqueueState(map, mayDiverge ? 1 : 0);
}

/** A callback to fill; give it back with `recycle`. */
export function takeCallback(engine: EngineState): Callback {
  const callback = engine.spare.pop() ?? createCallback();
  callback.slotCount = 0;
  callback.done = 0;
  callback.beforeAt = -1;
  return callback;
}

export function recycle(engine: EngineState, callback: Callback): void {
  engine.spare.push(callback);
}
