/** What the engine knows when a recording begins, when a virtqueue is first seen, and after a loss. */
import { setCount } from './counts.js';
import { createDeviceState } from './device-state.js';
import { RANGES_ELSEWHERE } from './doubts.js';
import { missOverdue } from './effects-order.js';
import { unknownVirtqueues, type EngineState } from './engine-state.js';
import { clearHistory, growHistory } from './history.js';
import { AMBIGUOUS } from './outcome.js';
import { ACCESSOR_SPAN, AREA_COUNT } from './ring.js';
import { endAttempts } from './rounds.js';
import { growTallies } from './tallies.js';
import { growVirtqueueState, RANGE_NONE } from './virtqueue-state.js';

/** Makes room for a virtqueue. One that was not reset before our eyes may be in any state. */
export function know(engine: EngineState, vq: number): void {
  const known = engine.virtqueues.size;
  if (vq < known) return;
  growVirtqueueState(engine.virtqueues, vq);
  growTallies(engine.tallies, engine.virtqueues.capacity);
  growHistory(engine.history, engine.virtqueues.capacity);
  for (let id = known; id <= vq; id++) {
    if (engine.host === 'stock' && !engine.hasLost) takeAsQuiet(engine, id);
    if (engine.mechanism !== 'counted') setCount(engine, id, 0, 0);
    if (engine.fixedMap === AMBIGUOUS) doubtMaps(engine, id);
  }
}

function doubtMaps({ virtqueues }: EngineState, vq: number): void {
  virtqueues.doubt.fill(RANGES_ELSEWHERE, 4 * vq, 4 * vq + AREA_COUNT);
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

export function beginRecording(engine: EngineState): void {
  endRecording(engine);
  engine.recording++;
  engine.hasLost = false;
  engine.devices = createDeviceState();
  engine.virtqueues = unknownVirtqueues(engine.design, engine.host, engine.hasFilteredRanges);
  forgetUnderWay(engine);
  clearHistory(engine.history);
}

/**
 * Events are missing from here on back, nobody knows how far: what follows is judged as if the
 * recording began here. Only which virtqueue belongs to which device is still true.
 */
export function forgetState(engine: EngineState): void {
  endRecording(engine);
  engine.hasLost = true;
  const { dev, size, counters } = engine.virtqueues;
  engine.virtqueues = unknownVirtqueues(engine.design, engine.host, engine.hasFilteredRanges);
  for (let vq = 0; vq < size; vq++) know(engine, vq);
  engine.virtqueues.dev.set(dev.subarray(0, size));
  engine.virtqueues.counters.set(counters.subarray(0, ACCESSOR_SPAN * size));
  engine.devices.notifier = [];
  engine.devices.paired = [];
  engine.devices.wasDisturbed = [];
  engine.devices.mayHaveCounted = [];
  forgetUnderWay(engine);
}

function forgetUnderWay(engine: EngineState): void {
  engine.open.length = 0;
  engine.underWay.length = 0;
  engine.hasUnfollowed = false;
  engine.waitingOnCpu.fill(0);
  engine.roundOnCpu.fill(-1);
}

/** In effects order attempts are seen: one that was not has not been made yet. */
export function endRecording(engine: EngineState): void {
  const { virtqueues, order } = engine;
  for (let vq = 0; vq < virtqueues.size; vq++) {
    if (order === 'ranges') endAttempts(engine, vq);
    else missOverdue(engine, vq);
  }
}
