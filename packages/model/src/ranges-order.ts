/**
 * Ranges order: a callback's effects happen at an unknown moment after its entry. From the entry until
 * a bound proves them done (`callbacks.ts`) they widen the interval of each count they may change, and
 * a map they may remove is unknown.
 */
import { NO_CPU, sameRange, type Callback } from './callbacks.js';
import { widenAttempts } from './attempts.js';
import { recycle, type EngineState } from './engine-state.js';
import { AMBIGUOUS, HIT, INVALIDATED, PENDING } from './outcome.js';
import { setMap } from './virtqueue-state.js';

/** Starts that are followed one by one; older ones become loose. Only lost ends let them pile up. */
const MAX_OPEN = 1024;

/** A callback is entered. Returns whether the engine goes on following it. */
export function enterCallback(engine: EngineState, callback: Callback): boolean {
  return callback.isStart ? enterStart(engine, callback) : enterEnd(engine, callback);
}

function enterStart(engine: EngineState, callback: Callback): boolean {
  if (callback.slotCount === 0) return false;
  const { virtqueues } = engine;
  for (let i = 0; i < callback.slotCount; i++) {
    const slot = callback.slots[i];
    virtqueues.countHigh[slot >> 2]++;
    const map = virtqueues.map[slot];
    if ((map & (PENDING - 1)) === HIT) setMap(virtqueues, slot, AMBIGUOUS | (map & PENDING));
  }
  countsChanged(engine, callback);
  follow(engine, callback);
  return true;
}

function enterEnd(engine: EngineState, callback: Callback): boolean {
  completeMatchingStart(engine, callback);
  if (callback.slotCount === 0) return false;
  const { virtqueues } = engine;
  for (let i = 0; i < callback.slotCount; i++) virtqueues.countLow[callback.slots[i] >> 2]--;
  countsChanged(engine, callback);
  if (engine.preemption === 'voluntary') {
    follow(engine, callback);
    return true;
  }
  loosen(engine, callback);
  return false;
}

/**
 * The same thread entered the end of a range, so its start callback has returned. Of several equal
 * starts one has returned, and it does not matter which: their effects are the same. But then the
 * CPU on which the others were entered is no longer certain.
 */
function completeMatchingStart(engine: EngineState, end: Callback): void {
  let found = -1;
  let matches = 0;
  for (let i = 0; i < engine.open.length; i++) {
    if (!engine.open[i].isStart || !sameRange(engine.open[i], end)) continue;
    matches++;
    if (found < 0) found = i;
  }
  if (found < 0) return;
  if (matches > 1) {
    for (const other of engine.open)
      if (other.isStart && sameRange(other, end)) forgetCpu(engine, other);
  }
  const [start] = engine.open.splice(found, 1);
  forgetCpu(engine, start);
  complete(engine, start, start.slotCount);
  recycle(engine, start);
}

/** All callbacks of a device have returned: unregistration waits for them. */
export function completeDevice(engine: EngineState, dev: number): void {
  let kept = 0;
  for (const callback of engine.open) {
    if (callback.dev !== dev) {
      engine.open[kept++] = callback;
      continue;
    }
    forgetCpu(engine, callback);
    complete(engine, callback, callback.slotCount);
    recycle(engine, callback);
  }
  engine.open.length = kept;
  const { virtqueues } = engine;
  for (const vq of engine.devices.virtqueues[dev] ?? []) {
    virtqueues.countLow[vq] += virtqueues.looseStarts[vq];
    virtqueues.countHigh[vq] -= virtqueues.looseEnds[vq];
    virtqueues.looseStarts[vq] = 0;
    virtqueues.looseEnds[vq] = 0;
    countChanged(engine, vq);
  }
}

/**
 * An event of `cpu` shows that callbacks entered there have come as far as they can without leaving
 * the CPU: ends are done, starts up to the first area that may have had a map (voluntary preemption).
 */
export function passCpu(engine: EngineState, cpu: number): void {
  let kept = 0;
  for (const callback of engine.open) {
    let stays = true;
    if (callback.cpu === cpu) {
      forgetCpu(engine, callback);
      const done = callback.isStart ? slotsBeforeSleep(engine, callback) : callback.slotCount;
      complete(engine, callback, done);
      stays = callback.isStart;
      if (!stays) recycle(engine, callback);
    }
    if (stays) engine.open[kept++] = callback;
  }
  engine.open.length = kept;
}

