/** User ranges of the areas of a ring, as 64-bit words in the columns of the state (reference §1.1). */
import { RANGE_NONE, RANGE_SET, type VirtqueueState } from './virtqueue-state.js';

/**
 * Records the user range of an area; a size of 0 overlaps nothing.
 *
 * @param address columns of 64-bit words, low first; the value is at `word` and `word + 1`
 * @param size bytes, likewise
 */
export function setRange(
  state: VirtqueueState,
  slot: number,
  address: Uint32Array,
  size: Uint32Array,
  word: number,
): void {
  state.sized[slot] = size[word] !== 0 || size[word + 1] !== 0 ? RANGE_SET : RANGE_NONE;
  state.first[2 * slot] = address[word];
  state.first[2 * slot + 1] = address[word + 1];
  const low = lastLow(address, size, word);
  state.last[2 * slot] = low;
  state.last[2 * slot + 1] = address[word + 1] + size[word + 1] + carryOf(low);
}

/** Whether an area has this range already. */
export function isRange(
  state: VirtqueueState,
  slot: number,
  address: Uint32Array,
  size: Uint32Array,
  word: number,
): boolean {
  if (size[word] === 0 && size[word + 1] === 0) return state.sized[slot] === RANGE_NONE;
  if (state.sized[slot] !== RANGE_SET) return false;
  const low = lastLow(address, size, word);
  return (
    state.first[2 * slot] === address[word] &&
    state.first[2 * slot + 1] === address[word + 1] &&
    state.last[2 * slot] === low >>> 0 &&
    state.last[2 * slot + 1] === (address[word + 1] + size[word + 1] + carryOf(low)) >>> 0
  );
}

/** Whether an area holds all of a range already, so that what came over that was told. */
export function holdsRange(
  { sized, first, last }: VirtqueueState,
  slot: number,
  address: Uint32Array,
  size: Uint32Array,
  word: number,
): boolean {
  if (size[word] === 0 && size[word + 1] === 0) return true;
  if (sized[slot] !== RANGE_SET) return false;
  const low = lastLow(address, size, word);
  const high = (address[word + 1] + size[word + 1] + carryOf(low)) >>> 0;
  const at = 2 * slot;
  return (
    isAtMost(first[at], first[at + 1], address[word], address[word + 1]) &&
    isAtMost(low >>> 0, high, last[at], last[at + 1])
  );
}

function isAtMost(lowA: number, highA: number, lowB: number, highB: number): boolean {
  return highA < highB || (highA === highB && lowA <= lowB);
}

/** Low word of address + size - 1 before it is cut to 32 bits, as the kernel computes in 64. */
function lastLow(address: Uint32Array, size: Uint32Array, word: number): number {
  return address[word] + size[word] - 1;
}

function carryOf(low: number): number {
  return low < 0 ? -1 : low > 0xffff_ffff ? 1 : 0;
}
