import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutPieces } from './cut-pieces.js';

const appended = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 })
  .map((parts) => ({ parts, bytes: parts.reduce((sum, { length }) => sum + length, 0) }));

describe('cutPieces', () => {
  it('loses nothing, keeps to the limit, and cuts only what is larger than that', () => {
    fc.assert(
      fc.property(
        fc.array(appended, { maxLength: 12 }),
        fc.integer({ min: 1, max: 120 }),
        (all, max) => {
          const cuts = cutPieces(all, max);
          const flat = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);
          expect(flat(cuts.flatMap(({ parts }) => parts))).toEqual(
            flat(all.flatMap(({ parts }) => parts)),
          );
          let done = 0;
          for (const { parts, bytes, whole } of cuts) {
            expect(flat(parts).length).toBe(bytes);
            expect(bytes).toBeGreaterThan(0);
            expect(bytes).toBeLessThanOrEqual(max);
            done += bytes;
            const ends = all.reduce<number[]>(
              (sums, one) => [...sums, (sums.at(-1) ?? 0) + one.bytes],
              [],
            );
            const at = ends.indexOf(done);
            expect(whole).toBe(at === -1 ? undefined : at + 1);
            // In the middle of one: of one that is larger than a piece.
            if (at === -1)
              expect(all[ends.findIndex((end) => end > done)].bytes).toBeGreaterThan(max);
          }
        },
      ),
    );
  });

  it('packs what fits together', () => {
    const one = { parts: [new Uint8Array(4)], bytes: 4 };
    expect(cutPieces([one, one, one], 8).map(({ bytes }) => bytes)).toEqual([8, 4]);
  });
});
