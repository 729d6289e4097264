/** The geometry of a ring against the driver's own arithmetic (reference §1.1). */
import { describe, expect, it } from 'vitest';
import {
  ACCESSORS,
  AREA_OF_ACCESSOR,
  AREAS,
  areaBytes,
  AVAIL,
  DESC,
  pagesWanted,
  USED,
} from './ring.js';

describe('areas', () => {
  it.each([
    [256, false, [4096, 516, 2052]],
    [256, true, [4096, 518, 2054]],
    [1024, false, [16384, 2052, 8196]],
    [32768, true, [524288, 65542, 262150]],
  ])('of a ring of %d, EVENT_IDX %s', (num, eventIdx, bytes) => {
    expect(AREAS.map((area) => areaBytes(area, num, eventIdx))).toEqual(bytes);
  });

  it('want pages by size alone, wherever they start', () => {
    expect([0, 1, 4096, 4097, 8196].map(pagesWanted)).toEqual([0, 1, 1, 2, 3]);
  });
});

describe('accessors', () => {
  it('touch the area that holds their word', () => {
    const areaOf = Object.fromEntries(
      ACCESSORS.map((name, index) => [name, AREA_OF_ACCESSOR[index]]),
    );
    expect(areaOf).toMatchObject({
      get_desc: DESC,
      get_avail_idx: AVAIL,
      get_avail_head: AVAIL,
      get_avail_flags: AVAIL,
      get_used_event: AVAIL,
      get_used_idx: USED,
      put_avail_event: USED,
      put_used: USED,
      put_used_flags: USED,
      put_used_idx: USED,
    });
    expect(AREA_OF_ACCESSOR).toHaveLength(ACCESSORS.length);
  });
});
