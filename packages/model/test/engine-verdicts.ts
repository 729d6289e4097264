/** What the engine decides at each access, found by feeding it one event at a time. */
import { decisionOf, OUTCOMES, type Decision } from '../src/outcome.ts';
import { createEngine, type Engine, type EngineOptions } from '../src/replay-engine.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

export interface EngineVerdicts {
  /** One for each `access` event, in the order of the list. */
  readonly accesses: Decision[];
  readonly engine: Engine;
}

/** Runs the engine over a list of events in global order. */
export function engineVerdicts(
  events: readonly EventRecord[],
  options: EngineOptions,
): EngineVerdicts {
  const engine = createEngine(options);
  const accesses: Decision[] = [];
  const { seen } = engine.tallies;
  const before = new Float64Array(seen.length);
  for (const { batch, from, to } of batchesOf(events)) {
    for (let i = from; i < to; i++) {
      if (events[i].event === 'access') before.set(seen);
      engine.consume(batch, i, i + 1);
      if (events[i].event !== 'access') continue;
      const changed = seen.findIndex((count, index) => count !== before[index]);
      accesses.push(decisionOf(changed >> 2));
    }
  }
  engine.finish();
  return { accesses, engine };
}

/** Attempts to map by outcome, over all virtqueues. */
export function attemptTotals({ tallies }: Engine): number[] {
  return Array.from({ length: OUTCOMES }, (_, outcome) => {
    let total = 0;
    for (let at = outcome; at < tallies.prefetch.length; at += OUTCOMES)
      total += tallies.prefetch[at];
    return total;
  });
}
