/** The hot loop: accesses are counted, all else changes the state. */
import { doubtDeferred } from './deferred-maps.js';
import { IOTLB_ROUND } from './doubts.js';
import { know } from './engine-recording.js';
import type { EngineState } from './engine-state.js';
import { NO_ACCESSOR as NONE, type EventBatch } from './event-batch.js';
import { KIND } from './events.js';
import { handleEvent } from './handle-event.js';
import { kindTable } from './kind-table.js';
import { keepMismatch } from './mismatches.js';
import { AMBIGUOUS, IOTLB, OBSERVED_OF_OUTCOME, OUTCOMES, PENDING } from './outcome.js';
import { ACCESSOR_SPAN } from './ring.js';
import { passCpu, settleRound } from './rounds.js';
import { judgeAsTold } from './stock-host/out-of-round.js';
import { keepTold } from './stock-host/told-in-round.js';
import { accessIndex, NO_OBSERVATION, OBSERVATIONS } from './tallies.js';
import { IOTLB_ON, setIotlb, type VirtqueueState } from './virtqueue-state.js';

/**
 * Kinds of events that show how far a CPU has come in ranges order: what the kernel does in the course of things. Not
 * what comes from within a callback or the attempts of a round, nor the recorder's own words, timers and looks.
 */
const SHOWS_PROGRESS = kindTable([
  KIND.access,
  KIND.round,
  KIND.round_end,
  KIND.counted,
  KIND.range_start,
  KIND.range_end,
  KIND.core_range_start,
  KIND.core_range_start_return,
  KIND.core_range_end,
  KIND.core_range_end_return,
  KIND.addresses,
  KIND.unmap,
  KIND.reset,
  KIND.notifier,
  KIND.iotlb,
]);

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

export function consumeEvents(
  engine: EngineState,
  batch: EventBatch,
  from: number,
  to: number,
): void {
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

/** Whether an access with that observation asks for nothing but to be counted; `at`: ACCESSOR_SPAN * vq + accessor. */
export function countsPlainly(state: VirtqueueState, at: number, observed: number): boolean {
  if (at >= ACCESSOR_SPAN * state.size) return false;
  return ASKS_FOR_MORE[(state.effective[at] << OUTCOME_SHIFT) | observed] === 0;
}

/** Any event, with all that it may ask for. */
export function consumeOne(engine: EngineState, batch: EventBatch, i: number): void {
  const kind = batch.kind[i];
  if (kind !== ACCESS) engine.clock++;
  if (engine.waitingOnCpu[batch.cpu] !== 0 && SHOWS_PROGRESS[kind] === 1) passCpu(engine, batch, i);
  if (kind === ACCESS) consumeAccess(engine, batch, i);
  else handleEvent(engine, batch, i);
}

function consumeAccess(engine: EngineState, batch: EventBatch, i: number): void {
  const vq = batch.vq[i];
  const accessor = batch.accessor[i];
  know(engine, vq);
  const { effective, inRound } = engine.virtqueues;
  if (engine.roundAccesses === 'recorded' && inRound[vq] === 1)
    return keepTold(engine, vq, accessor, batch.n[i]);
  if (engine.host === 'stock') return judgeAsTold(engine, batch, i);
  const place = ACCESSOR_SPAN * vq + accessor;
  if (effective[place] >= PENDING) settleRound(engine, batch, i, vq);
  let outcome = effective[place];
  const observed = batch.observed[i] & NO_OBSERVATION;
  if (ASKS_FOR_MORE[OBSERVATIONS * outcome + observed] !== 0)
    outcome = contradicted(engine, batch, i, outcome);
  engine.tallies.accesses[accessIndex(vq, accessor, outcome) + observed] += batch.n[i];
}

/**
 * The kernel was seen to decide otherwise, or the prediction is ambiguous. Returns the outcome to
 * count: an observed device IOTLB says that vq->iotlb is set, which no design decides.
 */
function contradicted(engine: EngineState, batch: EventBatch, i: number, outcome: number): number {
  const vq = batch.vq[i];
  if (batch.observed[i] === 2 && engine.virtqueues.iotlb[vq] !== IOTLB_ON) {
    // What its rounds mapped, they did not.
    if (engine.mechanism === 'deferred') doubtDeferred(engine, vq, IOTLB_ROUND);
    setIotlb(engine.virtqueues, vq, true);
    engine.knowsNothing = false;
    return IOTLB;
  }
  if (outcome !== AMBIGUOUS) {
    keepMismatch(engine, batch, i, vq, 'access', batch.accessor[i], outcome, batch.observed[i]);
  }
  return outcome;
}
