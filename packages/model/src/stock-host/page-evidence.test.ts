import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setRange } from '../area-ranges.js';
import { areaBytes, AVAIL, DESC, PAGE_BYTES, pagesWanted, USED } from '../ring.js';
import { createRingWord, type RingWord } from '../ring-word.js';
import {
  createVirtqueueState,
  growVirtqueueState,
  type VirtqueueState,
} from '../virtqueue-state.js';
import {
  CONTIGUOUS,
  coversPages,
  forgetEvidence,
  hasPages,
  isScattered,
  learnFromCopies,
  SCATTERED,
} from './page-evidence.js';

/** A virtqueue with one area set. */
function stateOf(area: number, address: number, bytes: number): VirtqueueState {
  const state = createVirtqueueState(0, 0);
  growVirtqueueState(state, 0);
  setRange(state, area, Uint32Array.of(address, 0), Uint32Array.of(bytes, 0), 0);
  return state;
}

const at = (last: number): RingWord => ({
  ...createRingWord(),
  lastAvailIdx: last,
  availIdx: last,
  lastUsedIdx: last,
});

/** A round in which that many heads were taken and used. */
function round(state: VirtqueueState, area: number, num: number, from: number, heads: number) {
  learnFromCopies(state, area, num, at(from), at((from + heads) & 0xffff), heads, heads);
}

describe('an area of one page', () => {
  it.each([
    ['desc', DESC, 4096],
    ['avail', AVAIL, 518],
    ['used', USED, 2054],
  ])('%s is there once it was copied, until a range comes', (_, area, bytes) => {
    const state = stateOf(area, 0x10000, bytes);
    expect(hasPages(state, area)).toBe(false);
    round(state, area, 256, 5, 0);
    expect(hasPages(state, area)).toBe(false);
    round(state, area, 256, 5, 1);
    expect(hasPages(state, area)).toBe(true);
    forgetEvidence(state, area);
    expect(hasPages(state, area)).toBe(false);
  });

  it('may be the zero page where the index that was read is 0', () => {
    const state = stateOf(AVAIL, 0x10000, 518);
    round(state, AVAIL, 256, 0xffff, 1);
    expect(hasPages(state, AVAIL)).toBe(false);
    round(state, AVAIL, 256, 0, 1);
    expect(hasPages(state, AVAIL)).toBe(true);
  });

  it('of descriptors that lie across two pages is not known: which were read is not told', () => {
    const state = stateOf(DESC, 0x10f80, 256 * 16);
    round(state, DESC, 256, 0, 256);
    expect(hasPages(state, DESC)).toBe(false);
  });
});

describe('an area of several pages', () => {
  it('of descriptors is there when its pages follow each other, unless their protection was changed', () => {
    const state = stateOf(DESC, 0x10000, 1024 * 16);
    state.contiguity[DESC] = CONTIGUOUS;
    expect(hasPages(state, DESC)).toBe(true);
    state.protected[DESC] = 1;
    expect(hasPages(state, DESC)).toBe(false);
  });

  it('of used entries has to be written on every page, by rounds one after the other', () => {
    const bytes = areaBytes('used', 1024, false);
    const state = stateOf(USED, 0x10000, bytes);
    state.contiguity[USED] = CONTIGUOUS;
    round(state, USED, 1024, 0, 500);
    expect(hasPages(state, USED)).toBe(false);
    // The driver set the index anew: what lies between was not written.
    round(state, USED, 1024, 1000, 3);
    expect(hasPages(state, USED)).toBe(false);
    round(state, USED, 1024, 1003, 1000);
    expect(hasPages(state, USED)).toBe(true);
  });

  it('is not mapped where its pages do not follow each other', () => {
    const state = stateOf(USED, 0x10000, 8196);
    state.contiguity[USED] = SCATTERED;
    expect([hasPages(state, USED), isScattered(state, USED)]).toEqual([false, true]);
    forgetEvidence(state, USED);
    expect(isScattered(state, USED)).toBe(false);
  });
});

describe('coversPages', () => {
  it('is true exactly where every page but the first holds a byte of a copied entry', () => {
    assert(
      property(
        constantFrom(['avail', 2] as const, ['used', 8] as const),
        integer({ min: 0, max: 4095 }),
        integer({ min: 1, max: 13 }),
        integer({ min: 0, max: 0xffff }),
        integer({ min: 0, max: 9000 }),
        ([area, entryBytes], unaligned, power, from, count) => {
          const num = 2 ** power;
          const offset = unaligned & ~3;
          const pages = pagesWanted(areaBytes(area, num, true));
          const touched = new Set<number>();
          for (let entry = 0; entry < Math.min(count, num); entry++) {
            const first = offset + 4 + entryBytes * ((from + entry) % num);
            touched.add(Math.floor(first / PAGE_BYTES));
            touched.add(Math.floor((first + entryBytes - 1) / PAGE_BYTES));
          }
          const all = Array.from({ length: pages - 1 }, (_, page) => touched.has(page + 1));
          expect(coversPages(entryBytes, offset, pages, num, from, count)).toBe(
            all.every((isTouched) => isTouched),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
