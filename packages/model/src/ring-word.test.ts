import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRingWord, ringWord } from './ring-word.js';

const index = fc.nat(0xffff);
const word = fc.record({
  lastAvailIdx: index,
  availIdx: index,
  lastUsedIdx: index,
  noNotify: fc.boolean(),
  signalledUsedValid: fc.boolean(),
  callEventfd: fc.boolean(),
  eventIdx: fc.boolean(),
  notifyOnEmpty: fc.boolean(),
  iotlb: fc.boolean(),
  inOrder: fc.boolean(),
  metaDesc: fc.boolean(),
  metaAvail: fc.boolean(),
  metaUsed: fc.boolean(),
  metaTold: fc.boolean(),
  busyPoll: fc.boolean(),
});

test('what was put together is what is taken apart', () => {
  fc.assert(
    fc.property(word, (given) => {
      const bits = ringWord(given);
      expect(readRingWord(Number(bits & 0xffff_ffffn), Number(bits >> 32n))).toEqual(given);
    }),
  );
});

test('as a host printed it: one head taken, one used, a call eventfd, and notifications off', () => {
  // E … 5000000000000 0001000000000000 of a tx round of the testbed's load.
  expect(readRingWord(0x002e_002e, 0x0004_002e)).toEqual({
    lastAvailIdx: 46,
    availIdx: 46,
    lastUsedIdx: 46,
    noNotify: false,
    signalledUsedValid: false,
    callEventfd: true,
    eventIdx: false,
    notifyOnEmpty: false,
    iotlb: false,
    inOrder: false,
    metaDesc: false,
    metaAvail: false,
    metaUsed: false,
    metaTold: false,
    busyPoll: false,
  });
});
