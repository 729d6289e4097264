/**
 * The engine: feeds events, in time order, through the state machine of reference §1 under the
 * switches of a design, and counts what every access and every attempt to map would have become.
 *
 * Two orders. In `effects` order the recorded `effect_start`/`effect_end` events say when a callback
 * took effect, and the state is exact (`effects-order.ts`). In `ranges` order only the entry of
 * callbacks is known; the state is then kept as intervals, and what falls into them is ambiguous
 * (`ranges-order.ts`). Neither reads what the kernel was seen to decide, except to compare it with the
 * prediction. Two exceptions: recorded attempts may settle maps when asked to (`observed-attempts.ts`),
 * and an observed device IOTLB is an input, as no design has a say in it.
 */
import { NEWEST_RULES, type AccessorRules } from './accessor-rules/rule-sets.js';
import type { Preemption } from './callbacks.js';
import { setCount } from './counts.js';
import { assignOwner, assignVirtqueue, createDeviceState, NO_RANK } from './device-state.js';
import type { Design } from './designs.js';
import { applyEnd, applyStart, missingEffects, missOverdue } from './effects-order.js';
import {
  createEngineState,
  unknownVirtqueues,
  type EngineState,
  type HostKind,
  type Mismatch,
  type Order,
  type RoundAccesses,
} from './engine-state.js';
import { hasDetail, NO_ACCESSOR as NONE, type EventBatch } from './event-batch.js';
import { KIND } from './events.js';
import { clearHistory, growHistory } from './history.js';
import { inspectVirtqueue, sureCount, type SureCount, type VirtqueueSnapshot } from './inspect.js';
import { keepMismatch, noteFor } from './mismatches.js';
import { AMBIGUOUS, IOTLB, OBSERVED_OF_OUTCOME, OUTCOMES, PENDING } from './outcome.js';
import { forgetAttempts } from './observed-attempts.js';
import { enterCoreRange, enterRange, returnCoreRange } from './recorded-ranges.js';
import { dropMaps, recordRange, reset, switchNotifier } from './ring-setup.js';
import { ACCESSOR_SPAN, AREA_COUNT } from './ring.js';
import { beginRound, endAttempts, passCpu, seePrefetch, settleRound } from './rounds.js';
import { accessIndex, growTallies, NO_OBSERVATION, OBSERVATIONS, type Tallies } from './tallies.js';
import { keepTallies, takeBack, type KeptTallies, type Uncounted } from './tallies-span.js';
import { seePages, USUAL_DELAYS, type Delays } from './stock-host/page-evidence.js';
import { readCounters } from './stock-host/counters.js';
import { judgeOutOfRound } from './stock-host/out-of-round.js';
import { isRangeUnderWay } from './stock-host/ranges-under-way.js';
import { endRound } from './stock-host/round-end.js';
import {
  growVirtqueueState,
  RANGE_NONE,
  setIotlb,
  type VirtqueueState,
} from './virtqueue-state.js';

export interface EngineOptions {
  readonly design: Design;
  readonly order: Order;
  /** How the recording kernel preempts; matters in ranges order only. Default `unknown`. */
  readonly preemption?: Preemption;
  /**
   * In ranges order, let recorded attempts settle maps and counts. The recording kernel must have run
   * the design, and all attempts must be recorded (`Tallies.attempts.missing`). Default false.
   */
  readonly useObservations?: boolean;
  /** What was recorded; see HostKind. Default `direct-map`. */
  readonly host?: HostKind;
  /** By whose rules a stock host's rounds access the ring. Default: the newest. */
  readonly rules?: AccessorRules;
  /** How a stock host's recording tells what a round accessed; see RoundAccesses. Default `derived`. */
  readonly roundAccesses?: RoundAccesses;
  /** What a stock host's recording does not tell the end of. */
  readonly delays?: Delays;
}

