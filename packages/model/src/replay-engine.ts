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
import { openAttempt, openAttempts, settleAttempt, settleAttempts } from './attempts.js';
import { addSlot, type Callback, type Preemption } from './callbacks.js';
import { assignVirtqueue, createDeviceState, NOTIFIER_OFF, NOTIFIER_ON } from './device-state.js';
import type { Design } from './designs.js';
import { applyEnd, applyStart, missingEffects, noteCallback } from './effects-order.js';
import {
  createEngineState,
  recycle,
  takeCallback,
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
import { clearHistory, growHistory, recall, remember } from './history.js';
import {
  AMBIGUOUS,
  GUP_SHORT,
  HIT,
  IOTLB,
  NEVER_MAPS,
  NO_MEMORY,
  NOT_CONTIGUOUS,
  NOT_SET_UP,
  OBSERVED_OF_OUTCOME,
  PENDING,
} from './outcome.js';
import {
  completeDevice,
  countChanged,
  enterCallback,
  passCpu,
  resetCountUnderWay,
} from './ranges-order.js';
import { AREA_COUNT, AREA_OF_ACCESSOR } from './ring.js';
import { accessIndex, growTallies, type Tallies } from './tallies.js';
import {
  createVirtqueueState,
  growVirtqueueState,
  isRange,
  NO_OUTCOME,
  overlaps,
  SEEN_REFUSED,
  SEEN_TRIED,
  setIotlb,
  setMap,
  setRange,
  UNKNOWN_COUNT,
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

/** Mismatches kept with their history; the others are only counted. */
const KEPT_MISMATCHES = 10;

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
    finish: () => settleAll(engine),
  };
}

const ACCESS = KIND.access;

