/** Ranges order with recorded attempts: never wrong about the design that was recorded. */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDesign, type Design } from '../src/designs.ts';
import type { EngineOptions } from '../src/replay-engine.ts';
import { attemptTotals, engineVerdicts } from './engine-verdicts.ts';
import type { EventRecord } from './event-record.ts';
import { simulateKernel } from './kernel-simulator.ts';
import { GUP_SHORT, HIT, NO_MEMORY, NOT_CONTIGUOUS, REFUSED_COUNT } from '../src/outcome.ts';
import { unsoundAccesses, withoutEffects } from './ranges-soundness.ts';

const KERNELS = (['merged', 'fixes-v5'] as const).flatMap((design) =>
  (['voluntary', 'full'] as const).map((preempt) => ({ design, preempt })),
);
const seeds = nat();
const sizes = integer({ min: 0, max: 2_000 });
const either = constantFrom(true, false);

function designNamed(name: string): Design {
  return findDesign(name)!;
}

/** What is left of the simulated events when the recording begins after a part of them. */
function beginAfter(events: readonly EventRecord[], part: number): EventRecord[] {
  const first = Math.max(
    0,
    events.findIndex(({ event }) => event !== 'virtqueue'),
  );
  const cut = Math.max(first, Math.floor(events.length * part));
  return [...events.slice(0, first), ...events.slice(cut)];
}

function withoutRank(event: EventRecord): EventRecord {
  const unranked = { ...event };
  delete unranked.rank;
  return unranked;
}

function observed(design: string, options: Partial<EngineOptions> = {}): EngineOptions {
  return { design: designNamed(design), order: 'ranges', useObservations: true, ...options };
}

function doubts(events: readonly EventRecord[], options: EngineOptions): number {
  return engineVerdicts(events, options).accesses.filter((verdict) => verdict === 'ambiguous')
    .length;
}

describe.each(KERNELS)(
  'recorded by a $design kernel, $preempt preemption',
  { timeout: 120_000 },
  ({ design, preempt }) => {
    const preemptions = constantFrom(preempt, 'unknown' as const);

    it('is never sure and wrong, and no attempt contradicts or is missed', () => {
      assert(
        property(
          seeds,
          sizes,
          preemptions,
          either,
          either,
          constantFrom(0, 0, 0.1, 0.3, 0.6, 0.9),
          (seed, steps, preemption, resetWindow, ranked, begins) => {
            const simulation = simulateKernel({
              design,
              preempt,
              seed,
              steps,
              exclusiveRegister: true,
              // Of callbacks entered before the recording nothing is known; one that takes effect
              // inside a reset would leave a count that nobody can tell.
              resetWindow: resetWindow && begins === 0,
            });
            const recorded = beginAfter(withoutEffects(simulation.events), begins);
            const events = ranked ? recorded : recorded.map(withoutRank);
            const { accesses, engine } = engineVerdicts(events, observed(design, { preemption }));
            expect(unsoundAccesses(events, accesses)).toEqual([]);
            expect(engine.mismatches).toEqual([]);
            expect(engine.tallies.refusals).toMatchObject({ disagree: 0, ambiguous: 0 });
            expect(engine.tallies.attempts.missing).toBe(0);
          },
        ),
        {
          numRuns: 400,
          // A start entered before the recording takes a map between a round's beginning and its first access.
          examples: [[1_732_123_633, 1314, preempt, true, true, 0.6]],
        },
      );
    });

    it('counts every attempt as it was seen, and compares those that it could tell before', () => {
      assert(
        property(seeds, sizes, preemptions, (seed, steps, preemption) => {
          const events = withoutEffects(simulateKernel({ design, preempt, seed, steps }).events);
          const { engine } = engineVerdicts(events, observed(design, { preemption }));
          const results = events.filter(({ event }) => event === 'prefetch').map((p) => p.result);
          const totals = attemptTotals(engine);
          const outcomes = [
            [HIT, 0],
            [REFUSED_COUNT, -14],
            [GUP_SHORT, 14],
            [NOT_CONTIGUOUS, 77],
            [NO_MEMORY, -12],
          ];
          for (const [outcome, result] of outcomes)
            expect(totals[outcome]).toBe(results.filter((found) => found === result).length);
          const { refusals, attempts } = engine.tallies;
          expect(refusals.agree + attempts.settled).toBe(results.length);
        }),
        { numRuns: 40 },
      );
    });
  },
);

describe('with recorded attempts', { timeout: 120_000 }, () => {
  it('much less is left in doubt', () => {
    let [without, withThem] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const { design, preempt } = KERNELS[seed % KERNELS.length];
      const events = withoutEffects(simulateKernel({ design, preempt, seed, steps: 2_000 }).events);
      without += doubts(events, observed(design, { useObservations: false }));
      withThem += doubts(events, observed(design));
    }
    expect(withThem).toBeLessThan(0.4 * without);
  });

  it('attempts that are not recorded are missed', () => {
    let [runs, noticed] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const { design, preempt } = KERNELS[seed % KERNELS.length];
      const { events } = simulateKernel({ design, preempt, seed, steps: 2_000 });
      if (events.every(({ event }) => event !== 'prefetch')) continue;
      const lacking = withoutEffects(events).filter(({ event }) => event !== 'prefetch');
      runs++;
      if (engineVerdicts(lacking, observed(design)).engine.tallies.attempts.missing > 0) noticed++;
    }
    expect(runs).toBeGreaterThan(40);
    expect(noticed / runs).toBeGreaterThan(0.9);
  });

  it('nothing changes in effects order, nor for a design that never maps', () => {
    const { events } = simulateKernel({ ...KERNELS[0], seed: 3, steps: 2_000 });
    for (const [name, order] of [
      ['merged', 'effects'],
      ['copy', 'ranges'],
    ] as const) {
      const { accesses, engine } = engineVerdicts(events, observed(name, { order }));
      expect(engine.usesObservations).toBe(false);
      const plain = engineVerdicts(events, { design: designNamed(name), order });
      expect(accesses).toEqual(plain.accesses);
      expect(engine.tallies).toEqual(plain.engine.tallies);
    }
  });
});
