import * as fc from 'fast-check';

/** Counts of any size, small ones more often. */
export const counts: fc.Arbitrary<bigint> = fc.oneof(
  fc.nat({ max: 2000 }).map(BigInt),
  fc.bigInt(0n, 2n ** 64n - 1n),
);

/** A bucket, its bounds inclusive. */
export interface Bar {
  readonly min: bigint | null;
  readonly max: bigint | null;
  readonly count: bigint;
}

/** hist(): a bucket of all negative ones, 0, 1, powers of two. lhist(): steps, under and over. */
export const histograms: fc.Arbitrary<readonly Bar[]> = fc.oneof(
  fc
    .tuple(fc.integer({ min: -3, max: 60 }), fc.array(counts, { minLength: 1, maxLength: 9 }))
    .map(([first, bars]) =>
      bars.map((count, i) => {
        const power = Math.min(first + i, 62);
        if (power < -2) return { min: null, max: -1n, count };
        if (power < 0) return { min: BigInt(power + 2), max: BigInt(power + 2), count };
        const min = 1n << BigInt(power + 1);
        return { min, max: 2n * min - 1n, count };
      }),
    ),
  fc
    .tuple(
      fc.integer({ min: -5000, max: 5000 }),
      fc.constantFrom(1, 10, 1000),
      fc.array(counts, { minLength: 3, maxLength: 9 }),
    )
    .map(([from, step, bars]) =>
      bars.map((count, i) => {
        const min = BigInt(from) + BigInt(step) * BigInt(i);
        if (i === 0) return { min: null, max: BigInt(from) + BigInt(step) - 1n, count };
        if (i === bars.length - 1) return { min, max: null, count };
        return { min, max: min + BigInt(step) - 1n, count };
      }),
    ),
);
