import { expect, test } from 'vitest';
import { createRangesUnderWay, type RangeUnderWay } from './ranges-under-way.js';

const range = (whose: number, ...virtqueues: number[]): RangeUnderWay<number> => ({
  identity: { whose, start: 0n, end: 1n, cause: 0, blockable: 1, pid: 1, comm: 'a' },
  seen: whose,
  virtqueues,
});

test('a range is over its virtqueues for as long as it is followed', () => {
  const ranges = createRangesUnderWay<number>();
  ranges.begin(range(7, 1, 2));
  ranges.begin(range(8, 2, 3));
  expect([0, 1, 2, 3].map(ranges.isOver)).toEqual([false, true, true, true]);
  expect(ranges.drop(7)).toEqual([7]);
  expect([0, 1, 2, 3].map(ranges.isOver)).toEqual([false, false, true, true]);
  expect(ranges.drop('all')).toEqual([8]);
  expect([0, 1, 2, 3].map(ranges.isOver)).toEqual([false, false, false, false]);
});

test('of too many the oldest is not followed any more', () => {
  const ranges = createRangesUnderWay<number>();
  ranges.begin(range(7, 1));
  for (let more = 0; more < 1023; more++) ranges.begin(range(8, 2));
  expect(ranges.isOver(1)).toBe(true);
  ranges.begin(range(8, 2));
  expect(ranges.isOver(1)).toBe(false);
  expect(ranges.drop('all')).toHaveLength(1024);
});
