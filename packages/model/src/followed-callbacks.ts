/** Callbacks under way that the engine follows one by one (`engine.open`), and the CPUs whose next event they wait for. */
import { keepName, NO_CPU, type Callback } from './callbacks.js';
import type { EngineState } from './engine-state.js';

/** Only lost ends let them pile up. */
const MAX_OPEN = 1024;

/**
 * Follows a callback from now on; where its CPU is known the next event of that bounds it, if its kernel preempts
 * voluntarily.
 *
 * @returns the oldest one where there are too many: nobody follows it any more, and it is the caller's
 */
export function followCallback(engine: EngineState, callback: Callback): Callback | undefined {
  if (engine.preemption !== 'voluntary') callback.cpu = NO_CPU;
  if (callback.cpu !== NO_CPU) engine.waitingOnCpu[callback.cpu]++;
  keepName(callback);
  engine.open.push(callback);
  return engine.open.length > MAX_OPEN ? stopFollowing(engine, 0) : undefined;
}

/** Takes a callback out of those that are followed; it is the caller's. */
export function stopFollowing(engine: EngineState, at: number): Callback {
  const [callback] = engine.open.splice(at, 1);
  forgetCpu(engine, callback);
  return callback;
}

/** No event of a CPU bounds a callback that is followed any more. */
export function forgetCpu(engine: EngineState, callback: Callback): void {
  if (callback.cpu === NO_CPU) return;
  engine.waitingOnCpu[callback.cpu]--;
  callback.cpu = NO_CPU;
}