export interface Engine {
  readonly design: Design;
  readonly order: Order;
  readonly host: HostKind;
  /** Whether recorded attempts settle maps and counts. */
  readonly usesObservations: boolean;
  readonly tallies: Tallies;
  /** The first predictions that the kernel contradicts. */
  readonly mismatches: readonly Mismatch[];
  /** What is known of a virtqueue at this point; copies, so it costs nothing that is not asked. */
  inspect(vq: number): VirtqueueSnapshot;
  /** The map of an area as an outcome, without what attempts still open may change. */
  mapOf(vq: number, area: number): number;
  /** invalidate_count of a virtqueue, and whether no effect of a callback that has returned is due. */
  countOf(vq: number): SureCount;
  /** Effects that the ranges seen so far call for, and that were not recorded (0 in a whole trace). */
  missingEffects(): number;
  /**
   * Events `from` to `to` (exclusive) of a batch, which follow in time what came before. HOT:
   * allocates nothing per event. Benchmark: `pnpm bench`.
   */
  consume(batch: EventBatch, from: number, to: number): void;
  /** The trace has ended: attempts still open are judged. */
  finish(): void;
  /** From here on events change the state and are not counted; or are counted again. */
  count(isCounting: boolean): void;
  /** What came while it did not count; see Uncounted. */
  readonly uncounted: Readonly<Uncounted>;
}

export function createEngine({
  design,
  order,
  preemption = 'unknown',
  useObservations = false,
  host = 'direct-map',
  rules = NEWEST_RULES,
  roundAccesses = 'derived',
  delays = USUAL_DELAYS,
}: EngineOptions): Engine {
  // Recorded effects belong to the recording kernel; a design with other rules has others.
  const hasEffects = host === 'direct-map' && design.callbackRules === 'direct-map';
  const used = hasEffects ? order : 'ranges';
  const usesObservations =
    useObservations && used === 'ranges' && design.maps !== 'never' && host === 'direct-map';
  const engine = createEngineState(
    design,
    used,
    preemption,
    usesObservations,
    host,
    rules,
    host === 'stock' ? roundAccesses : 'derived',
    delays,
  );
  const uncounted: Uncounted = { overlapping: 0, disagree: 0 };
  let kept: KeptTallies | undefined;
  const count = (isCounting: boolean): void => {
    const { tallies, mismatches } = engine;
    if (!isCounting) kept ??= keepTallies(tallies, mismatches);
    else if (kept !== undefined) {
      takeBack(tallies, mismatches, kept, uncounted);
      kept = undefined;
    }
  };
  return {
    design,
    order: engine.order,
    host,
    usesObservations,
    tallies: engine.tallies,
    mismatches: engine.mismatches,
    inspect: (vq) => {
      know(engine, vq);
      return inspectVirtqueue(engine, vq);
    },
    mapOf: (vq, area) => {
      const { virtqueues } = engine;
      const map = vq < virtqueues.size ? virtqueues.map[4 * vq + area] : virtqueues.firstMap;
      return map & (PENDING - 1);
    },
    countOf: (vq) => sureCount(engine, vq),
    missingEffects: () => missingEffects(engine),
    consume: (batch, from, to) => consume(engine, batch, from, to),
    finish: () => {
      endRecording(engine);
      count(true);
    },
    count,
    uncounted,
  };
}

/**
 * Kinds of events that show how far a CPU has come in ranges order: not the recorder's own words, and
 * nothing from within a callback or the attempts of a round, which are not over by then.
 */
const SHOWS_PROGRESS: Uint8Array = (() => {
  const shows = new Uint8Array(256).fill(1);
  for (const kind of [
    KIND.recording,
    KIND.virtqueue,
    KIND.lost,
    KIND.recording_end,
    KIND.prefetch,
    KIND.effect_start,
    KIND.effect_end,
    // A timer, which may go off within a callback; and what the recorder reads beside the kernel.
    KIND.heartbeat,
    KIND.pages,
    // Told by the program, from within what it tells of.
    KIND.stack,
    KIND.tlb_flush,
  ])
    shows[kind] = 0;
  return shows;
})();

const ACCESS = KIND.access;

