/** The oracle against simulated kernels of its own design: nothing may be wrong or in doubt. */
import { assert, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulateKernel } from './kernel-simulator.ts';
import { oracle } from './oracle.ts';
import { blankObservations, unsoundAccesses, withoutEffects } from './ranges-soundness.ts';
import { RARE_CASES, type RareCase } from './rare-cases.ts';

const RESULTS = new Map<unknown, string>([
  [0, 'built'],
  [-14, 'refused'],
  [14, 'gup_short'],
  [77, 'not_contiguous'],
  [-12, 'no_memory'],
]);
const KERNELS = (['merged', 'fixes-v5'] as const).flatMap((design) =>
  (['voluntary', 'full'] as const).map((preempt) => ({ design, preempt })),
);
const seeds = nat();
const sizes = integer({ min: 0, max: 3_000 });

describe.each(KERNELS)(
  'a simulated $design kernel, $preempt preemption',
  { timeout: 60_000 },
  (kernel) => {
    it('decides as the oracle says', () => {
      assert(
        property(seeds, sizes, (seed, steps) => {
          const { events } = simulateKernel({ ...kernel, seed, steps });
          const { accesses, attempts } = oracle(events, kernel.design);
          expect(unsoundAccesses(events, accesses)).toEqual([]);
          expect(accesses).not.toContain('ambiguous');
          const results = events.filter(({ event }) => event === 'prefetch').map((p) => p.result);
          expect(attempts).toEqual(results.map((result) => RESULTS.get(result)));
        }),
        { numRuns: 300 },
      );
    });

    it('is told truly: CPUs run forward, and fewer steps give a prefix', () => {
      assert(
        property(seeds, sizes, (seed, steps) => {
          const { events } = simulateKernel({ ...kernel, seed, steps });
          const last = new Map<number, bigint>();
          let now = 0n;
          for (const { time, cpu } of events) {
            expect(time).toBeGreaterThan(last.get(cpu) ?? 0n);
            expect(time).toBeGreaterThanOrEqual(now);
            last.set(cpu, time);
            now = time;
          }
          const fewer = simulateKernel({ ...kernel, seed, steps: steps >> 1 }).events;
          expect(events.slice(0, fewer.length)).toEqual(fewer);
        }),
        { numRuns: 30 },
      );
    });

    it.skipIf(kernel.preempt === 'full')(
      'keeps threads on their CPU where they cannot sleep',
      () => {
        assert(
          property(seeds, sizes, (seed, steps) => {
            const { events } = simulateKernel({ ...kernel, seed, steps });
            const previous = new Map<number, string>();
            const cpuOfRound = new Map<unknown, number>();
            for (const { event, cpu, vq } of events) {
              // An end has all its effects before anything else happens on its CPU.
              if (event === 'effect_end') expect(previous.get(cpu)).toMatch(/^(range|effect)_end$/);
              if (event === 'round') cpuOfRound.set(vq, cpu);
              if (event === 'prefetch') expect(cpu).toBe(cpuOfRound.get(vq));
              previous.set(cpu, event);
            }
          }),
          { numRuns: 50 },
        );
      },
    );

    it('no decision of the oracle depends on an observation', () => {
      assert(
        property(seeds, sizes, (seed, steps) => {
          const { events } = simulateKernel({ ...kernel, seed, steps });
          // Blanked, but with the refused attempts still there: that one was made is an input.
          const blanked = events.flatMap((event) => {
            if (event.result !== -14) return blankObservations([event]);
            return [{ ...event, result: 0 }];
          });
          expect(oracle(blanked, kernel.design)).toEqual(oracle(events, kernel.design));
        }),
        { numRuns: 50 },
      );
    });

    it('decides as the oracle says when callbacks take effect inside a reset', () => {
      let [runs, share] = [0, 0];
      for (let seed = 0; seed < 200; seed++) {
        const { events, otherDecisions, seen } = simulateKernel({
          ...kernel,
          seed,
          steps: 3_000,
          resetWindow: true,
        });
        const other = kernel.design === 'merged' ? 'fixes-v5' : 'merged';
        expect(unsoundAccesses(events, oracle(events, kernel.design).accesses)).toEqual([]);
        expect(unsoundAccesses(events, oracle(events, other).accesses, otherDecisions)).toEqual([]);
        runs += 1;
        if (seen.has('callback takes effect inside a reset')) share += 1;
      }
      expect(share / runs).toBeGreaterThan(0.05);
    });

    it('decides under the other design as the oracle says, wherever the oracle is sure', () => {
      const other = kernel.design === 'merged' ? 'fixes-v5' : 'merged';
      assert(
        property(seeds, sizes, (seed, steps) => {
          const { events, otherDecisions } = simulateKernel({ ...kernel, seed, steps });
          const { accesses } = oracle(events, other);
          expect(unsoundAccesses(events, accesses, otherDecisions)).toEqual([]);
        }),
        { numRuns: 300 },
      );
    });

    it('copies everything under copy', () => {
      const { events } = simulateKernel({ ...kernel, seed: 1, steps: 2_000 });
      const { totals } = oracle(events, 'copy');
      expect(totals.hit + totals.ambiguous + totals.built).toBe(0n);
      expect(totals.fallback + totals.iotlb).toBe(BigInt(oracle(events, 'merged').accesses.length));
      expect(withoutEffects(events).some(({ event }) => event.startsWith('effect'))).toBe(false);
    });
  },
);

describe('coverage of rare cases', () => {
  const runs = 800;
  const seen = new Map<RareCase, number>();
  for (let seed = 0; seed < runs; seed++) {
    const simulation = simulateKernel({ ...KERNELS[seed % 4], seed, steps: 2_000 });
    for (const rare of simulation.seen) seen.set(rare, (seen.get(rare) ?? 0) + 1 / runs);
  }

  it.each(Object.entries(RARE_CASES) as [RareCase, number][])('%s: at least %d', (rare, least) => {
    const share = seen.get(rare) ?? 0;
    process.stdout.write(`${(share * 100).toFixed(1).padStart(5)} % ${rare}\n`);
    expect(share).toBeGreaterThanOrEqual(least);
  });
});
