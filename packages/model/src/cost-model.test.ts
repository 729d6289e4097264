/** The cost model: what was measured comes out exactly, and nothing leaves what lies between. */
import { assert, double, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateRate, rateAt } from './cost-model.ts';
import { DESIGNS } from './designs.ts';

const rate = double({ min: 0.01, max: 1000, noNaN: true });
const rates = record({ before: rate, after: rate });
const counts = record({
  packets: integer({ min: 1, max: 1_000_000 }),
  perPacket: integer({ min: 1, max: 40 }),
});
const published = DESIGNS.flatMap(({ publishedRates }) => Object.values(publishedRates ?? {}));

describe('rateAt', () => {
  it.each(published)('is what was published where none and where all hit: %j', (change) => {
    expect(rateAt(change, 0)).toBe(change.before);
    expect(rateAt(change, 1)).toBe(change.after);
  });

  it('saves half of the time where half of the accesses hit', () => {
    const halfway = rateAt({ before: 5, after: 10 }, 0.5);
    expect(1 / halfway).toBeCloseTo((1 / 5 + 1 / 10) / 2, 12);
  });
});

describe('estimateRate', () => {
  it('is exactly what was measured at both ends, whatever the counts', () => {
    assert(
      property(rates, counts, (change, { packets, perPacket }) => {
        const accesses = packets * perPacket;
        const none = estimateRate(change, { packets, accesses, hits: 0, ambiguous: 0 });
        const all = estimateRate(change, { packets, accesses, hits: accesses, ambiguous: 0 });
        expect(none?.rate).toEqual([change.before, change.before]);
        expect(all?.rate).toEqual([change.after, change.after]);
      }),
    );
  });

  it('spans what ambiguous accesses may have been, between the two rates', () => {
    const parts = record({
      hits: integer({ min: 0, max: 500 }),
      ambiguous: integer({ min: 0, max: 500 }),
    });
    assert(
      property(
        rates,
        parts,
        integer({ min: 1, max: 500 }),
        (change, { hits, ambiguous }, others) => {
          const accesses = hits + ambiguous + others;
          const counted = { packets: others, accesses, hits, ambiguous };
          const estimate = estimateRate(change, counted)!;
          const [least, most] = estimate.rate;
          const slower = Math.min(change.before, change.after);
          const faster = Math.max(change.before, change.after);
          const close = 1e-9 * faster;
          expect(least).toBeLessThanOrEqual(most);
          expect(least).toBeGreaterThanOrEqual(slower - close);
          expect(most).toBeLessThanOrEqual(faster + close);
          for (const sure of [hits, hits + ambiguous]) {
            const [exact] = estimateRate(change, { ...counted, hits: sure, ambiguous: 0 })!.rate;
            expect(exact === least || exact === most).toBe(true);
          }
        },
      ),
    );
  });

  it('adds up: the time saved is that of the accesses that hit', () => {
    const change = { before: 5.2, after: 6.4 };
    const counted = { packets: 100, accesses: 1200, hits: 900, ambiguous: 0 };
    const {
      rate: [found],
      savedPerAccess,
      savedPerPacket,
    } = estimateRate(change, counted)!;
    expect(savedPerPacket).toBeCloseTo(36.058, 3);
    expect(1000 / found).toBeCloseTo(1000 / change.before - 9 * savedPerAccess, 9);
  });

  it('says how much one access per packet more or less would change', () => {
    const counted = { packets: 100, accesses: 1000, hits: 500, ambiguous: 0 };
    const { sensitivity } = estimateRate({ before: 5, after: 10 }, counted)!;
    expect(sensitivity.fewer?.[0]).toBeCloseTo(rateAt({ before: 5, after: 10 }, 5 / 9), 12);
    expect(sensitivity.more[0]).toBeCloseTo(rateAt({ before: 5, after: 10 }, 5 / 11), 12);
    const one = estimateRate({ before: 5, after: 10 }, { ...counted, accesses: 100, hits: 100 });
    expect(one?.sensitivity.fewer).toBeUndefined();
  });

  it('has no answer without packets or accesses', () => {
    const change = { before: 5, after: 10 };
    expect(
      estimateRate(change, { packets: 0, accesses: 9, hits: 9, ambiguous: 0 }),
    ).toBeUndefined();
    expect(
      estimateRate(change, { packets: 9, accesses: 0, hits: 0, ambiguous: 0 }),
    ).toBeUndefined();
  });
});
