/**
 * The engine: feeds events, in time order, through the state machine of reference §1 under the
 * switches of a design, and counts what every access and every attempt to map would have become.
 *
 * Two orders. In `effects` order the recorded `effect_start`/`effect_end` events say when a callback
 * took effect, and the state is exact (`effects-order.ts`). In `ranges` order only the entry of
 * callbacks is known; the state is then kept as intervals, and what falls into them is ambiguous
 * (`ranges-order.ts`). Neither reads what the kernel was seen to decide, except to compare it with the
 * prediction; but an observed device IOTLB is an input, as no design has a say in it.
 */
import {
  abandonAttempts,
  openAttempt,
  openAttempts,
  settleAttempt,
  settleAttempts,
} from './attempts.js';
import { slotAt, type Preemption } from './callbacks.js';
import { assignVirtqueue, createDeviceState } from './device-state.js';
import type { Design } from './designs.js';
import { applyEnd, applyStart, missingEffects } from './effects-order.js';
import {
  createEngineState,
  unknownVirtqueues,
  type EngineState,
  type Mismatch,
  type Order,
} from './engine-state.js';
import {
  DETAIL_BIT,
  NOT_OBSERVED,
  type DetailColumns,
  type DetailField,
  type EventBatch,
} from './event-batch.js';
import { KIND } from './events.js';
import { clearHistory, growHistory } from './history.js';
import { keepMismatch, noteFor } from './mismatches.js';
import {
  AMBIGUOUS,
  GUP_SHORT,
  HIT,
  IOTLB,
  NO_MEMORY,
  NOT_CONTIGUOUS,
  OBSERVED_OF_OUTCOME,
  PENDING,
} from './outcome.js';
import { passCallbacks } from './ranges-order.js';
import { enterRange } from './recorded-ranges.js';
import { dropMaps, recordRange, reset, switchNotifier } from './ring-setup.js';
import { AREA_COUNT, AREA_OF_ACCESSOR } from './ring.js';
import { accessIndex, growTallies, type Tallies } from './tallies.js';
import {
  growVirtqueueState,
  NO_OUTCOME,
  SEEN_REFUSED,
  SEEN_TRIED,
  setIotlb,
} from './virtqueue-state.js';

export interface EngineOptions {
  readonly design: Design;
  readonly order: Order;
  /** How the recording kernel preempts; matters in ranges order only. Default `unknown`. */
  readonly preemption?: Preemption;
}

export interface Engine {
  readonly design: Design;
  readonly order: Order;
  readonly tallies: Tallies;
  /** The first predictions that the kernel contradicts. */
  readonly mismatches: readonly Mismatch[];
  /** Effects that the ranges seen so far call for, and that were not recorded (0 in a whole trace). */
  missingEffects(): number;
  /**
   * Events `from` to `to` (exclusive) of a batch, which follow in time what came before. HOT:
   * allocates nothing per event. Benchmark: `pnpm bench`.
   */
  consume(batch: EventBatch, from: number, to: number): void;
  /** The trace has ended: attempts still open are judged. */
  finish(): void;
}

export function createEngine({ design, order, preemption = 'unknown' }: EngineOptions): Engine {
  // Recorded effects belong to the recording kernel; a design with other rules has others.
  const engine = createEngineState(
    design,
    design.callbackRules === 'direct-map' ? order : 'ranges',
    preemption,
  );
  return {
    design,
    order: engine.order,
    tallies: engine.tallies,
    mismatches: engine.mismatches,
    missingEffects: () => missingEffects(engine),
    consume: (batch, from, to) => consume(engine, batch, from, to),
    finish: () => {
      // In effects order attempts are seen: one that was not has not been made yet.
      if (engine.order === 'ranges') settleAll(engine);
    },
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
  ])
    shows[kind] = 0;
  return shows;
})();

