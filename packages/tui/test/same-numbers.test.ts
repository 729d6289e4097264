/** At whatever moment the screen stands, its numbers are those of `replay` up to that moment. */

import {
  engineOf,
  extentOf,
  findStorms,
  completenessOf,
  readSpanOptions,
  replayTrace,
  runResult,
  type Replayed,
  type RunResult,
} from '@vhostscope/replay';
import { openTrace, visitTrace, type OpenTrace } from '@vhostscope/trace';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, DashboardView, Decided } from '../src/dashboard.ts';
import { design, fileSession, TRACES } from './traces.ts';

/** What `replay run --design NAME --to TIME` finds. */
function run(trace: OpenTrace, name: string, to: bigint): RunResult {
  const { replayed, result } = replay(trace, name, to);
  expect(replayed.order).toBe(result.order);
  return result;
}

function replay(
  trace: OpenTrace,
  name: string,
  to: bigint,
): { replayed: Replayed; result: RunResult } {
  const span = readSpanOptions({ to: String(to) });
  const replayed = replayTrace(trace, design(name), { order: 'auto' }, span);
  const basis = { smap: undefined, calibrated: undefined };
  return {
    replayed,
    result: runResult(trace, replayed, completenessOf(trace), basis, undefined),
  };
}

const decided = ({
  accesses,
  hits,
  fallbacks,
  iotlb,
  ambiguous,
}: Omit<Decided, 'isEstimated'>) => ({
  accesses,
  hits,
  fallbacks,
  iotlb,
  ambiguous,
});

const NOTHING = decided({ accesses: 0, hits: 0, fallbacks: 0, iotlb: 0, ambiguous: 0 });

/** The numbers that both have, by virtqueue. */
function shown(view: DashboardView) {
  const { queue } = view;
  return {
    design: view.design,
    totals: decided(view.total.total),
    virtqueues: view.virtqueues.map(({ vq, chosen }) => ({ id: vq, ...decided(chosen.total) })),
    estimated: view.virtqueues.map(({ chosen }) => chosen.total.isEstimated),
    accessors: queue?.accessors.map(({ name, decided: of }) => ({ name, ...decided(of) })),
    order: view.recording.order,
  };
}

function found(result: RunResult, vq: number | undefined) {
  const one = result.virtqueues.find(({ id }) => id === vq);
  return {
    design: result.design,
    totals: decided(result.totals),
    virtqueues: result.virtqueues.map(({ id, totals }) => ({ id, ...decided(totals) })),
    estimated: result.virtqueues.map(({ totals }) => totals.counts === 'estimated'),
    accessors:
      one && Object.entries(one.accessors).map(([name, totals]) => ({ name, ...decided(totals) })),
    order: `${result.order}: ${result.order_reason}`,
  };
}

const KINDS = ['event', 'round', 'invalidation', 'storm'] as const;

const command: fc.Arbitrary<
  Command | { do: 'wait'; ms: number } | { do: 'seek part'; part: number }
> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('seek part' as const),
      part: fc.double({ min: 0, max: 1.01, noNaN: true }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('step' as const),
      kind: fc.constantFrom(...KINDS),
      by: fc.constantFrom(1 as const, -1 as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('design' as const),
      name: fc.constantFrom('merged', 'fixes-v5', 'vmap-v3', 'copy'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('beside' as const),
      name: fc.constantFrom(undefined, 'fixes-v5', 'rework'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 1, max: 400 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('look at' as const),
      vq: fc.constantFrom(undefined, 0, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('speed' as const),
      speed: fc.constantFrom(0.1, 1, 3, 'max' as const),
    }),
  },
);

describe.each(['u1', 's3', 'stock'] as const)('a random walk through %s', (name) => {
  test('shows what replay run finds up to the moment', { timeout: 240_000 }, async () => {
    const trace = await openTrace(TRACES[name]);
    const { first, last } = extentOf(trace);
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 12 }), async (commands) => {
        const session = await fileSession(TRACES[name]);
        let view = session.settle();
        expect(view.clock.at).toBe(Number(last - first) + 1);
        for (const one of commands) {
          if (one.do === 'wait') {
            session.tell({ do: 'play' });
            session.settle();
            session.pass(one.ms);
            session.tell({ do: 'pause' });
          } else if (one.do === 'seek part')
            session.tell({ do: 'seek', at: one.part * Number(last - first) });
          else session.tell(one);
          view = session.settle();
          const to = first + BigInt(view.clock.at);
          const vq = view.queue?.vq;
          if (view.clock.at === 0) {
            expect(shown(view).totals).toEqual(NOTHING);
            continue;
          }
          const expected = found(run(trace, view.design, to), vq);
          const { virtqueues, estimated, ...others } = shown(view);
          expect({ at: view.clock.at, virtqueues, estimated, ...others }).toEqual({
            at: view.clock.at,
            ...expected,
          });
          if (view.beside !== undefined && view.besideTotal !== undefined)
            expect(decided(view.besideTotal.total)).toEqual(
              decided(run(trace, view.beside, to).totals),
            );
        }
        await session.close();
      }),
      { numRuns: 12, interruptAfterTimeLimit: 120_000 },
    );
    trace.close();
  });
});
