import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dialectOf, isBefore, versionNumbers, type BpftraceVersion } from './bpftrace-dialects.js';

describe('versions', () => {
  it.each([
    ['0.17.0', [0, 17, 0]],
    ['0.23', [0, 23, 0]],
    ['1.2.34-rc0', [1, 2, 34]],
    ['hello', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (text, numbers) => {
    expect(versionNumbers(text)).toEqual(numbers);
  });

  it('are in the order of their numbers', () => {
    const version = fc.tuple(fc.nat(2), fc.nat(30), fc.nat(9));
    const rank = ([major, minor, patch]: BpftraceVersion): number =>
      10_000 * major + 100 * minor + patch;
    fc.assert(
      fc.property(version, version, (one, other) => {
        expect(isBefore(one, other)).toBe(rank(one) < rank(other));
      }),
    );
  });
});

it('one that is not known is written for as the oldest', () => {
  expect(dialectOf(undefined)).toEqual(dialectOf([0, 17, 0]));
  expect(dialectOf([0, 11, 3])).toEqual(dialectOf([0, 17, 0]));
  expect(dialectOf([0, 17, 0])).toEqual({
    moduleStructs: 'all',
    processId: 'pid',
    buffer: 'each CPU',
  });
});
