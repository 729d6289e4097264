/**
 * Live recordings of a kernel with the direct-map driver: ranges order, and the device IOTLB told when it begins to
 * be switched on, which takes effect later, a virtqueue at a time.
 */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { expect, it } from 'vitest';
import { findDesign } from '../src/designs.ts';
import { engineVerdicts } from './engine-verdicts.ts';
import { simulateKernel } from './kernel-simulator.ts';
import { unsoundAccesses, withoutEffects } from './ranges-soundness.ts';

const [MERGED, FIXES, COPY] = ['merged', 'fixes-v5', 'copy'].map((name) => findDesign(name)!);

it('are never told to have decided what they did not', { timeout: 120_000 }, () => {
  let [open, all] = [0, 0];
  assert(
    property(
      nat(),
      integer({ min: 0, max: 3_000 }),
      constantFrom('merged', 'fixes-v5'),
      constantFrom('voluntary', 'full'),
      constantFrom(true, false),
      constantFrom(MERGED, FIXES, COPY),
      (seed, steps, recorded, preempt, isKnown, design) => {
        const { events, otherDecisions } = simulateKernel({
          design: recorded,
          seed,
          steps,
          preempt,
          isLive: true,
        });
        const seen = withoutEffects(events);
        const preemption = isKnown ? preempt : 'unknown';
        const { accesses } = engineVerdicts(seen, {
          design,
          order: 'ranges',
          preemption,
          hasFilteredRanges: true,
        });
        const observed = seen.flatMap((event) =>
          event.event === 'access' ? [Number(event.observed)] : [],
        );
        const copied = observed.map((decision) => (decision === 2 ? 2 : 0));
        const truth =
          design === COPY ? copied : design.name === recorded ? observed : otherDecisions;
        expect(unsoundAccesses(seen, accesses, truth)).toEqual([]);
        open += accesses.filter((verdict) => verdict === 'ambiguous').length;
        all += accesses.length;
      },
    ),
    { numRuns: 80, seed: 5 },
  );
  expect(open / all).toBeLessThan(0.9);
});
