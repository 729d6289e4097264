/** What the engine makes of a stock host's recording, found by feeding it one event at a time. */
import { decisionOf, type Decision } from '../src/outcome.ts';
import { createEngine, type Engine, type EngineOptions } from '../src/replay-engine.ts';
import { ACCESSORS, AREA_COUNT, AREA_OF_ACCESSOR } from '../src/ring.ts';
import { accessOutcomes } from '../src/tallies.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

export interface StockVerdicts {
  /** By `round_end` event, by area; undefined where the area was not accessed. */
  readonly rounds: ReadonlyMap<EventRecord, readonly (Decision | undefined)[]>;
  /** One for each `access` event. */
  readonly accesses: readonly Decision[];
  readonly engine: Engine;
}

export function stockVerdicts(
  events: readonly EventRecord[],
  options: Omit<EngineOptions, 'host' | 'order'>,
): StockVerdicts {
  const engine = createEngine({ ...options, order: 'ranges', host: 'stock' });
  const rounds = new Map<EventRecord, (Decision | undefined)[]>();
  const accesses: Decision[] = [];
  const outcomes = (vq: number): number[][] =>
    ACCESSORS.map((_, accessor) => accessOutcomes(engine.tallies, vq, accessor));
  for (const { batch, from, to } of batchesOf(events)) {
    for (let i = from; i < to; i++) {
      const { event } = events[i];
      const isTold = event === 'access' || event === 'round_end';
      const before = isTold ? outcomes(batch.vq[i]) : [];
      engine.consume(batch, i, i + 1);
      if (!isTold) continue;
      const areas = Array.from({ length: AREA_COUNT }, (): Decision | undefined => undefined);
      for (const [accessor, counts] of outcomes(batch.vq[i]).entries()) {
        const at = counts.findIndex((count, outcome) => count !== before[accessor][outcome]);
        if (at < 0) continue;
        if (event === 'access') accesses.push(decisionOf(at));
        else areas[AREA_OF_ACCESSOR[accessor]] = decisionOf(at);
      }
      if (event === 'round_end') rounds.set(events[i], areas);
    }
  }
  engine.finish();
  return { rounds, accesses, engine };
}
