/** After a loss the engine claims nothing that it cannot know from what followed it. */
import { assert, constantFrom, integer, nat, property } from 'fast-check';
import { expect, test } from 'vitest';
import { findDesign } from '../src/designs.ts';
import { engineVerdicts } from './engine-verdicts.ts';
import type { EventRecord } from './event-record.ts';
import { simulateKernel } from './kernel-simulator.ts';
import { unsoundAccesses, withoutEffects } from './ranges-soundness.ts';

const MERGED = findDesign('merged')!;

/** The events with a stretch of them missing, and a `lost` event that tells so where it ends. */
function lose(events: readonly EventRecord[], from: number, count: number): EventRecord[] {
  const end = Math.min(events.length - 1, from + count);
  const { time, cpu } = events[end];
  return [
    ...events.slice(0, from),
    { event: 'lost', time, cpu, lost: BigInt(end - from), note: 'test' },
    ...events.slice(end),
  ];
}

test.each(['voluntary', 'full'] as const)(
  'no answer is wrong after a loss that was told, %s preemption',
  { timeout: 120_000 },
  (preempt) => {
    let sure = 0;
    let all = 0;
    assert(
      property(
        nat(),
        integer({ min: 200, max: 1500 }),
        integer({ min: 1, max: 99 }),
        integer({ min: 1, max: 60 }),
        constantFrom('ranges' as const, 'effects' as const),
        (seed, steps, percent, count, order) => {
          const { events } = simulateKernel({ seed, steps, design: 'merged', preempt });
          const first = events.findIndex(({ event }) => event !== 'virtqueue');
          const from = Math.max(first, Math.floor((events.length * percent) / 100));
          if (first < 0 || from >= events.length) return;
          const damaged = lose(events, from, count);
          const seen = order === 'ranges' ? withoutEffects(damaged) : damaged;
          const options = { design: MERGED, order, preemption: preempt };
          const { accesses } = engineVerdicts(seen, options);
          const before = seen
            .slice(
              0,
              seen.findIndex(({ event }) => event === 'lost'),
            )
            .filter(({ event }) => event === 'access').length;
          const wrong = unsoundAccesses(seen, accesses).filter(({ index }) => index >= before);
          expect(wrong).toEqual([]);
          const after = accesses.slice(before);
          all += after.length;
          sure += after.filter((verdict) => verdict !== 'ambiguous').length;
        },
      ),
      { numRuns: 150 },
    );
    // It does find its feet again, by resets and set-ups that follow.
    expect(sure).toBeGreaterThan(all / 100);
  },
);
