/** Batches that were played and are not kept are forgotten, and no other. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchEnd, createPlaceList, type BatchPlace } from './place-list.ts';

const place = (offset: number, bodyBytes: number): BatchPlace => ({
  role: 'events',
  recording: 0,
  cpu: 3,
  offset,
  metadataBytes: 8,
  bodyBytes,
  rows: bodyBytes,
});

test('places keep their indices while those that passed are forgotten', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 80 }),
      fc.nat(1000),
      fc.infiniteStream(fc.nat(300)),
      (sizes, kept, behind) => {
        const list = createPlaceList(0, 3);
        const all: BatchPlace[] = [];
        let upTo = 0;
        for (const size of sizes) {
          const next = place(batchEnd(all.at(-1)), size);
          all.push(next);
          list.push(next);
          upTo = Math.max(upTo, batchEnd(next) - (behind.next().value ?? 0));
          // Nothing is forgotten before there is more than is kept.
          if (batchEnd(next) > kept) list.forget(kept, upTo);
        }
        const isThere = (one: BatchPlace): boolean => batchEnd(one) <= kept || batchEnd(one) > upTo;
        const isPast = batchEnd(all.at(-1)) > kept;
        const expected = all.map((one) => (!isPast || isThere(one) ? one : undefined));
        expect(list.length).toBe(all.length);
        expect(all.map((_, index) => list.at(index))).toEqual(expected);
        expect([...list]).toEqual(expected.filter((one) => one !== undefined));
        for (const bytes of [0, kept, upTo, Infinity])
          expect(list.lastWithin(bytes)).toEqual(
            expected.findLast((one) => one !== undefined && batchEnd(one) <= bytes),
          );
        expect(list.at(all.length)).toBeUndefined();
      },
    ),
  );
});
