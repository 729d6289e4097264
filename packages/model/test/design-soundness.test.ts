/**
 * Every design against simulated kernels that run another: what the engine is sure of must be what the design
 * would have decided in the same world, and of the vmap series it must say what the slow oracle says.
 */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DESIGNS, findDesign, mechanismOf, type Design } from '../src/designs.ts';
import { decidesLike } from './design-likeness.ts';
import { engineVerdicts } from './engine-verdicts.ts';
import type { EventRecord } from './event-record.ts';
import { simulateKernel } from './kernel-simulator.ts';
import { deferredOracle } from './oracle-deferred.ts';
import { unsoundAccesses, withoutEffects } from './ranges-soundness.ts';

const KERNELS = (['merged', 'fixes-v5'] as const).flatMap((design) =>
  (['voluntary', 'full'] as const).map((preempt) => ({ design, preempt })),
);

/** Others decide as merged, fixes-v5 or copy do, and are held against those in the tests of the engine. */
const OWN_RULES = DESIGNS.filter(
  ({ name }) => !['merged', 'fixes-v5', 'copy'].includes(decidesLike(name)),
);

/** A row of one's own, which says of pages what no design of the lists does; the rest as the recorded kernel. */
const FAULTS_IN = { name: 'faults-in', faultsPagesIn: true, needsContiguousPages: false };

/** The same executions each time; `DESIGN_RUNS=5000` looks for others, anew each time. */
const RUNS = process.env['DESIGN_RUNS'];
const SEARCH = RUNS === undefined ? { numRuns: 300, seed: 11 } : { numRuns: Number(RUNS) };

interface Recording {
  readonly events: readonly EventRecord[];
  readonly truth: readonly number[];
}

/** The recording of a kernel from a share of its time on, and what the design decides in that world. */
function record(
  design: Design,
  kernel: (typeof KERNELS)[number],
  seed: number,
  steps: number,
  begins: number,
): Recording {
  const { events, counterfactuals } = simulateKernel({
    ...kernel,
    seed,
    steps,
    // As mmu_notifier_register does it: no range is under way while a notifier is registered (mm_take_all_locks).
    exclusiveRegister: true,
  });
  const decided = counterfactuals.get(design.name) ?? [];
  const first = Math.max(
    0,
    events.findIndex(({ event }) => event !== 'virtqueue'),
  );
  const cut = Math.max(first, Math.floor(events.length * begins));
  const missed = events.slice(0, cut).filter(({ event }) => event === 'access').length;
  return {
    events: withoutEffects([...events.slice(0, first), ...events.slice(cut)]),
    truth: decided.slice(missed),
  };
}

describe.each(OWN_RULES)('$name', { timeout: 120_000 }, (design) => {
  it('is never told to have decided what it would not have', () => {
    assert(
      property(
        nat(),
        integer({ min: 0, max: 2_000 }),
        constantFrom(...KERNELS),
        constantFrom(true, false),
        constantFrom(0, 0, 0.1, 0.5),
        (seed, steps, kernel, isKnown, begins) => {
          const { events, truth } = record(design, kernel, seed, steps, begins);
          const preemption = isKnown ? kernel.preempt : 'unknown';
          const { accesses } = engineVerdicts(events, { design, order: 'ranges', preemption });
          expect(unsoundAccesses(events, accesses, truth)).toEqual([]);
        },
      ),
      SEARCH,
    );
  });

  it.skipIf(mechanismOf(design) !== 'deferred')('is decided as the slow oracle says', () => {
    assert(
      property(
        nat(),
        // The oracle goes through the list again for each access.
        integer({ min: 0, max: 800 }),
        constantFrom(...KERNELS),
        constantFrom(0, 0, 0.3),
        (seed, steps, kernel, begins) => {
          const { events } = record(design, kernel, seed, steps, begins);
          const { accesses } = engineVerdicts(events, { design, order: 'ranges' });
          expect(accesses).toEqual(deferredOracle(events, design.name));
        },
      ),
      SEARCH,
    );
  });

  it('is decided for the most part where the kernel is known and quiet', () => {
    let [open, all] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      const kernel = KERNELS[2 * (seed % 2)];
      const { events } = record(design, kernel, seed, 2_000, 0);
      const options = { design, order: 'ranges', preemption: 'voluntary' } as const;
      const { accesses } = engineVerdicts(events, options);
      open += accesses.filter((verdict) => verdict === 'ambiguous').length;
      all += accesses.length;
    }
    process.stdout.write(`${((100 * open) / all).toFixed(1).padStart(5)} % open: ${design.name}\n`);
    expect(open / all).toBeLessThan(MOST_OPEN[design.name]);
  });
});

describe('pages that are faulted in, and may lie apart', { timeout: 120_000 }, () => {
  it.each(['effects', 'ranges'] as const)(
    'are sure to be mapped only where they are: %s',
    (order) => {
      let [open, all] = [0, 0];
      assert(
        property(
          nat(),
          integer({ min: 0, max: 2_000 }),
          constantFrom(...KERNELS),
          constantFrom(true, false),
          (seed, steps, kernel, isKnown) => {
            const simulation = simulateKernel({ ...kernel, seed, steps });
            const design = { ...findDesign(kernel.design)!, ...FAULTS_IN };
            const preemption = isKnown ? kernel.preempt : 'unknown';
            const { accesses } = engineVerdicts(simulation.events, { design, order, preemption });
            const truth = simulation.counterfactuals.get('faults-in');
            expect(unsoundAccesses(simulation.events, accesses, truth)).toEqual([]);
            open += accesses.filter((verdict) => verdict === 'ambiguous').length;
            all += accesses.length;
          },
        ),
        SEARCH,
      );
      expect(open / all).toBeLessThan(order === 'effects' ? 0.2 : 0.9);
    },
  );
});

/** Share of accesses. The memory of a ring is not in a trace, nor what came while a notifier was off. */
const MOST_OPEN: Readonly<Record<string, number>> = {
  'vmap-v1': 0.01,
  'vmap-v2': 0.5,
  'vmap-v3': 0.6,
  'vmap-v4': 1.01,
  'vmap-rfc-v2': 0.7,
  'mmdrop-fix': 0.95,
};
