/** Snapshots of a virtqueue, at every event of simulated kernels. */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDesign } from '../src/designs.ts';
import { AMBIGUOUS } from '../src/outcome.ts';
import { createEngine } from '../src/replay-engine.ts';
import { batchesOf } from './batch-of.ts';
import { simulateKernel } from './kernel-simulator.ts';
import { withoutEffects } from './ranges-soundness.ts';

const seeds = nat();
const sizes = integer({ min: 0, max: 800 });

describe('a snapshot', { timeout: 60_000 }, () => {
  it('tells of every doubt why, and of every width of the count where it comes from', () => {
    assert(
      property(
        seeds,
        sizes,
        constantFrom('voluntary', 'full'),
        constantFrom(true, false),
        (seed, steps, preempt, useObservations) => {
          const simulation = simulateKernel({ design: 'merged', preempt, seed, steps });
          const events = withoutEffects(simulation.events);
          const options = {
            design: findDesign('merged')!,
            order: 'ranges',
            useObservations,
          } as const;
          const engine = createEngine({ ...options, preemption: preempt });
          for (const { batch, from, to } of batchesOf(events)) {
            for (let i = from; i < to; i++) {
              engine.consume(batch, i, i + 1);
              if (events[i].vq === undefined) continue;
              const snapshot = engine.inspect(Number(events[i].vq));
              for (const { area, map, doubt } of snapshot.areas) {
                expect(doubt === undefined).toBe(map !== AMBIGUOUS);
                expect(engine.mapOf(snapshot.vq, area)).toBe(map);
              }
              const { underWay, unfollowed, count, vq } = snapshot;
              const open = snapshot.callbacks.flatMap(({ isStart, effects }) =>
                effects
                  .filter((effect) => effect.vq === vq && effect.state === 'may')
                  .map(() => isStart),
              );
              if (underWay.doubtful === 0)
                expect(open.length + unfollowed.starts + unfollowed.ends).toBe(
                  underWay.starts + underWay.ends,
                );
              const { least, most } = count;
              if (least === undefined || most === undefined) continue;
              expect(most - least).toBeGreaterThanOrEqual(underWay.starts + underWay.ends);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('changes nothing', () => {
    const { events } = simulateKernel({
      design: 'merged',
      preempt: 'full',
      seed: 11,
      steps: 2_000,
    });
    const tallies = [false, true].map((looks) => {
      const engine = createEngine({
        design: findDesign('merged')!,
        order: 'ranges',
        preemption: 'full',
      });
      for (const { batch, from, to } of batchesOf(withoutEffects(events))) {
        for (let i = from; i < to; i++) {
          engine.consume(batch, i, i + 1);
          if (looks) for (let vq = 0; vq < 3; vq++) engine.inspect(vq);
        }
      }
      engine.finish();
      return engine.tallies;
    });
    // A virtqueue that was looked at has room in the arrays.
    const [plain, looked] = tallies;
    expect(looked.ranges).toEqual(plain.ranges);
    expect(looked.refusals).toEqual(plain.refusals);
    expect([...looked.accesses].slice(0, plain.accesses.length)).toEqual([...plain.accesses]);
  });
});