function consume(engine: EngineState, batch: EventBatch, from: number, to: number): void {
  const { kind, vq: vqs, accessor: accessors, observed: observations, n, cpu } = batch;
  const { waitingOnCpu, tallies } = engine;
  const { seen } = tallies;
  let { accesses } = tallies;
  let { effective, size } = engine.virtqueues;
  for (let i = from; i < to; i++) {
    if (waitingOnCpu[cpu] !== 0) passCpu(engine, cpu);
    const vq = vqs[i];
    if (kind[i] !== ACCESS || vq >= size) {
      if (kind[i] === ACCESS) know(engine, vq);
      else handle(engine, batch, i);
      accesses = tallies.accesses;
      ({ effective, size } = engine.virtqueues);
      if (kind[i] !== ACCESS) continue;
    }
    const accessor = accessors[i];
    const slot = 4 * vq + AREA_OF_ACCESSOR[accessor];
    let outcome = effective[slot];
    if (outcome >= PENDING) {
      settleBefore(engine, batch, i, vq);
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
  engine.clock++;
  const { details } = batch;
  const detail = batch.detail[i];
  const vq = batch.vq[i];
  const { virtqueues } = engine;
  switch (batch.kind[i]) {
    case KIND.round:
      know(engine, vq);
      beginRound(engine, vq);
      note(engine, batch, i, -1);
      return;
    case KIND.prefetch: {
      know(engine, vq);
      const area = details.area[detail];
      note(engine, batch, i, area);
      seePrefetch(engine, batch, i, 4 * vq + area);
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
    case KIND.effect_end:
      if (engine.order !== 'effects' || engine.design.maps === 'never') return;
      know(engine, vq);
      applyEnd(engine, vq);
      note(engine, batch, i, details.area[detail]);
      return;
    case KIND.addresses: {
      know(engine, vq);
      const area = details.area[detail];
      const failed = has(details, detail, 'error') && details.error[detail] !== 0;
      if (failed && engine.design.keepsRangesOnFailedSetup)
        keepRange(engine, details, detail, 4 * vq + area);
      else setRange(virtqueues, 4 * vq + area, details.address, details.size, 2 * detail);
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
        details.registered[detail],
        details.error[detail],
      );
      return;
    case KIND.iotlb:
      know(engine, vq);
      setIotlb(virtqueues, vq, details.enabled[detail] === 1);
      note(engine, batch, i, -1);
      return;
    case KIND.virtqueue: {
      know(engine, vq);
      const dev = has(details, detail, 'dev') ? details.dev[detail] : -1;
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
  if (vq < engine.virtqueues.size && engine.virtqueues.seen[vq] === 1) return;
  growVirtqueueState(engine.virtqueues, vq);
  growTallies(engine.tallies, engine.virtqueues.capacity);
  growHistory(engine.history, engine.virtqueues.capacity);
  if (engine.design.maps === 'never') fillMaps(engine, vq, NEVER_MAPS);
}

function fillMaps(engine: EngineState, vq: number, map: number): void {
  const becomes = engine.design.maps === 'never' ? NEVER_MAPS : map;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
    setMap(engine.virtqueues, slot, becomes);
}

function beginRecording(engine: EngineState): void {
  settleAll(engine);
  engine.recording++;
  engine.virtqueues = createVirtqueueState();
  engine.devices = createDeviceState();
  engine.open.length = 0;
  engine.waitingOnCpu.fill(0);
  clearHistory(engine.history);
}

function settleAll(engine: EngineState): void {
  const { virtqueues, tallies } = engine;
  for (let vq = 0; vq < virtqueues.size; vq++) settleAttempts(virtqueues, tallies, vq);
}

/** vq_meta_prefetch: with the device IOTLB on it leaves the maps alone (reference §1.3). */
function beginRound(engine: EngineState, vq: number): void {
  engine.tallies.rounds[vq]++;
  if (engine.design.maps === 'never' || engine.virtqueues.iotlb[vq] === 1) return;
  openAttempts(engine.virtqueues, engine.tallies, vq);
}

/** What get_user_pages did, of an attempt on a slot; a refused attempt tells nothing of it. */
function seePrefetch(engine: EngineState, batch: EventBatch, i: number, slot: number): void {
  if (engine.design.maps === 'never') return;
  const { virtqueues, tallies } = engine;
  const detail = batch.detail[i];
  const result = batch.details.result[detail];
  const refused = result === -14;
  // Without a round before it (the recording began in the middle) the attempt opens its own.
  if (virtqueues.map[slot] < PENDING) openAttempt(virtqueues, slot);
  virtqueues.seenAttempt[slot] = refused ? SEEN_REFUSED : SEEN_TRIED;
  if (!refused && virtqueues.diverged[slot >> 2] === 0) {
    const gup = gupOutcome(
      result,
      batch.details.pagesGot[detail],
      batch.details.pagesWanted[detail],
    );
    virtqueues.gup[slot] = gup;
    virtqueues.gupHolds[slot] = gup === HIT ? 1 : 0;
  }
  if (engine.order !== 'effects') return;
  const vq = slot >> 2;
  virtqueues.attemptLow[slot] = virtqueues.countLow[vq];
  virtqueues.attemptHigh[slot] = virtqueues.countHigh[vq];
  const before = tallies.refusals.disagree;
  const predicted = settleAttempt(virtqueues, tallies, slot);
  if (tallies.refusals.disagree !== before)
    keepMismatch(engine, batch, i, 'prefetch', slot & 3, predicted, result);
}

function gupOutcome(result: number, got: number, wanted: number): number {
  if (result === -12) return NO_MEMORY;
  if (got < 0) return NO_OUTCOME;
  if (got < wanted) return GUP_SHORT;
  return result === 77 ? NOT_CONTIGUOUS : HIT;
}

/** A notifier callback is entered. Non-blockable ranges change nothing (reference §1.4, §5.3). */
function enterRange(engine: EngineState, batch: EventBatch, i: number, isStart: boolean): void {
  const { ranges } = engine.tallies;
  if (isStart) ranges.start++;
  else ranges.end++;
  const callback = readCallback(engine, batch, i, isStart);
  const blockable = batch.details.blockable[batch.detail[i]] === 1;
  if (isStart && !blockable) {
    ranges.nonBlockable++;
    if (refusesNonBlockable(engine.design, callback)) ranges.refused++;
  }
  if (!blockable || engine.design.maps === 'never') return recycle(engine, callback);
  if (callback.slotCount > 0) {
    if (isStart) ranges.overlapping++;
    if (isStart) ranges.startedAreas += callback.slotCount;
    else ranges.endedAreas += callback.slotCount;
    // Pages may go at any moment between the entries of start and end: what get_user_pages found
    // before either of them says nothing afterwards.
    for (let k = 0; k < callback.slotCount; k++) engine.virtqueues.gupHolds[callback.slots[k]] = 0;
  }
  const kept =
    engine.order === 'effects' ? noteCallback(engine, callback) : enterCallback(engine, callback);
  let noted = -1;
  for (let k = 0; k < callback.slotCount; k++) {
    const vq = callback.slots[k] >> 2;
    if (vq !== noted) noteFor(engine, batch, i, vq, -1);
    noted = vq;
  }
  if (!kept) recycle(engine, callback);
}

function refusesNonBlockable(design: Design, callback: Callback): boolean {
  if (design.maps === 'never') return false;
  return design.refusesNonBlockable === 'always' || callback.slotCount > 0;
}

function readCallback(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  isStart: boolean,
): Callback {
  const callback = takeCallback(engine);
  const { details } = batch;
  const detail = batch.detail[i];
  const low = 2 * detail;
  callback.dev = details.dev[detail];
  callback.isStart = isStart;
  callback.cpu = batch.cpu;
  callback.pid = details.pid[detail];
  callback.cause = details.cause[detail];
  callback.startLow = details.start[low];
  callback.startHigh = details.start[low + 1];
  callback.endLow = details.end[low];
  callback.endHigh = details.end[low + 1];
  callback.enteredAt = engine.clock;
  const comm = details.comm;
  const from = comm.offsets[detail];
  callback.commLength = Math.min(comm.offsets[detail + 1] - from, callback.comm.length);
  for (let k = 0; k < callback.commLength; k++) callback.comm[k] = comm.bytes[from + k];
  const virtqueues = engine.devices.virtqueues[callback.dev];
  if (virtqueues === undefined) return callback;
  const { startLow, startHigh, endLow, endHigh } = callback;
  for (const vq of virtqueues) {
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
      if (overlaps(engine.virtqueues, slot, startLow, startHigh, endLow, endHigh))
        addSlot(callback, slot);
    }
  }
  return callback;
}

/**
 * SET_VRING_NUM or SET_VRING_ADDR failed and the recording kernel took over what the fields held by
 * then, while the design keeps the old range. Where the two differ, what the recording kernel then
 * found out (the effects of ranges, the pages of the area) is not what the design would have.
 */
function keepRange(
  engine: EngineState,
  details: DetailColumns,
  detail: number,
  slot: number,
): void {
  const { virtqueues } = engine;
  if (isRange(virtqueues, slot, details.address, details.size, 2 * detail)) return;
  const vq = slot >> 2;
  virtqueues.diverged[vq] = 1;
  if (engine.order !== 'effects') return;
  virtqueues.countLow[vq] = -UNKNOWN_COUNT;
  virtqueues.countHigh[vq] = UNKNOWN_COUNT;
  countChanged(engine, vq);
}

/**
 * Maps are dropped outside the notifier (reference §1.5). When unregistration has not begun this is a
 * reset, which sets the count to 0 first; otherwise it is SET_VRING_NUM or SET_VRING_ADDR, and the
 * callbacks of the device have all returned.
 */
function dropMaps(engine: EngineState, vq: number): void {
  const { virtqueues, tallies } = engine;
  const dev = virtqueues.dev[vq];
  settleAttempts(virtqueues, tallies, vq);
  if (dev >= 0 && engine.devices.notifier[dev] === NOTIFIER_OFF) {
    if (engine.order === 'ranges') completeDevice(engine, dev);
    if (engine.design.resetsCountOnSetup) setCount(engine, vq, 0);
  } else {
    resetCount(engine, vq);
    virtqueues.resetting[vq] = 1;
  }
  virtqueues.diverged[vq] = 0;
  fillMaps(engine, vq, NOT_SET_UP);
}

/** vhost_vq_reset is through: sizes 0. Its count went to 0 when it dropped the maps, if it did. */
function reset(engine: EngineState, vq: number): void {
  const { virtqueues, tallies } = engine;
  settleAttempts(virtqueues, tallies, vq);
  if (virtqueues.resetting[vq] === 0) resetCount(engine, vq);
  virtqueues.resetting[vq] = 0;
  setIotlb(virtqueues, vq, false);
  fillMaps(engine, vq, NOT_SET_UP);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    virtqueues.sized[slot] = 0;
    virtqueues.gupHolds[slot] = 0;
  }
}

function resetCount(engine: EngineState, vq: number): void {
  if (engine.order === 'ranges') resetCountUnderWay(engine, vq);
  else setCount(engine, vq, 0);
}

function setCount(engine: EngineState, vq: number, count: number): void {
  engine.virtqueues.countLow[vq] = count;
  engine.virtqueues.countHigh[vq] = count;
  countChanged(engine, vq);
}

/** No range is reported while the notifier is off, so nothing is known to hold over that time. */
function switchNotifier(engine: EngineState, dev: number, registered: number, error: number): void {
  const on = registered === 1 && error === 0;
  if (on && engine.order === 'ranges') completeDevice(engine, dev);
  engine.devices.notifier[dev] = on ? NOTIFIER_ON : NOTIFIER_OFF;
  for (const vq of engine.devices.virtqueues[dev] ?? []) {
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
      engine.virtqueues.gupHolds[slot] = 0;
  }
}

/** The first access of a round: its attempts are over. */
function settleBefore(engine: EngineState, batch: EventBatch, i: number, vq: number): void {
  const { refusals } = engine.tallies;
  const { virtqueues, tallies } = engine;
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    if (virtqueues.map[slot] < PENDING) continue;
    const before = refusals.disagree;
    const predicted = settleAttempt(virtqueues, tallies, slot);
    if (refusals.disagree !== before) {
      const result = virtqueues.seenAttempt[slot] === SEEN_REFUSED ? -14 : 0;
      keepMismatch(engine, batch, i, 'prefetch', slot & 3, predicted, result);
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
    keepMismatch(engine, batch, i, 'access', batch.accessor[i], outcome, batch.observed[i]);
  }
  return outcome;
}

function keepMismatch(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  what: Mismatch['what'],
  which: number,
  predicted: number,
  observed: number,
): void {
  if (engine.mismatches.length >= KEPT_MISMATCHES) return;
  const vq = batch.vq[i];
  engine.mismatches.push({
    what,
    recording: engine.recording,
    line: batch.line[i],
    time: (BigInt(batch.time[2 * i + 1]) << 32n) | BigInt(batch.time[2 * i]),
    cpu: batch.cpu,
    vq,
    which,
    predicted,
    observed,
    history: recall(engine.history, vq),
  });
}

function note(engine: EngineState, batch: EventBatch, i: number, area: number): void {
  noteFor(engine, batch, i, batch.vq[i], area);
}

function noteFor(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  vq: number,
  area: number,
): void {
  const { countLow, countHigh } = engine.virtqueues;
  const { line, cpu, time, kind } = batch;
  remember(
    engine.history,
    vq,
    line[i],
    cpu,
    time[2 * i],
    time[2 * i + 1],
    kind[i],
    area,
    countLow[vq],
    countHigh[vq],
  );
}