// Imported names are looked up at every use; these are constants to the compiler, and shifts.
const VQ_SHIFT = Math.log2(ACCESSOR_SPAN);
const OUTCOME_SHIFT = Math.log2(OBSERVATIONS);
const PLACE_SHIFT = Math.log2(OUTCOMES * OBSERVATIONS);
const OBSERVED_MASK = NO_OBSERVATION;
const NO_ACCESSOR = NONE;

/**
 * By outcome (with PENDING) and observed decision: 1 where an access is more than one to count, because
 * attempts are still to be judged, or what the kernel did contradicts the prediction, or it tells that
 * the device IOTLB is on.
 */
const ASKS_FOR_MORE: Uint8Array = Uint8Array.from(
  { length: 2 * PENDING * OBSERVATIONS },
  (_, index) => {
    const outcome = Math.floor(index / OBSERVATIONS);
    const observed = index % OBSERVATIONS;
    if (outcome >= PENDING) return 1;
    if (observed === NO_OBSERVATION || observed === OBSERVED_OF_OUTCOME[outcome]) return 0;
    return outcome === AMBIGUOUS && observed !== OBSERVED_OF_OUTCOME[IOTLB] ? 0 : 1;
  },
);

function consume(engine: EngineState, batch: EventBatch, from: number, to: number): void {
  const { waitingOnCpu, tallies } = engine;
  const { cpu } = batch;
  const isCountedAtOnce = engine.host === 'direct-map';
  for (let i = from; i < to; i++) {
    // Most events are accesses between two changes of the state.
    if (waitingOnCpu[cpu] === 0 && isCountedAtOnce)
      i = countRun(engine.virtqueues, tallies.accesses, batch, i, to);
    if (i < to) consumeOne(engine, batch, i);
  }
}

/**
 * Counts accesses that ask for nothing else, from event `from` on. Returns the index of the first event
 * that does, or `to`. HOT: nothing here but loads and one addition.
 */
function countRun(
  { effective, size }: VirtqueueState,
  accesses: Float64Array,
  { vq: vqs, accessor: accessors, observed, n }: EventBatch,
  from: number,
  to: number,
): number {
  for (let i = from; i < to; i++) {
    // Only accesses have an accessor: it tells their kind, too.
    const accessor = accessors[i];
    const vq = vqs[i];
    if (accessor === NO_ACCESSOR || vq >= size) return i;
    const place = (vq << VQ_SHIFT) | accessor;
    const seen = (effective[place] << OUTCOME_SHIFT) | (observed[i] & OBSERVED_MASK);
    if (ASKS_FOR_MORE[seen] !== 0) return i;
    accesses[(place << PLACE_SHIFT) | seen] += n[i];
  }
  return to;
}

/** Any event, with all that it may ask for. */
function consumeOne(engine: EngineState, batch: EventBatch, i: number): void {
  const kind = batch.kind[i];
  if (kind !== ACCESS) engine.clock++;
  if (engine.waitingOnCpu[batch.cpu] !== 0 && SHOWS_PROGRESS[kind] === 1) passCpu(engine, batch, i);
  if (kind === ACCESS) consumeAccess(engine, batch, i);
  else handle(engine, batch, i);
}

function consumeAccess(engine: EngineState, batch: EventBatch, i: number): void {
  const vq = batch.vq[i];
  const accessor = batch.accessor[i];
  know(engine, vq);
  const { effective, inRound, countedInRound } = engine.virtqueues;
  if (engine.roundAccesses === 'recorded' && inRound[vq] === 1) {
    // Told when the call begins that makes it: it may come after a range that is told later.
    countedInRound[ACCESSOR_SPAN * vq + accessor] += batch.n[i];
    return;
  }
  if (engine.host === 'stock') return judgeOutOfRound(engine, batch, i);
  const place = ACCESSOR_SPAN * vq + accessor;
  if (effective[place] >= PENDING) settleRound(engine, batch, i, vq);
  let outcome = effective[place];
  const observed = batch.observed[i] & NO_OBSERVATION;
  if (ASKS_FOR_MORE[OBSERVATIONS * outcome + observed] !== 0)
    outcome = contradicted(engine, batch, i, outcome);
  engine.tallies.accesses[accessIndex(vq, accessor, outcome) + observed] += batch.n[i];
}

