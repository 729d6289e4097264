/** The oracle against simulated kernels of its own design: nothing may be wrong or in doubt. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulateKernel, type SimulationOptions } from './kernel-simulator.ts';
import { oracle } from './oracle.ts';

const DECISIONS = ['fallback', 'hit', 'iotlb'] as const;

function observations({ design, ...options }: SimulationOptions) {
  const { events } = simulateKernel({ design, ...options });
  const accesses = events
    .filter(({ event }) => event === 'access')
    .map(({ observed }) => DECISIONS[Number(observed)]);
  const names = new Map([
    [0, 'built'],
    [-14, 'refused'],
    [14, 'gup_short'],
    [77, 'not_contiguous'],
    [-12, 'no_memory'],
  ]);
  const attempts = events
    .filter(({ event }) => event === 'prefetch')
    .map(({ result }) => names.get(Number(result)));
  return { events, accesses, attempts };
}

describe.each(['merged', 'fixes-v5'] as const)('the oracle on simulated %s kernels', (design) => {
  it.each(['voluntary', 'full'] as const)('%s preemption', (preempt) => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 100, max: 3000 }), (seed, steps) => {
        const { events, accesses, attempts } = observations({ design, preempt, seed, steps });
        const told = oracle(events, design);
        expect(told.accesses).toEqual(accesses);
        expect(told.attempts).toEqual(attempts);
      }),
      { numRuns: 300 },
    );
  });
});
