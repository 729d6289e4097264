/**
 * What is likely of a stock host's accesses is found by the same rules, as if nothing took time: it settles what is
 * ambiguous, and never says of an access that is sure that it came out otherwise.
 */
import { assert, boolean, constantFrom, double, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DESIGNS, findDesign, type Design } from '../src/designs.ts';
import { decisionOf } from '../src/outcome.ts';
import { ACCESSORS } from '../src/ring.ts';
import { NO_DELAYS, USUAL_DELAYS, type Delays } from '../src/stock-host/page-evidence.ts';
import { accessOutcomes } from '../src/tallies.ts';
import type { Preemption } from '../src/callbacks.ts';
import type { RoundAccesses } from '../src/engine-state.ts';
import { createEngine } from '../src/replay-engine.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';
import { goldenAsStock } from './golden-as-stock.ts';
import { GOLDEN_TRACES, goldenPath } from './golden-traces.ts';
import { simulateKernel } from './kernel-simulator.ts';
import { stockVerdicts } from './stock-verdicts.ts';
import { readTextTrace } from './text-trace.ts';

interface Compared {
  /** Sure answers that are not the likely ones. */
  readonly contradicted: string[];
  /** Ambiguous answers that are likely something. */
  readonly settled: number;
}

function compare(events: readonly EventRecord[], options: Compare): Compared {
  const sure = stockVerdicts(events, options);
  const likely = stockVerdicts(events, { ...options, delays: NO_DELAYS });
  const contradicted: string[] = [];
  let settled = 0;
  const hold = (one: string | undefined, other: string | undefined, where: () => string): void => {
    if (one === other) return;
    if (one === 'ambiguous' && other !== undefined) settled++;
    else contradicted.push(`${where()}: surely ${one}, likely ${other}`);
  };
  for (const [event, areas] of sure.rounds)
    for (const [area, verdict] of areas.entries())
      hold(
        verdict,
        likely.rounds.get(event)?.[area],
        () => `${event.time} vq ${event.vq} area ${area}`,
      );
  for (const [at, verdict] of sure.accesses.entries())
    hold(verdict, likely.accesses[at], () => `access ${at}`);
  return { contradicted, settled };
}

interface Compare {
  readonly design: Design;
  readonly preemption: Preemption;
  readonly delays: Delays;
  readonly roundAccesses: RoundAccesses;
}

/** Events of a recording from one to another, by their place; the state is carried from the beginning. */
interface Part {
  readonly from: number;
  readonly to: number;
}

/** How many accesses a part of a recording has, by virtqueue and accessor. */
function accessesIn(events: readonly EventRecord[], part: Part, options: Compare): string[] {
  const engine = createEngine({ ...options, order: 'ranges', host: 'stock' });
  engine.count(false);
  let at = 0;
  for (const { batch, from, to } of batchesOf(events))
    for (let i = from; i < to; i++, at++) {
      if (at === part.from) engine.count(true);
      if (at === part.to) engine.count(false);
      engine.consume(batch, i, i + 1);
    }
  engine.finish();
  return [...engine.tallies.rounds.keys()].flatMap((vq) =>
    ACCESSORS.map((name, accessor) => {
      const outcomes = accessOutcomes(engine.tallies, vq, accessor);
      return `vq ${vq} ${name}: ${outcomes.reduce((sum, n) => sum + n, 0)}`;
    }),
  );
}

/** A recording counts the same accesses whether they are sure or likely, also in a part of it, or where it is cut. */
function expectSameTotals(
  events: readonly EventRecord[],
  { from, to }: Part,
  options: Compare,
): void {
  const likely = { ...options, delays: NO_DELAYS };
  const whole = { from: 0, to: Infinity };
  for (const [held, part] of [
    [events, whole],
    [events, { from, to }],
    [events.slice(0, to), whole],
  ] as const)
    expect(accessesIn(held, part, likely)).toEqual(accessesIn(held, part, options));
}

/** As long as the simulation's own steps, and as nothing that it knows of. */
const DELAYS: readonly Delays[] = [
  { flush: 0, forkFlush: 0, look: 1_000, setUp: 0, calls: true },
  { flush: 300, forkFlush: 3_000, look: 1_000, setUp: 2_000, calls: true },
  USUAL_DELAYS,
];

const RUNS = process.env['STOCK_RUNS'];
const SEARCH = RUNS === undefined ? { numRuns: 50, seed: 7 } : { numRuns: Number(RUNS) };