/** Every event that is no access. */
function handle(engine: EngineState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const detail = batch.detail[i];
  const vq = batch.vq[i];
  const { virtqueues } = engine;
  if (batch.kind[i] !== KIND.lost) engine.knowsNothing = false;
  switch (batch.kind[i]) {
    case KIND.round:
      know(engine, vq);
      beginRound(engine, batch, i, vq);
      note(engine, batch, i, -1);
      return;
    case KIND.round_end:
      if (engine.host !== 'stock') return;
      know(engine, vq);
      endRound(engine, batch, i);
      note(engine, batch, i, -1);
      return;
    case KIND.counted:
      if (engine.host !== 'stock') return;
      know(engine, vq);
      readCounters(engine, batch, i);
      return;
    case KIND.core_range_start:
      if (engine.host === 'stock') enterCoreRange(engine, batch, i, true);
      return;
    case KIND.core_range_end:
      if (engine.host === 'stock') enterCoreRange(engine, batch, i, false);
      return;
    case KIND.core_range_start_return:
      if (engine.host === 'stock') returnCoreRange(engine, batch, i, true);
      return;
    case KIND.core_range_end_return:
      if (engine.host === 'stock') returnCoreRange(engine, batch, i, false);
      return;
    case KIND.pages: {
      if (engine.host !== 'stock') return;
      know(engine, vq);
      const slot = 4 * vq + details.area[detail];
      if (!isRangeUnderWay(engine, slot)) seePages(virtqueues, batch, i, slot, engine.delays);
      return;
    }
    case KIND.prefetch: {
      know(engine, vq);
      const area = details.area[detail];
      note(engine, batch, i, area);
      if (engine.design.maps !== 'never') seePrefetch(engine, batch, i, 4 * vq + area);
      return;
    }
    case KIND.range_start:
      enterRange(engine, batch, i, true);
      return;
    case KIND.range_end:
      enterRange(engine, batch, i, false);
      return;
    case KIND.effect_start: {
      if (engine.order !== 'effects' || engine.design.maps === 'never') return;
      know(engine, vq);
      const area = details.area[detail];
      applyStart(engine, vq, 4 * vq + area);
      note(engine, batch, i, area);
      return;
    }
    case KIND.effect_end: {
      if (engine.order !== 'effects' || engine.design.maps === 'never') return;
      know(engine, vq);
      const area = details.area[detail];
      applyEnd(engine, vq, 4 * vq + area);
      note(engine, batch, i, area);
      return;
    }
    case KIND.addresses: {
      know(engine, vq);
      const area = details.area[detail];
      const failed = hasDetail(details, detail, 'error') && details.error[detail] !== 0;
      recordRange(engine, batch, i, 4 * vq + area, failed);
      note(engine, batch, i, area);
      return;
    }
    case KIND.unmap:
      know(engine, vq);
      dropMaps(engine, vq);
      note(engine, batch, i, -1);
      return;
    case KIND.reset:
      know(engine, vq);
      reset(engine, vq);
      note(engine, batch, i, -1);
      return;
    case KIND.notifier:
      switchNotifier(
        engine,
        details.dev[detail],
        details.registered[detail] === 1 && details.error[detail] === 0,
      );
      return;
    case KIND.iotlb:
      know(engine, vq);
      if (engine.usesObservations) forgetAttempts(engine, vq);
      setIotlb(virtqueues, vq, details.enabled[detail] === 1);
      note(engine, batch, i, -1);
      return;
    case KIND.virtqueue: {
      know(engine, vq);
      if (!hasDetail(details, detail, 'dev')) return;
      const dev = details.dev[detail];
      const rank = hasDetail(details, detail, 'rank') ? details.rank[detail] : NO_RANK;
      assignVirtqueue(engine.devices, vq, virtqueues.dev[vq], dev, rank);
      virtqueues.dev[vq] = dev;
      if (hasDetail(details, detail, 'owner'))
        assignOwner(engine.devices, dev, details.owner[detail]);
      return;
    }
    case KIND.recording:
      beginRecording(engine);
      return;
    case KIND.lost:
      engine.tallies.lostEvents +=
        (BigInt(details.lost[2 * detail + 1]) << 32n) | BigInt(details.lost[2 * detail]);
      if (!engine.knowsNothing) forgetState(engine);
      engine.knowsNothing = true;
      return;
    default:
      return;
  }
}

