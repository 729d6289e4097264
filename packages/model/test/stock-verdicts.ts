/** What the engine makes of a stock host's recording, found by feeding it one event at a time. */
import { decisionOf, OUTCOMES, type Decision } from '../src/outcome.ts';
import { createEngine, type Engine, type EngineOptions } from '../src/replay-engine.ts';
import { AREA_COUNT, AREA_OF_ACCESSOR } from '../src/ring.ts';
import { accessIndex, OBSERVATIONS } from '../src/tallies.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

export interface StockVerdicts {
  /** By `round_end` event, by area; undefined where the area was not accessed. */
  readonly rounds: ReadonlyMap<EventRecord, readonly (Decision | 'several' | undefined)[]>;
  /** One for each `access` event that is no round's. */
  readonly accesses: readonly Decision[];
  readonly engine: Engine;
}

/** Counts of one virtqueue, and of one accessor of it, in `Tallies.accesses`. */
const VIRTQUEUE_SPAN = accessIndex(1, 0, 0);
const ACCESSOR_COUNTS = accessIndex(0, 1, 0);

export function stockVerdicts(
  events: readonly EventRecord[],
  options: Omit<EngineOptions, 'host' | 'order'>,
): StockVerdicts {
  const engine = createEngine({ ...options, order: 'ranges', host: 'stock' });
  const rounds = new Map<EventRecord, (Decision | 'several' | undefined)[]>();
  const accesses: Decision[] = [];
  // What was counted of the virtqueue before an event.
  const before = new Float64Array(VIRTQUEUE_SPAN);
  for (const { batch, from, to } of batchesOf(events)) {
    for (let i = from; i < to; i++) {
      const { event } = events[i];
      const isTold = event === 'access' || event === 'round_end';
      const first = batch.vq[i] * VIRTQUEUE_SPAN;
      if (isTold) {
        before.fill(0);
        before.set(engine.tallies.accesses.subarray(first, first + VIRTQUEUE_SPAN));
      }
      engine.consume(batch, i, i + 1);
      if (!isTold) continue;
      const decided = Array.from({ length: AREA_COUNT }, () => new Set<Decision>());
      const { accesses: counts } = engine.tallies;
      for (let at = 0; at < before.length; at++) {
        if (counts[first + at] === before[at]) continue;
        const accessor = Math.floor(at / ACCESSOR_COUNTS);
        const outcome = Math.floor(at / OBSERVATIONS) % OUTCOMES;
        decided[AREA_OF_ACCESSOR[accessor]].add(decisionOf(outcome));
      }
      if (event === 'access') accesses.push(...decided.flatMap((one) => [...one]));
      else rounds.set(events[i], decided.map(oneOf));
    }
  }
  engine.finish();
  return { rounds, accesses, engine };
}

function oneOf(decided: ReadonlySet<Decision>): Decision | 'several' | undefined {
  const [first, second] = decided;
  return second === undefined ? first : 'several';
}
