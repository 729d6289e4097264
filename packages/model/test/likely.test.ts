/**
 * What is likely of a stock host's accesses is found by the same rules, as if nothing took time: it settles what is
 * ambiguous, and never says of an access that is sure that it came out otherwise.
 */
import { assert, boolean, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DESIGNS, findDesign, type Design } from '../src/designs.ts';
import { NO_DELAYS, USUAL_DELAYS, type Delays } from '../src/stock-host/page-evidence.ts';
import type { Preemption } from '../src/callbacks.ts';
import type { EventRecord } from './event-record.ts';
import { goldenAsStock } from './golden-as-stock.ts';
import { GOLDEN_TRACES, goldenPath } from './golden-traces.ts';
import { simulateKernel } from './kernel-simulator.ts';
import { stockVerdicts } from './stock-verdicts.ts';
import { readTextTrace } from './text-trace.ts';

/** Sure answers that are not the likely ones, and how many ambiguous ones are likely something. */
function compare(
  events: readonly EventRecord[],
  options: { readonly design: Design; readonly preemption: Preemption; readonly delays: Delays },
): { readonly contradicted: string[]; readonly settled: number } {
  const sure = stockVerdicts(events, options);
  const likely = stockVerdicts(events, { ...options, delays: NO_DELAYS });
  const contradicted: string[] = [];
  let settled = 0;
  const hold = (one: string | undefined, other: string | undefined, where: string): void => {
    if (one === other) return;
    if (one === 'ambiguous') settled++;
    else contradicted.push(`${where}: surely ${one}, likely ${other}`);
  };
  for (const [event, areas] of sure.rounds)
    for (const [area, verdict] of areas.entries())
      hold(verdict, likely.rounds.get(event)?.[area], `${event.time} vq ${event.vq} area ${area}`);
  for (const [at, verdict] of sure.accesses.entries())
    hold(verdict, likely.accesses[at], `access ${at}`);
  return { contradicted, settled };
}

/** As long as the simulation's own steps, and as nothing that it knows of. */
const DELAYS: readonly Delays[] = [
  { flush: 0, forkFlush: 0, look: 1_000, setUp: 0 },
  { flush: 300, forkFlush: 3_000, look: 1_000, setUp: 2_000 },
  USUAL_DELAYS,
];

const RUNS = process.env['STOCK_RUNS'];
const SEARCH = RUNS === undefined ? { numRuns: 50, seed: 7 } : { numRuns: Number(RUNS) };

describe('what is likely', { timeout: 240_000 }, () => {
  it('is what is sure, where anything is, on random executions', () => {
    let all = 0;
    assert(
      property(
        nat(),
        integer({ min: 0, max: 3_000 }),
        constantFrom(...DESIGNS),
        constantFrom<'merged' | 'fixes-v5'>('merged', 'fixes-v5'),
        constantFrom<'voluntary' | 'full'>('voluntary', 'full'),
        constantFrom(...DELAYS),
        boolean(),
        (seed, steps, design, kernel, preempt, delays, looks) => {
          const simulated = simulateKernel({
            design: kernel,
            preempt,
            seed,
            steps,
            stock: true,
            looks,
          });
          const events = simulated.stock?.events.filter(
            // The collector may still be looking at pages.
            ({ event, pagesGot }) => event !== 'pages' || pagesGot !== undefined,
          );
          const { contradicted, settled } = compare(events ?? [], {
            design,
            preemption: preempt,
            delays,
          });
          expect(contradicted).toEqual([]);
          all += settled;
        },
      ),
      SEARCH,
    );
    expect(all).toBeGreaterThan(0);
  });

  it.each(GOLDEN_TRACES)('is what is sure of %s, as a stock host would have shown it', (name) => {
    const { events } = goldenAsStock(readTextTrace(goldenPath(name)));
    const preemption = name.startsWith('p1') ? 'full' : 'voluntary';
    for (const design of ['merged', 'mmdrop-fix'])
      expect(
        compare(events, { design: findDesign(design)!, preemption, delays: USUAL_DELAYS })
          .contradicted,
      ).toEqual([]);
  });
});
