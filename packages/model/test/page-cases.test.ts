/** What is known of the pages of a ring on a stock host: small recordings, event by event. */
import { describe, expect, it } from 'vitest';
import type { EventRecord } from './event-record.ts';
import {
  DESC,
  AVAIL,
  USED,
  CLEAR,
  PROTECTION_VMA,
  DELAYS,
  event,
  setUp,
  begin,
  round,
  call,
  byRound,
} from './stock-events.ts';

describe('a ring that is set up again', () => {
  const NUM = 1024;
  const places = [
    [0x10_0000n, 16n * 1024n],
    [0x10_8000n, 2054n],
    [0x11_0000n, 8198n],
  ] as const;
  const DESC_PAGES = [0x10_0000n, 0x10_4000n] as const;
  const contiguous = (time: number): EventRecord =>
    event('pages', time, {
      vq: 0,
      area: DESC,
      pagesGot: 4,
      pagesWanted: 4,
      contiguous: 1,
      hugePages: 0,
    });

  it('is still one whose protection was changed', () => {
    const before = [
      ...begin(places),
      ...call(1_000, 'start', DESC_PAGES, PROTECTION_VMA),
      ...call(1_100, 'end', DESC_PAGES, PROTECTION_VMA),
    ];
    const after = [contiguous(5_000), ...round(6_000, 1, NUM), ...round(7_000, 2, NUM)];
    expect(byRound([...before, ...setUp(4_000, places), ...after], DESC)).toEqual([
      'ambiguous',
      'ambiguous',
    ]);
    expect(byRound([...begin(places), ...setUp(4_000, places), ...after], DESC)).toEqual([
      'hit',
      'hit',
    ]);
  });

  it('elsewhere may lie under a range that began before and is not told', () => {
    const delays = { ...DELAYS, setUp: 10_000 };
    const moved = places.map(([address, size]) => [address + 0x100_0000n, size] as const);
    const after = [
      contiguous(22_000),
      ...round(23_000, 1, NUM),
      ...round(24_000, 2, NUM),
      contiguous(31_000),
      ...round(32_000, 3, NUM),
      ...round(33_000, 4, NUM),
    ];
    const again = (to: readonly (readonly [bigint, bigint])[]): EventRecord[] => [
      ...begin(places),
      ...setUp(20_000, to),
      ...after,
    ];
    expect(byRound(again(moved), DESC, delays)).toEqual(['ambiguous', 'ambiguous', 'hit', 'hit']);
    expect(byRound(again(moved), AVAIL, delays)).toEqual([
      'ambiguous',
      'ambiguous',
      'ambiguous',
      'hit',
    ]);
    expect(byRound(again(places), DESC, delays)).toEqual(['hit', 'hit', 'hit', 'hit']);
  });
});

describe('a look in the kernel', () => {
  const NUM = 1024;
  const places = [
    [0x10_0000n, 16n * 1024n],
    [0x10_8000n, 2054n],
    [0x11_0000n, 8198n],
  ] as const;
  const USED_PAGES = [0x11_0000n, 0x11_3000n] as const;
  /** Of the used ring, which takes three pages. */
  const look = (time: number, got: number, writable: number, contiguous = 1): EventRecord =>
    event('pages', time, {
      vq: 0,
      area: USED,
      pagesGot: got,
      pagesWanted: 3,
      contiguous: got === 3 ? contiguous : 0,
      hugePages: 0,
      pagesWritable: writable,
    });
  const used = (...events: EventRecord[]): unknown[] =>
    byRound([...begin(places), ...events], USED);

  it('decides the attempt of its round, and of those that follow', () => {
    expect(used(look(900, 3, 3), ...round(1_000, 1, NUM), ...round(2_000, 2, NUM))).toEqual([
      'hit',
      'hit',
    ]);
    expect(used(look(900, 2, 2), ...round(1_000, 1, NUM), ...round(2_000, 2, NUM))).toEqual([
      'fallback',
      'fallback',
    ]);
    expect(used(look(900, 3, 3, 0), ...round(1_000, 1, NUM))).toEqual(['fallback']);
  });

  it('asks for pages that may be written of the used ring only', () => {
    expect(used(look(900, 3, 2), ...round(1_000, 1, NUM))).toEqual(['fallback']);
    const avail = event('pages', 900, {
      vq: 0,
      area: AVAIL,
      pagesGot: 1,
      pagesWanted: 1,
      contiguous: 1,
      hugePages: 0,
      pagesWritable: 0,
    });
    expect(byRound([...begin(places), avail, ...round(1_000, 1, NUM)], AVAIL)).toEqual(['hit']);
  });

  it('gives way to the next one: pages come without a word', () => {
    expect(
      used(look(900, 2, 2), ...round(1_000, 1, NUM), look(1_900, 3, 3), ...round(2_000, 2, NUM)),
    ).toEqual(['fallback', 'hit']);
  });

  it('says nothing after a range, nor while one is under way', () => {
    const start = call(2_000, 'start', USED_PAGES, CLEAR);
    const end = call(2_100, 'end', USED_PAGES, CLEAR);
    const before = [look(900, 3, 3), ...round(1_000, 1, NUM)];
    expect(used(...before, ...start, ...end, ...round(3_000, 2, NUM))).toEqual([
      'hit',
      'ambiguous',
    ]);
    expect(used(...before, ...start, look(2_050, 3, 3), ...end, ...round(3_000, 2, NUM))).toEqual([
      'hit',
      'ambiguous',
    ]);
    expect(used(...before, ...start, ...end, look(2_900, 2, 2), ...round(3_000, 2, NUM))).toEqual([
      'hit',
      'fallback',
    ]);
  });

  it('of a ring of another size, or set up a moment ago, says nothing', () => {
    const smaller = { ...look(900, 2, 2), pagesWanted: 2 };
    expect(used(smaller, ...round(1_000, 1, NUM))).toEqual(['ambiguous']);
    const events = [...begin(places), look(900, 3, 3), ...round(1_000, 1, NUM)];
    expect(byRound(events, USED, { ...DELAYS, setUp: 10_000 })).toEqual(['ambiguous']);
  });
});
