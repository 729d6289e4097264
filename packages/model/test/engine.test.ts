/** The engine against simulated kernels: as the oracle in effects order, never wrong in ranges order. */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DESIGNS, findDesign, type Design } from '../src/designs.ts';
import {
  GUP_SHORT,
  HIT,
  NO_MEMORY,
  NOT_CONTIGUOUS,
  REFUSED_COUNT,
  type Decision,
} from '../src/outcome.ts';
import type { EngineOptions } from '../src/replay-engine.ts';
import { decidesLike } from './design-likeness.ts';
import { attemptTotals, engineVerdicts } from './engine-verdicts.ts';
import type { EventRecord } from './event-record.ts';
import { simulateKernel, type Simulation, type SimulationOptions } from './kernel-simulator.ts';
import { oracle, type OracleDesign } from './oracle.ts';
import { blankObservations, unsoundAccesses, withoutEffects } from './ranges-soundness.ts';

const KERNELS = (['merged', 'fixes-v5'] as const).flatMap((design) =>
  (['voluntary', 'full'] as const).map((preempt) => ({ design, preempt })),
);
const seeds = nat();
const sizes = integer({ min: 0, max: 2_000 });
const designs = constantFrom(...DESIGNS);
const windows = constantFrom(false, true);

/** What a design decides in the simulated world, by access. */
function truthOf(
  { events, otherDecisions, counterfactuals }: Simulation,
  recorded: string,
  design: Design,
): readonly number[] {
  const accesses = events.filter(({ event }) => event === 'access');
  if (design.name === 'copy') return accesses.map(({ observed }) => (observed === 2 ? 2 : 0));
  const like = decidesLike(design.name);
  if (like === recorded) return accesses.map((access) => Number(access.observed));
  return counterfactuals.get(like) ?? otherDecisions;
}

/** What it is told of ranges while the kernel's notifier is off rests on how one is registered. */
function worldOf({ counter }: Design): { readonly exclusiveRegister: boolean } {
  return { exclusiveRegister: counter === 'mm' };
}

function shareOf(verdicts: readonly Decision[]): number {
  return verdicts.filter((verdict) => verdict === 'ambiguous').length;
}

/** Runs of a kernel, each as the events of it that a recording has, with the truth about them. */
function recordings(simulation: Simulation, truth: readonly number[], begins: number) {
  const { events } = simulation;
  const first = events.findIndex(({ event }) => event !== 'virtqueue');
  const cut = Math.max(first, Math.floor(events.length * begins));
  const missed = events.slice(0, cut).filter(({ event }) => event === 'access').length;
  return {
    events: [...events.slice(0, Math.max(first, 0)), ...events.slice(cut)],
    truth: truth.slice(missed),
  };
}

/** An event of a recording in progress, whose virtqueues have no order yet. */
function withoutRank(event: EventRecord): EventRecord {
  const unranked = { ...event };
  delete unranked.rank;
  return unranked;
}

/** Sure and wrong predictions. */
function wrong(events: readonly EventRecord[], truth: readonly number[], options: EngineOptions) {
  return unsoundAccesses(events, engineVerdicts(events, options).accesses, truth);
}

describe.each(KERNELS)(
  'effects order, recorded by a $design kernel, $preempt preemption',
  { timeout: 120_000 },
  (kernel) => {
    it('decides its own recording as the oracle does', () => {
      assert(
        property(seeds, sizes, windows, (seed, steps, resetWindow) => {
          const { events } = simulateKernel({ ...kernel, seed, steps, resetWindow });
          const told = oracle(events, kernel.design);
          const options = { design: designNamed(kernel.design), order: 'effects' } as const;
          const { accesses, engine } = engineVerdicts(events, options);
          expect(accesses).toEqual(told.accesses);
          expect(engine.mismatches).toEqual([]);
          expect(engine.tallies.refusals).toMatchObject({ disagree: 0, ambiguous: 0 });
          const { totals } = told;
          const outcomes = attemptTotals(engine);
          expect(outcomes[HIT]).toBe(Number(totals.built));
          // A round with the IOTLB on tries nothing, and without an access nothing tells that it is on.
          expect(outcomes[REFUSED_COUNT]).toBeGreaterThanOrEqual(Number(totals.refused));
          expect(outcomes[GUP_SHORT]).toBe(Number(totals.gup_short));
          expect(outcomes[NOT_CONTIGUOUS]).toBe(Number(totals.not_contiguous));
          expect(outcomes[NO_MEMORY]).toBe(Number(totals.no_memory));
        }),
        { numRuns: 100 },
      );
    });

    it('never decides wrongly for another design, nor when the recording begins in the middle', () => {
      assert(
        property(
          seeds,
          sizes,
          designs,
          constantFrom(0, 0.2, 0.5),
          (seed, steps, design, begins) => {
            const simulation = simulateKernel({ ...kernel, seed, steps, ...worldOf(design) });
            const truth = truthOf(simulation, kernel.design, design);
            const recording = recordings(simulation, truth, begins);
            expect(wrong(recording.events, recording.truth, { design, order: 'effects' })).toEqual(
              [],
            );
          },
        ),
        { numRuns: 200 },
      );
    });

    it('does not depend on observations, given that refused attempts were made', () => {
      assert(
        property(seeds, sizes, designs, (seed, steps, design) => {
          const { events } = simulateKernel({ ...kernel, seed, steps });
          const blanked = events.flatMap((event) =>
            event.result === -14 ? [{ ...event, result: 0 }] : blankObservations([event]),
          );
          const options = { design, order: 'effects' } as const;
          expect(engineVerdicts(blanked, options).accesses).toEqual(
            engineVerdicts(events, options).accesses,
          );
        }),
        { numRuns: 40 },
      );
    });
  },
);

