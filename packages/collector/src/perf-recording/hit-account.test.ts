import { expect, it } from 'vitest';
import { createHitAccount } from './hit-account.js';

const hits = (counts: Readonly<Record<string, number>>, misses = 0) =>
  new Map(
    Object.entries(counts).map(([event, hit]) => [
      event,
      { hits: BigInt(hit), misses: BigInt(misses) },
    ]),
  );

const NONE = { lost: 0n, unknown: 0n, misses: 0n, uncounted: [] };

it('what was hit between two readings and did not arrive is lost', () => {
  const account = createHitAccount(['round', 'set_up']);
  account.noteHits('begin', 100n, 200n, hits({ round: 5, set_up: 1 }, 2));
  for (const time of [50n, 99n, 201n, 300n, 400n]) account.hear('round', time);
  account.noteHits('end', 500n, 600n, hits({ round: 11, set_up: 2 }, 3));
  // After the last reading probes are hit, and nobody takes their events any more.
  account.hear('round', 700n);
  expect(account.reckon()).toEqual({ lost: 4n, unknown: 0n, misses: 2n, uncounted: [] });
});

it('nothing is where all arrived', () => {
  const account = createHitAccount(['round']);
  account.noteHits('begin', 100n, 200n, hits({ round: 5 }));
  for (const time of [201n, 300n]) account.hear('round', time);
  account.noteHits('end', 500n, 600n, hits({ round: 7 }));
  account.hear('round', 601n);
  expect(account.reckon()).toEqual(NONE);
});

it('of readings that one counts during which nothing happened', () => {
  const account = createHitAccount(['round']);
  // A file that could not be read.
  account.noteHits('begin', 50n, 60n, hits({}));
  account.noteHits('begin', 100n, 200n, hits({ round: 5 }));
  account.noteHits('begin', 300n, 400n, hits({ round: 6 }));
  for (const time of [150n, 450n]) account.hear('round', time);
  account.noteHits('end', 500n, 600n, hits({ round: 7 }));
  account.noteHits('end', 700n, 800n, hits({ round: 8 }));
  account.hear('round', 550n);
  expect(account.reckon()).toEqual(NONE);
});

it('an event that was counted long before it got its time is not lost', () => {
  const account = createHitAccount(['round']);
  account.noteHits('begin', 100n, 200n, hits({ round: 5 }));
  account.noteHits('end', 300n, 400n, hits({ round: 6 }));
  account.noteHits('end', 500n, 600n, hits({ round: 6 }));
  account.hear('round', 450n);
  expect(account.reckon()).toEqual(NONE);
});

it('where something happened in each, it is not known how much is lost', () => {
  const lost = (atTheEnd: number) => {
    const account = createHitAccount(['round']);
    account.noteHits('begin', 100n, 200n, hits({ round: 5 }));
    for (const time of [150n, 450n]) account.hear('round', time);
    account.noteHits('end', 500n, 600n, hits({ round: atTheEnd }));
    return account.reckon();
  };
  expect(lost(6)).toEqual(NONE);
  expect(lost(7)).toMatchObject({ lost: 0n, unknown: 1n });
  expect(lost(9)).toMatchObject({ lost: 2n, unknown: 1n });
});

it('without a reading nothing is known', () => {
  expect(createHitAccount(['round']).reckon()).toEqual({ ...NONE, uncounted: ['round'] });
});