/** Makes room for a virtqueue. One that was not reset before our eyes may be in any state. */
function know(engine: EngineState, vq: number): void {
  const known = engine.virtqueues.size;
  if (vq < known) return;
  growVirtqueueState(engine.virtqueues, vq);
  growTallies(engine.tallies, engine.virtqueues.capacity);
  growHistory(engine.history, engine.virtqueues.capacity);
  if (engine.host === 'stock' && !engine.hasLost)
    for (let id = known; id <= vq; id++) takeAsQuiet(engine, id);
}

/**
 * What is taken for granted of a virtqueue of a stock host when it is first seen: that the design's notifier
 * would have been registered, no range would have been under way, and its count 0. Whether it would have had
 * maps is left open.
 */
function takeAsQuiet(engine: EngineState, vq: number): void {
  setCount(engine, vq, 0, 0);
  engine.virtqueues.untracked[vq] = 0;
  engine.virtqueues.sized.fill(RANGE_NONE, 4 * vq, 4 * vq + AREA_COUNT);
}

function beginRecording(engine: EngineState): void {
  forgetState(engine);
  engine.recording++;
  engine.hasLost = false;
  engine.devices = createDeviceState();
  engine.virtqueues = unknownVirtqueues(engine.design, engine.host);
  clearHistory(engine.history);
}

/**
 * Events are missing from here on back, nobody knows how far: what follows is judged as if the
 * recording began here. Only which virtqueue belongs to which device is still true.
 */
function forgetState(engine: EngineState): void {
  endRecording(engine);
  engine.hasLost = true;
  const { dev, size, counters } = engine.virtqueues;
  engine.virtqueues = unknownVirtqueues(engine.design, engine.host);
  for (let vq = 0; vq < size; vq++) know(engine, vq);
  engine.virtqueues.dev.set(dev.subarray(0, size));
  engine.virtqueues.counters.set(counters.subarray(0, ACCESSOR_SPAN * size));
  engine.devices.notifier = [];
  engine.devices.paired = [];
  engine.open.length = 0;
  engine.underWay.length = 0;
  engine.hasUnfollowed = false;
  engine.waitingOnCpu.fill(0);
  engine.roundOnCpu.fill(-1);
}

/** In effects order attempts are seen: one that was not has not been made yet. */
function endRecording(engine: EngineState): void {
  const { virtqueues, order } = engine;
  for (let vq = 0; vq < virtqueues.size; vq++) {
    if (order === 'ranges') endAttempts(engine, vq);
    else missOverdue(engine, vq);
  }
}

/**
 * The kernel was seen to decide otherwise, or the prediction is ambiguous. Returns the outcome to
 * count: an observed device IOTLB says that vq->iotlb is set, which no design decides.
 */
function contradicted(engine: EngineState, batch: EventBatch, i: number, outcome: number): number {
  const vq = batch.vq[i];
  if (batch.observed[i] === 2 && engine.virtqueues.iotlb[vq] === 0) {
    setIotlb(engine.virtqueues, vq, true);
    engine.knowsNothing = false;
    return IOTLB;
  }
  if (outcome !== AMBIGUOUS) {
    keepMismatch(engine, batch, i, vq, 'access', batch.accessor[i], outcome, batch.observed[i]);
  }
  return outcome;
}

function note(engine: EngineState, batch: EventBatch, i: number, area: number): void {
  noteFor(engine, batch, i, batch.vq[i], area);
}