function slotsBeforeSleep(engine: EngineState, callback: Callback): number {
  for (let i = 0; i < callback.slotCount; i++) {
    const slot = callback.slots[i];
    const map = engine.virtqueues.map[slot];
    // An attempt under way may build a map before the callback comes to the area.
    const mayBeMapped = map >= PENDING || map === AMBIGUOUS || map === HIT;
    if (mayBeMapped || engine.virtqueues.clearedAt[slot] >= callback.enteredAt) return i + 1;
  }
  return callback.slotCount;
}

/** The effects on slots before `upTo` have happened. */
function complete(engine: EngineState, callback: Callback, upTo: number): void {
  const { virtqueues } = engine;
  for (; callback.done < upTo; callback.done++) {
    const slot = callback.slots[callback.done];
    if (slot < 0) continue;
    const vq = slot >> 2;
    if (callback.isStart) {
      const mayBeNegative =
        virtqueues.countLow[vq] < 0 || virtqueues.negativeAt[vq] >= callback.enteredAt;
      virtqueues.countLow[vq]++;
      if (!mayBeNegative) clearMap(engine, slot);
    } else {
      virtqueues.countHigh[vq]--;
    }
    countChanged(engine, vq);
  }
}

/**
 * The map was surely removed and, as the count has been positive since, not built again. Attempts of
 * an open round that came earlier no longer matter; later ones meet the count from now on.
 */
function clearMap(engine: EngineState, slot: number): void {
  const { virtqueues } = engine;
  const map = virtqueues.map[slot];
  if ((map & (PENDING - 1)) === AMBIGUOUS) {
    setMap(virtqueues, slot, INVALIDATED | (map & PENDING));
    virtqueues.clearedAt[slot] = engine.clock;
  }
  if (map >= PENDING) {
    virtqueues.attemptLow[slot] = virtqueues.countLow[slot >> 2];
    virtqueues.attemptHigh[slot] = virtqueues.countHigh[slot >> 2];
  }
}

/** A reset sets the count to 0 while callbacks may be under way: theirs may come before or after. */
export function resetCountUnderWay(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  let low = -virtqueues.looseEnds[vq];
  let high = virtqueues.looseStarts[vq];
  virtqueues.looseEnds[vq] = 0;
  virtqueues.looseStarts[vq] = 0;
  for (const callback of engine.open) {
    for (let i = callback.done; i < callback.slotCount; i++) {
      if (callback.slots[i] >> 2 !== vq) continue;
      if (callback.isStart) high++;
      else low--;
      callback.slots[i] = -1;
    }
  }
  virtqueues.countLow[vq] = low;
  virtqueues.countHigh[vq] = high;
  countChanged(engine, vq);
}

function follow(engine: EngineState, callback: Callback): void {
  if (engine.preemption === 'voluntary') engine.waitingOnCpu[callback.cpu]++;
  else callback.cpu = NO_CPU;
  engine.open.push(callback);
  if (engine.open.length > MAX_OPEN) {
    const oldest = engine.open.shift();
    if (oldest !== undefined) {
      loosen(engine, oldest);
      recycle(engine, oldest);
    }
  }
}

/** Stops following a callback: its effects may have happened or not, until the notifier goes. */
function loosen(engine: EngineState, callback: Callback): void {
  forgetCpu(engine, callback);
  const loose = callback.isStart ? engine.virtqueues.looseStarts : engine.virtqueues.looseEnds;
  for (let i = callback.done; i < callback.slotCount; i++) {
    if (callback.slots[i] >= 0) loose[callback.slots[i] >> 2]++;
  }
}

function forgetCpu(engine: EngineState, callback: Callback): void {
  if (callback.cpu === NO_CPU) return;
  if (engine.preemption === 'voluntary') engine.waitingOnCpu[callback.cpu]--;
  callback.cpu = NO_CPU;
}

function countsChanged(engine: EngineState, callback: Callback): void {
  for (let i = 0; i < callback.slotCount; i++) countChanged(engine, callback.slots[i] >> 2);
}

/** To be called after every change of a count's interval. */
export function countChanged(engine: EngineState, vq: number): void {
  if (engine.virtqueues.countLow[vq] < 0) engine.virtqueues.negativeAt[vq] = engine.clock;
  widenAttempts(engine.virtqueues, vq);
}