describe('effects order', { timeout: 120_000 }, () => {
  it('is in doubt across designs on hardly more than the oracle', () => {
    let [engineDoubts, oracleDoubts] = [0, 0];
    for (let seed = 0; seed < 120; seed++) {
      const kernel = KERNELS[seed % KERNELS.length];
      const { events } = simulateKernel({ ...kernel, seed, steps: 2_000 });
      const other = kernel.design === 'merged' ? 'fixes-v5' : 'merged';
      const options = { design: designNamed(other), order: 'effects' } as const;
      engineDoubts += shareOf(engineVerdicts(events, options).accesses);
      oracleDoubts += oracle(events, other).accesses.filter((v) => v === 'ambiguous').length;
    }
    expect(oracleDoubts).toBeGreaterThan(0);
    expect(engineDoubts).toBeLessThan(1.2 * oracleDoubts);
  });

  it('notices a recording without its effects', () => {
    const unnoticed: number[] = [];
    for (let seed = 0; seed < 50; seed++) {
      const kernel = KERNELS[seed % KERNELS.length];
      const { events } = simulateKernel({ ...kernel, seed, steps: 2_000 });
      if (events.every(({ event }) => event !== 'effect_end')) continue;
      const options = { design: designNamed(kernel.design), order: 'effects' } as const;
      const { engine } = engineVerdicts(withoutEffects(events), options);
      if (engine.missingEffects() === 0) unnoticed.push(seed);
    }
    expect(unnoticed).toEqual([]);
  });

  it('notices that one effect is not there, once enough has happened since', () => {
    let [lost, noticed] = [0, 0];
    for (let seed = 0; seed < 100; seed++) {
      const kernel = KERNELS[seed % KERNELS.length];
      const { events } = simulateKernel({ ...kernel, seed, steps: 2_000 });
      const at = events.findIndex(
        ({ event }, index) => index > seed * 3 && event.startsWith('effect'),
      );
      if (at < 0 || at > events.length / 2) continue;
      const options = { design: designNamed(kernel.design), order: 'effects' } as const;
      const { engine } = engineVerdicts(events.toSpliced(at, 1), options);
      lost += 1;
      if (engine.missingEffects() > 0) noticed += 1;
    }
    expect(lost).toBeGreaterThan(30);
    expect(noticed / lost).toBeGreaterThan(0.8);
  });
});

describe.each(KERNELS)(
  'ranges order, recorded by a $design kernel, $preempt preemption',
  { timeout: 120_000 },
  (kernel) => {
    const preemptions = constantFrom(kernel.preempt, 'unknown' as const);
    const run = (options: Pick<SimulationOptions, 'seed' | 'steps' | 'resetWindow'>): Simulation =>
      // A notifier is registered with all locks of the address space held: no range is under way then, whatever the
      // design. The engine pairs ends with starts by it.
      simulateKernel({ ...kernel, ...options, exclusiveRegister: true });

    it('is never sure and wrong, for any design', () => {
      assert(
        property(
          seeds,
          sizes,
          designs,
          preemptions,
          windows,
          constantFrom(true, false),
          (seed, steps, design, preemption, resetWindow, ranked) => {
            const simulation = run({ seed, steps, resetWindow });
            const truth = truthOf(simulation, kernel.design, design);
            const options = { design, order: 'ranges', preemption } as const;
            const ranges = withoutEffects(simulation.events);
            const events = ranked ? ranges : ranges.map(withoutRank);
            expect(wrong(events, truth, options)).toEqual([]);
          },
        ),
        { numRuns: 300 },
      );
    });

    it('is never sure and wrong when the recording begins in the middle', () => {
      assert(
        property(
          seeds,
          sizes,
          designs,
          preemptions,
          integer({ min: 1, max: 90 }),
          (seed, steps, design, preemption, percent) => {
            const simulation = run({ seed, steps });
            const truth = truthOf(simulation, kernel.design, design);
            const recording = recordings(simulation, truth, percent / 100);
            const options = { design, order: 'ranges', preemption } as const;
            const events = withoutEffects(recording.events);
            expect(wrong(events, recording.truth, options)).toEqual([]);
          },
        ),
        { numRuns: 300 },
      );
    });

    it('compares every attempt of its own design, and agrees', () => {
      assert(
        property(seeds, sizes, preemptions, windows, (seed, steps, preemption, resetWindow) => {
          const events = withoutEffects(run({ seed, steps, resetWindow }).events);
          const design = designNamed(kernel.design);
          const { engine } = engineVerdicts(events, { design, order: 'ranges', preemption });
          const { agree, disagree, ambiguous } = engine.tallies.refusals;
          expect(disagree).toBe(0);
          expect(agree + ambiguous).toBe(events.filter(({ event }) => event === 'prefetch').length);
        }),
        { numRuns: 100 },
      );
    });

    it('reads neither observations nor effects', () => {
      assert(
        property(seeds, sizes, designs, preemptions, (seed, steps, design, preemption) => {
          const { events } = run({ seed, steps });
          const options = { design, order: 'ranges', preemption } as const;
          const ranges = withoutEffects(events);
          const { accesses } = engineVerdicts(ranges, options);
          expect(engineVerdicts(events, options).accesses).toEqual(accesses);
          expect(engineVerdicts(blankObservations(ranges), options).accesses).toEqual(accesses);
        }),
        { numRuns: 40 },
      );
    });
  },
);

function designNamed(name: OracleDesign): Design {
  const design = findDesign(name);
  if (design === undefined) throw new Error(name);
  return design;
}
