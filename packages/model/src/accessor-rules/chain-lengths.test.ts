import { describe, expect, it } from 'vitest';
import { chainHabit, createChainLengths, endChain } from './chain-lengths.ts';

/** Counts of chains by their descriptors. */
function chains(...of: readonly (readonly [length: number, count: number])[]): number[] {
  const { counts } = createChainLengths();
  for (const [length, count] of of) counts[length] = count;
  return counts;
}

describe('the habit of a driver', () => {
  it.each([
    ['all chains are alike', chains([1, 256]), { length: 1, usual: 256, unusual: 0 }],
    ['all but one are', chains([1, 255], [2, 1]), { length: 1, usual: 255, unusual: 1 }],
    ['others are shorter', chains([1, 2], [3, 600]), { length: 3, usual: 600, unusual: 2 }],
    [
      'others have several lengths',
      chains([1, 1022], [2, 3], [9, 1]),
      { length: 1, usual: 1022, unusual: 4 },
    ],
    ['too many differ', chains([1, 509], [2, 2]), undefined],
    ['there are too few chains', chains([1, 255]), undefined],
    ['there are none', chains(), undefined],
    ['the usual are of lengths that are not told apart', chains([64, 10_000]), undefined],
  ])('%s', (_, counts, expected) => {
    expect(chainHabit(counts)).toEqual(expected);
  });
});

it('chains longer than are told apart are counted together', () => {
  const seen = createChainLengths();
  for (const length of [1, 63, 64, 65, 32_768]) {
    seen.open = length;
    endChain(seen);
  }
  expect(seen).toEqual({ counts: chains([1, 1], [63, 1], [64, 3]), open: 0 });
});
