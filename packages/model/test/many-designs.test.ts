/** Many designs in one pass come out as each by itself. */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DESIGNS } from '../src/designs.ts';
import { createManyDesigns } from '../src/many-designs.ts';
import { createEngine, type Engine, type EngineOptions } from '../src/replay-engine.ts';
import { ACCESSORS } from '../src/ring.ts';
import { accessOutcomes } from '../src/tallies.ts';
import { batchesOf } from './batch-of.ts';
import { GOLDEN_TRACES, goldenPath } from './golden-traces.ts';
import { simulateKernel, type EventRecord } from './kernel-simulator.ts';
import { readTextTrace } from './text-trace.ts';

function outcomes({ tallies }: Engine) {
  const accesses = [...tallies.rounds.keys()].flatMap((vq) =>
    ACCESSORS.map((_, accessor) => accessOutcomes(tallies, vq, accessor).join(' ')),
  );
  const { prefetch, lostEvents } = tallies;
  const { refused: _, ...ranges } = tallies.ranges;
  return { accesses, prefetch: [...prefetch], ranges, lostEvents };
}

/** Outcomes in one pass, and of each by itself. */
function bothWays(events: readonly EventRecord[], options: readonly EngineOptions[]) {
  const runs = batchesOf(events);
  const many = createManyDesigns(options);
  for (const { batch, from, to } of runs) many.consume(batch, from, to);
  many.finish();
  const alone = options.map((one) => {
    const engine = createEngine(one);
    for (const { batch, from, to } of runs) engine.consume(batch, from, to);
    engine.finish();
    return outcomes(engine);
  });
  return { together: many.engines.map(outcomes), alone };
}

describe('all designs in one pass', { timeout: 120_000 }, () => {
  it('come out as each by itself, in any order and on any host', () => {
    assert(
      property(
        nat(),
        integer({ min: 0, max: 2_000 }),
        constantFrom('effects', 'ranges'),
        constantFrom('voluntary', 'unknown'),
        constantFrom(true, false),
        (seed, steps, order, preemption, isStock) => {
          const kernel = { design: 'merged', preempt: 'voluntary', stock: isStock } as const;
          const { events, stock } = simulateKernel({ ...kernel, seed, steps });
          const seen = (stock?.events ?? events).filter(
            ({ event, pagesGot }) => event !== 'pages' || pagesGot !== undefined,
          );
          const host = isStock ? 'stock' : 'direct-map';
          const options = DESIGNS.map((design) => ({ design, order, preemption, host }) as const);
          const { together, alone } = bothWays(seen, options);
          expect(together).toEqual(alone);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each(GOLDEN_TRACES)('%s', (name) => {
    const events = readTextTrace(goldenPath(name));
    const options = DESIGNS.map((design) => ({ design, order: 'effects' }) as const);
    const { together, alone } = bothWays(events, options);
    expect(together).toEqual(alone);
  });

  it('runs those once that the engine cannot tell apart', () => {
    const many = createManyDesigns(DESIGNS.map((design) => ({ design, order: 'ranges' })));
    expect(many.distinct).toBeLessThan(DESIGNS.length);
    const at = (name: string) => DESIGNS.findIndex((design) => design.name === name);
    expect(many.engines[at('rework')]).toBe(many.engines[at('fixes-v5')]);
    expect(many.engines[at('merged')]).not.toBe(many.engines[at('fixes-v5')]);
  });
});
