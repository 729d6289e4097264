/**
 * Many designs over one pass of a trace. Between two changes of state all accesses of a virtqueue and accessor
 * come out alike under each design: they are counted once for all, and given to each design's tallies before
 * the next event that changes anything. Designs that the engine cannot tell apart are run once.
 */
import { consumeOne, countsPlainly } from './consume-events.js';
import type { Design } from './designs.js';
import { NO_ACCESSOR as NONE, type EventBatch } from './event-batch.js';
import type { EngineState } from './engine-state.js';
import { KIND } from './events.js';
import { createRunningEngine, type Engine, type EngineOptions } from './replay-engine.js';
import { ACCESSOR_SPAN } from './ring.js';
import { accessIndex, NO_OBSERVATION } from './tallies.js';

export interface ManyDesigns {
  /**
   * By place in the list of options; designs that come to the same share one, whose `design` is that of the
   * first. Tallies tell outcomes, not what was observed of them nor how many ranges were refused, and are
   * whole after `finish`. What led to a state is not remembered: `inspect` and `mismatches` have no history.
   */
  readonly engines: readonly Engine[];
  /** How many are run. */
  readonly distinct: number;
  /** As `Engine.consume`. HOT: benchmark in `npm run bench`. */
  consume(batch: EventBatch, from: number, to: number): void;
  /** As `Engine.count`. */
  count(isCounting: boolean): void;
  finish(): void;
}

/** Accesses that are not yet in the tallies. */
interface Run {
  /** By 2 * (ACCESSOR_SPAN * vq + accessor), one more where the device IOTLB was observed. */
  counts: Float64Array;
  /** Number of the stretch without change in which all designs were found to count this place plainly. */
  plainIn: Int32Array;
  /** Places with a count. */
  places: Int32Array;
  used: number;
  stretch: number;
}

export function createManyDesigns(options: readonly EngineOptions[]): ManyDesigns {
  const running = new Map<string, { engine: Engine; state: EngineState }>();
  const engines = options.map((one) => {
    const key = keyOf(one);
    const known = running.get(key) ?? createRunningEngine(one);
    known.state.remembers = false;
    running.set(key, known);
    return known.engine;
  });
  const distinct = [...running.values()];
  const states = distinct.map(({ state }) => state);
  const run = createRun(16);
  // Of stock hosts accesses are derived when a round ends: there is nothing to share.
  const isShared = states.every(({ host }) => host === 'direct-map');
  return {
    engines,
    distinct: distinct.length,
    consume: (batch, from, to) => {
      if (isShared) consumeShared(states, run, batch, from, to);
      else consumeEach(states, batch, from, to);
    },
    count: (isCounting) => {
      flush(states, run);
      // No place is known any more: each must be found, and listed, again.
      run.stretch++;
      for (const { engine } of distinct) engine.count(isCounting);
    },
    finish: () => {
      flush(states, run);
      for (const { engine } of distinct) engine.finish();
    },
  };
}

/** One event for all before the next: what follows from it alone is found once (round-end.ts). */
function consumeEach(
  states: readonly EngineState[],
  batch: EventBatch,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) for (const state of states) consumeOne(state, batch, i);
}

/** All that the engine reads of its options for an outcome: whether it refuses a range changes none. */
function keyOf({ design, ...others }: EngineOptions): string {
  const { maps, counter, overlap, clears, dropsMapsOn, callbackRules } = design;
  const { faultsPagesIn, needsContiguousPages, filtersMemory } = design;
  const { resetsCountOnSetup, keepsRangesOnFailedSetup } = design;
  const { usesDeviceIotlb } = design;
  const isOff = design.switchedOff !== undefined || usesDeviceIotlb === true;
  const switches: Partial<Design> = isOff
    ? { switchedOff: '', usesDeviceIotlb }
    : {
        maps,
        counter,
        overlap,
        clears,
        dropsMapsOn,
        callbackRules,
        faultsPagesIn,
        needsContiguousPages,
        filtersMemory,
        resetsCountOnSetup,
        keepsRangesOnFailedSetup,
      };
  return JSON.stringify([switches, others]);
}

function createRun(virtqueues: number): Run {
  const places = 2 * ACCESSOR_SPAN * virtqueues;
  return {
    counts: new Float64Array(places),
    plainIn: new Int32Array(places),
    places: new Int32Array(places),
    used: 0,
    stretch: 1,
  };
}

const NO_ACCESSOR = NONE;
const VQ_SHIFT = Math.log2(ACCESSOR_SPAN);
const IOTLB_OBSERVED = 2;

function consumeShared(
  states: readonly EngineState[],
  run: Run,
  batch: EventBatch,
  from: number,
  to: number,
): void {
  const { vq: vqs, accessor: accessors, observed, n, cpu } = batch;
  // Otherwise nothing that was entered on a CPU waits for its next event.
  const mayWait = states.some(({ preemption }) => preemption === 'voluntary');
  let isWaiting = mayWait && isAnyWaiting(states, cpu);
  // In ranges order nothing follows from them.
  const areEffectsIgnored = states.every(({ order }) => order === 'ranges');
  let { counts, plainIn, stretch } = run;
  for (let i = from; i < to; i++) {
    const accessor = accessors[i];
    if (accessor !== NO_ACCESSOR && !isWaiting) {
      const at = (vqs[i] << VQ_SHIFT) | accessor;
      const place = (at << 1) | (observed[i] === IOTLB_OBSERVED ? 1 : 0);
      if (plainIn[place] === stretch || becomesPlain(states, run, place)) {
        counts[place] += n[i];
        continue;
      }
    }
    const kind = batch.kind[i];
    if (areEffectsIgnored && (kind === KIND.effect_start || kind === KIND.effect_end)) {
      for (const state of states) consumeOne(state, batch, i);
      continue;
    }
    flush(states, run);
    for (const state of states) consumeOne(state, batch, i);
    grow(run, states[0].virtqueues.capacity);
    isWaiting = mayWait && isAnyWaiting(states, cpu);
    ({ counts, plainIn } = run);
    stretch = ++run.stretch;
  }
}

function isAnyWaiting(states: readonly EngineState[], cpu: number): boolean {
  for (let k = 0; k < states.length; k++) if (states[k].waitingOnCpu[cpu] !== 0) return true;
  return false;
}

/** Whether from now on, to the next change, all designs only count accesses of a place. */
function becomesPlain(states: readonly EngineState[], run: Run, place: number): boolean {
  const at = place >> 1;
  const seen = (place & 1) === 1 ? IOTLB_OBSERVED : NO_OBSERVATION;
  for (const { virtqueues } of states) if (!countsPlainly(virtqueues, at, seen)) return false;
  run.plainIn[place] = run.stretch;
  run.places[run.used++] = place;
  return true;
}

function flush(states: readonly EngineState[], run: Run): void {
  for (let k = 0; k < run.used; k++) {
    const place = run.places[k];
    const count = run.counts[place];
    run.counts[place] = 0;
    const at = place >> 1;
    const seen = (place & 1) === 1 ? IOTLB_OBSERVED : NO_OBSERVATION;
    for (const { virtqueues, tallies } of states) {
      const index = accessIndex(0, at, virtqueues.effective[at]) + seen;
      tallies.accesses[index] += count;
    }
  }
  run.used = 0;
}

function grow(run: Run, virtqueues: number): void {
  if (run.counts.length >= 2 * ACCESSOR_SPAN * virtqueues) return;
  // All has been given to the tallies, and the stretch is over.
  Object.assign(run, { ...createRun(virtqueues), stretch: run.stretch });
}