function consume(engine: EngineState, batch: EventBatch, from: number, to: number): void {
  const { kind, vq: vqs, accessor: accessors, observed: observations, n, cpu } = batch;
  const { waitingOnCpu, tallies } = engine;
  const { seen } = tallies;
  let { accesses } = tallies;
  let { effective } = engine.virtqueues;
  for (let i = from; i < to; i++) {
    if (kind[i] !== KIND.access) {
      engine.clock++;
      if (waitingOnCpu[cpu] !== 0 && SHOWS_PROGRESS[kind[i]] === 1) passCpu(engine, batch, i);
      handle(engine, batch, i);
      accesses = tallies.accesses;
      effective = engine.virtqueues.effective;
      continue;
    }
    if (waitingOnCpu[cpu] !== 0) passCpu(engine, batch, i);
    const vq = vqs[i];
    if (vq >= engine.virtqueues.size) {
      know(engine, vq);
      accesses = tallies.accesses;
      effective = engine.virtqueues.effective;
    }
    const accessor = accessors[i];
    const slot = 4 * vq + AREA_OF_ACCESSOR[accessor];
    let outcome = effective[slot];
    if (outcome >= PENDING) {
      settleRound(engine, batch, i, vq);
      outcome = effective[slot];
    }
    const observed = observations[i];
    if (observed !== OBSERVED_OF_OUTCOME[outcome] && observed !== NOT_OBSERVED) {
      outcome = contradicted(engine, batch, i, outcome);
    }
    const count = n[i];
    accesses[accessIndex(vq, accessor) + outcome] += count;
    seen[4 * outcome + (observed & 3)] += count;
  }
}

/** Every event that is no access. */
function handle(engine: EngineState, batch: EventBatch, i: number): void {
  const { details } = batch;
  const detail = batch.detail[i];
  const vq = batch.vq[i];
  const { virtqueues } = engine;
  switch (batch.kind[i]) {
    case KIND.round:
      know(engine, vq);
      beginRound(engine, batch.cpu, vq);
      note(engine, batch, i, -1);
      return;
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
      const failed = has(details, detail, 'error') && details.error[detail] !== 0;
      recordRange(engine, details, detail, 4 * vq + area, failed);
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
      setIotlb(virtqueues, vq, details.enabled[detail] === 1);
      note(engine, batch, i, -1);
      return;
    case KIND.virtqueue: {
      know(engine, vq);
      if (!has(details, detail, 'dev')) return;
      const dev = details.dev[detail];
      const rank = has(details, detail, 'rank') ? details.rank[detail] : vq;
      assignVirtqueue(engine.devices, vq, virtqueues.dev[vq], dev, rank);
      virtqueues.dev[vq] = dev;
      return;
    }
    case KIND.recording:
      beginRecording(engine);
      return;
    case KIND.lost:
      engine.tallies.lostEvents +=
        (BigInt(details.lost[2 * detail + 1]) << 32n) | BigInt(details.lost[2 * detail]);
      return;
    default:
      return;
  }
}

function has(details: DetailColumns, detail: number, field: DetailField): boolean {
  return ((details.present[detail] >>> DETAIL_BIT[field]) & 1) === 1;
}

/** Makes room for a virtqueue. One that was not reset before our eyes may be in any state. */
function know(engine: EngineState, vq: number): void {
  if (vq < engine.virtqueues.size) return;
  growVirtqueueState(engine.virtqueues, vq);
  growTallies(engine.tallies, engine.virtqueues.capacity);
  growHistory(engine.history, engine.virtqueues.capacity);
}

function beginRecording(engine: EngineState): void {
  settleAll(engine);
  engine.recording++;
  engine.virtqueues = unknownVirtqueues(engine.design);
  engine.devices = createDeviceState();
  engine.open.length = 0;
  engine.waitingOnCpu.fill(0);
  engine.roundOnCpu.fill(-1);
  clearHistory(engine.history);
}

function settleAll(engine: EngineState): void {
  const { virtqueues, tallies } = engine;
  for (let vq = 0; vq < virtqueues.size; vq++) settleAttempts(virtqueues, tallies, vq);
}

/** vq_meta_prefetch: with the device IOTLB on it leaves the maps alone (reference §1.3). */
function beginRound(engine: EngineState, cpu: number, vq: number): void {
  const { virtqueues, tallies, order } = engine;
  tallies.rounds[vq]++;
  if (engine.design.maps === 'never' || virtqueues.iotlb[vq] === 1) return;
  openAttempts(virtqueues, tallies, vq, order === 'effects');
  if (order === 'effects' || engine.preemption !== 'voluntary') return;
  endWaitOfRound(engine, vq);
  virtqueues.roundCpu[vq] = cpu;
  engine.roundOnCpu[cpu] = vq;
  engine.waitingOnCpu[cpu]++;
}