/** A search that was asked for takes as long as it takes. */
const timeout = RUNS === undefined ? 240_000 : 7_200_000;

describe('what is likely', { timeout }, () => {
  it('is what is sure, where anything is, on random executions', () => {
    const all = { derived: 0, counted: 0, recorded: 0 };
    assert(
      property(
        nat(),
        integer({ min: 0, max: 3_000 }),
        constantFrom(...DESIGNS),
        constantFrom<'merged' | 'fixes-v5'>('merged', 'fixes-v5'),
        constantFrom<'voluntary' | 'full'>('voluntary', 'full'),
        constantFrom(...DELAYS),
        boolean(),
        constantFrom<RoundAccesses>('derived', 'recorded'),
        double({ min: 0, max: 1, noNaN: true }),
        double({ min: 0, max: 1, noNaN: true }),
        (seed, steps, design, kernel, preempt, delays, looks, roundAccesses, ...ends) => {
          const simulated = simulateKernel({
            design: kernel,
            preempt,
            seed,
            steps,
            stock: true,
            looks,
            tellsAccesses: roundAccesses === 'recorded',
          });
          const events = (simulated.stock?.events ?? []).filter(
            // The collector may still be looking at pages.
            ({ event, pagesGot }) => event !== 'pages' || pagesGot !== undefined,
          );
          const options = { design, preemption: preempt, delays, roundAccesses };
          const { contradicted, settled } = compare(events, options);
          expect(contradicted).toEqual([]);
          const [from, to] = ends
            .map((end) => Math.floor(end * events.length))
            .toSorted((a, b) => a - b);
          expectSameTotals(events, { from, to }, options);
          all[roundAccesses] += settled;
        },
      ),
      SEARCH,
    );
    expect(all.derived).toBeGreaterThan(0);
    expect(all.recorded).toBeGreaterThan(0);
  });

  // Accesses one by one take long: of all but three traces only where a search was asked for.
  const isHeld = (name: string): boolean =>
    RUNS !== undefined || ['u1', 's3', 'p1'].some((short) => name.startsWith(short));
  const shown = GOLDEN_TRACES.flatMap((name) => [
    { name, roundAccesses: 'derived' as const },
    ...(isHeld(name) ? [{ name, roundAccesses: 'recorded' as const }] : []),
  ]);

  it.each(shown)(
    'is what is sure of $name, as a stock host would have shown it, accesses $roundAccesses',
    ({ name, roundAccesses }) => {
      const isTold = roundAccesses === 'recorded';
      const { events } = goldenAsStock(readTextTrace(goldenPath(name)), { accesses: isTold });
      const preemption = name.startsWith('p1') ? 'full' : 'voluntary';
      for (const design of ['merged', 'mmdrop-fix'].map((one) => findDesign(one)!))
        expect(
          compare(events, { design, preemption, delays: USUAL_DELAYS, roundAccesses }).contradicted,
        ).toEqual([]);
    },
  );

  // d1 is of one CPU, too, but no range is over a ring of it.
  // On two CPUs a start waits for readers (synchronize_rcu) between one area and the next, and these hit meanwhile.
  const loaded = GOLDEN_TRACES.filter((name) => name.startsWith('u'));

  it.each(loaded)('is what the kernel decided of nearly all accesses of %s', (name) => {
    const golden = readTextTrace(goldenPath(name));
    const { events } = goldenAsStock(golden, { accesses: true, looks: true });
    const engine = createEngine({
      design: findDesign('merged')!,
      order: 'ranges',
      preemption: 'voluntary',
      host: 'stock',
      delays: NO_DELAYS,
      roundAccesses: 'recorded',
    });
    for (const { batch, from, to } of batchesOf(events)) engine.consume(batch, from, to);
    engine.finish();
    const likely = { hit: 0, fallback: 0, iotlb: 0, ambiguous: 0 };
    for (const vq of engine.tallies.rounds.keys())
      for (const accessor of ACCESSORS.keys())
        for (const [outcome, n] of accessOutcomes(engine.tallies, vq, accessor).entries())
          if (n > 0) likely[decisionOf(outcome)] += n;
    const accesses = golden.filter(({ event }) => event === 'access');
    const hits = accesses.filter(({ observed }) => observed === 1);
    const told = likely.hit + likely.fallback + likely.iotlb;
    // Percentage points.
    expect(Math.abs(likely.hit / told - hits.length / accesses.length)).toBeLessThan(0.05 / 100);
    expect(likely.ambiguous).toBeLessThan(0.001 * accesses.length);
  });
});
