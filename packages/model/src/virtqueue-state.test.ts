import { describe, expect, it } from 'vitest';
import { isRange, setRange } from './area-ranges.js';
import { AMBIGUOUS, HIT, IOTLB } from './outcome.js';
import { ACCESSORS, type Accessor } from './ring.js';
import {
  createVirtqueueState,
  growVirtqueueState,
  setIotlb,
  setMap,
  type VirtqueueState,
} from './virtqueue-state.js';

const ADDRESS = Uint32Array.of(0, 0x7f00);
const BYTES = Uint32Array.of(4096, 0);

describe('state', () => {
  it('keeps what it holds when it grows, and begins unknown beyond', () => {
    const state = createVirtqueueState(AMBIGUOUS, 1);
    growVirtqueueState(state, 3);
    setMap(state, 4 * 3 + 1, HIT);
    setRange(state, 4 * 3, ADDRESS, BYTES, 0);
    growVirtqueueState(state, 1000);
    expect(state.size).toBe(1001);
    expect(state.capacity).toBeGreaterThan(1000);
    expect(state.map[4 * 3 + 1]).toBe(HIT);
    expect(isRange(state, 4 * 3, ADDRESS, BYTES, 0)).toBe(true);
    expect(state.map[4 * 1000]).toBe(AMBIGUOUS);
    expect(state.diverged[1000]).toBe(1);
    expect(state.countLow[1000]).toBeLessThan(0);
  });

  it('bypasses maps while the IOTLB is on, and has them again after', () => {
    const state = createVirtqueueState(AMBIGUOUS, 0);
    growVirtqueueState(state, 0);
    setMap(state, 0, HIT);
    setIotlb(state, 0, true);
    expect(met(state, 'get_desc')).toBe(IOTLB);
    setMap(state, 1, HIT);
    expect(met(state, 'get_avail_idx')).toBe(IOTLB);
    setIotlb(state, 0, false);
    expect(met(state, 'get_desc')).toBe(HIT);
    expect(met(state, 'get_used_event')).toBe(HIT);
    expect(met(state, 'put_used')).toBe(AMBIGUOUS);
  });
});

/** What an access of virtqueue 0 meets. */
function met({ effective }: VirtqueueState, accessor: Accessor): number | undefined {
  return effective[ACCESSORS.indexOf(accessor)];
}