function endWaitOfRound(engine: EngineState, vq: number): void {
  const cpu = engine.virtqueues.roundCpu[vq];
  if (cpu < 0) return;
  engine.virtqueues.roundCpu[vq] = -1;
  engine.roundOnCpu[cpu] = -1;
  engine.waitingOnCpu[cpu]--;
}

/**
 * Without preemption of kernel code, what was entered on a CPU before its next event has come as far
 * as it can without leaving it. A worker does not leave it before its round has tried all areas.
 */
function passCpu(engine: EngineState, batch: EventBatch, i: number): void {
  passCallbacks(engine, batch.cpu);
  const vq = engine.roundOnCpu[batch.cpu];
  if (vq < 0) return;
  endWaitOfRound(engine, vq);
  settleRound(engine, batch, i, vq);
}

/** What get_user_pages did, of an attempt on a slot; a refused attempt tells nothing of it. */
function seePrefetch(engine: EngineState, batch: EventBatch, i: number, slot: number): void {
  const { virtqueues, tallies } = engine;
  const detail = batch.detail[i];
  const result = batch.details.result[detail];
  const gup = gupOutcome(result, batch.details.pagesGot[detail], batch.details.pagesWanted[detail]);
  if (virtqueues.map[slot] < PENDING) {
    // That a refused attempt was made is for ranges order to predict.
    if (gup === NO_OUTCOME && engine.order === 'ranges') return;
    openAttempt(virtqueues, slot);
  }
  virtqueues.seenAttempt[slot] = result === -14 ? SEEN_REFUSED : SEEN_TRIED;
  const vq = slot >> 2;
  if (gup === HIT) {
    virtqueues.mayBeMapped[slot] = 1;
    virtqueues.builtAt[slot] = engine.clock;
  }
  if (gup !== NO_OUTCOME && virtqueues.diverged[vq] === 0) {
    virtqueues.gup[slot] = gup;
    virtqueues.gupHolds[slot] = gup === HIT && pagesStay(engine, slot) ? 1 : 0;
  }
  if (engine.order !== 'effects') return;
  virtqueues.attemptLow[slot] = virtqueues.countLow[vq];
  virtqueues.attemptHigh[slot] = virtqueues.countHigh[vq];
  const before = tallies.refusals.disagree;
  const predicted = settleAttempt(virtqueues, tallies, slot);
  if (tallies.refusals.disagree !== before)
    keepMismatch(engine, batch, i, vq, 'prefetch', slot & 3, predicted, result);
}

/**
 * Whether what get_user_pages found holds until something is entered: pages change only between the
 * entries of a start and its end, and a notifier is not registered while a range is under way (the
 * memory manager holds all locks then). In effects order attempts are seen and need no such inference.
 */
function pagesStay(engine: EngineState, slot: number): boolean {
  if (engine.order === 'effects') return false;
  for (const callback of engine.open) {
    if (!callback.isStart) continue;
    for (let k = 0; k < callback.slotCount; k++) if (slotAt(callback, k) === slot) return false;
  }
  return true;
}

function gupOutcome(result: number, got: number, wanted: number): number {
  if (result === -12) return NO_MEMORY;
  if (got < 0) return NO_OUTCOME;
  if (got < wanted) return GUP_SHORT;
  return result === 77 ? NOT_CONTIGUOUS : HIT;
}

/** The attempts of a round are over: event `i` shows it. */
function settleRound(engine: EngineState, batch: EventBatch, i: number, vq: number): void {
  const { virtqueues, tallies } = engine;
  const { refusals } = tallies;
  if (batch.vq[i] === vq && batch.observed[i] === 2) return abandonAttempts(virtqueues, vq);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (virtqueues.map[slot] < PENDING) continue;
    const before = refusals.disagree;
    const predicted = settleAttempt(virtqueues, tallies, slot);
    if (refusals.disagree !== before) {
      const result = virtqueues.seenAttempt[slot] === SEEN_REFUSED ? -14 : 0;
      keepMismatch(engine, batch, i, vq, 'prefetch', slot & 3, predicted, result);
    }
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
