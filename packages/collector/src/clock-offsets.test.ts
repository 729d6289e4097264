import { describe, expect, test } from 'vitest';
import { readOffsets } from './clock-offsets.js';

const FILES = ['a.txt', 'b=c.txt', '-'];

test.each([
  ['0', 0n],
  ['-0', 0n],
  ['+1.5ms', 1_500_000n],
  ['1.5ms', 1_500_000n],
  ['-2s', -2_000_000_000n],
  ['17ns', 17n],
  ['0.25us', 250n],
  ['0.25µs', 250n],
  ['1.000000001s', 1_000_000_001n],
  ['123456789012345678ns', 123_456_789_012_345_678n],
])('%s', (text, ns) => {
  expect(readOffsets([`b=c.txt=${text}`], FILES).get('b=c.txt')).toBe(ns);
});

test('is of the file of that name, in whatever folder', () => {
  const files = ['there/a.txt', 'there/b.txt', 'here/b.txt', 'c.txt', 'here/c.txt'];
  expect(readOffsets(['a.txt=1s', 'c.txt=2s'], files)).toEqual(
    new Map([
      ['there/a.txt', 1_000_000_000n],
      ['c.txt', 2_000_000_000n],
    ]),
  );
  expect(() => readOffsets(['b.txt=0'], files)).toThrow(/b\.txt, which is the name of several/);
  expect(() => readOffsets(['a.txt=0', 'there/a.txt=1s'], files)).toThrow(/says two things/);
});

describe('is refused', () => {
  test.each([
    ['a.txt', /takes FILE=TIME/],
    ['=1s', /takes FILE=TIME/],
    ['c.txt=1s', /c\.txt, which is none of the files/],
    ['a.txt=1', /a time such as \+1\.5ms/],
    ['a.txt=1.5', /a time such as/],
    ['a.txt=', /a time such as/],
    ['a.txt=1h', /a time such as/],
    ['a.txt=1.5ns', /whole nanoseconds/],
    ['a.txt=1.0000001ms', /whole nanoseconds/],
  ])('%s', (option, why) => {
    expect(() => readOffsets([option], FILES)).toThrow(why);
  });

  test('of a file twice', () => {
    expect(() => readOffsets(['a.txt=0', 'a.txt=1s'], FILES)).toThrow(/two things of a\.txt/);
  });
});
