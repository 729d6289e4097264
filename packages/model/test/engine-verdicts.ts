/** What the engine decides at each access, found by feeding it one event at a time. */
import { decisionOf, OUTCOMES, type Decision } from '../src/outcome.ts';
import { createEngine, type Engine, type EngineOptions } from '../src/replay-engine.ts';
import { accessIndex, OBSERVATIONS } from '../src/tallies.ts';
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
  const before = new Float64Array(OUTCOMES * OBSERVATIONS);
  for (const { batch, from, to } of batchesOf(events)) {
    for (let i = from; i < to; i++) {
      const isAccess = events[i].event === 'access';
      const first = isAccess ? accessIndex(batch.vq[i], batch.accessor[i], 0) : 0;
      // Of a virtqueue that is new there may be no counts yet.
      const { accesses: counts } = engine.tallies;
      if (isAccess) for (let at = 0; at < before.length; at++) before[at] = counts[first + at] ?? 0;
      engine.consume(batch, i, i + 1);
      if (!isAccess) continue;
      const { accesses: counted } = engine.tallies;
      const changed = before.findIndex((count, at) => count !== counted[first + at]);
      accesses.push(decisionOf(Math.floor(changed / OBSERVATIONS)));
    }
  }
  engine.finish();
  return { accesses, engine };
}

/** Attempts to map by outcome, over all virtqueues. */
export function attemptTotals({ tallies }: Engine): number[] {
  return sumsByOutcome(tallies.prefetch);
}

function sumsByOutcome(counts: Float64Array): number[] {
  const sums = Array.from({ length: OUTCOMES }, () => 0);
  for (let at = 0; at < counts.length; at++) sums[at % OUTCOMES] += counts[at];
  return sums;
}
