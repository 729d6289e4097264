/**
 * A design whose callbacks count every range of the process, on every virtqueue, and whose notifier stays
 * registered while a ring is set up (mmdrop-fix, reference §3.2). The recording kernel's does not: what the
 * memory manager does in the meantime is not told. But a notifier is registered only while no range is under
 * way (the memory manager holds all its locks), so that the count is then what it was at first.
 */
import { forgetCount, setCount } from './counts.js';
import { RANGES_ELSEWHERE } from './doubts.js';
import type { EngineState } from './engine-state.js';
import { AMBIGUOUS, HIT, PENDING } from './outcome.js';
import { AREA_COUNT } from './ring.js';
import { doubtMap } from './virtqueue-state.js';

/** The recording kernel registers its notifier, or begins to unregister it. `before`: what it was up to now. */
export function switchRecording(
  engine: EngineState,
  dev: number,
  isOn: boolean,
  before: number | undefined,
): void {
  const { virtqueues, devices } = engine;
  const isQuiet = devices.wasDisturbed[dev] !== true;
  devices.wasDisturbed[dev] = false;
  for (const vq of devices.virtqueues[dev] ?? []) {
    if (!isOn) {
      missRanges(engine, vq);
      continue;
    }
    // Opened before our eyes: it was reset when nothing was registered yet.
    if (before === undefined && virtqueues.wasReset[vq] === 1) virtqueues.countsFromZero[vq] = 1;
    if (isQuiet && virtqueues.countsFromZero[vq] === 1) setCount(engine, vq, 0, 0);
  }
}

/** From now on ranges are not told. */
function missRanges(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  forgetCount(engine, vq);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    const map = virtqueues.map[slot];
    if ((map & (PENDING - 1)) === HIT)
      doubtMap(virtqueues, slot, RANGES_ELSEWHERE, AMBIGUOUS | (map & PENDING));
  }
}
