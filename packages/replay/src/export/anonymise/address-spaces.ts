/**
 * Which objects of a trace have their addresses in one space: these are moved by one distance, so that what overlaps
 * goes on to do so. A virtqueue lies in the memory of its device, and that is its owner's.
 */
import { randomBytes } from 'node:crypto';

export type SpaceKey = `vq ${number}` | `dev ${number}` | `owner ${number}`;

export interface AddressSpaces {
  /** Both have their addresses in one space. */
  join(one: SpaceKey, other: SpaceKey): void;
  /** Nobody knows whose is whose: all of them have one. */
  joinAll(): void;
  /** What an address there becomes. */
  moved(key: SpaceKey, address: bigint): bigint;
}

/** A range that begins at 0, or ends with all bits set, is of the whole of memory: moved, it would tell by how much. */
const LAST = (1n << 64n) - 1n;
const FIRST_OF_KERNEL = 1n << 63n;

/** Places in a huge page of 2 MiB stay, and with them those in a page of any size that is smaller. */
const ALIGNMENT = 21n;
/**
 * Beyond what a process of four-level page tables can have, so that nobody takes a moved address for a real one, and
 * below 2^53, so that it stays exact for readers to which a number is a double.
 */
const LEAST = 1n << 47n;
const SPREAD = 1n << 52n;

/** A secret one: nothing keeps it. */
export function randomDistance(): bigint {
  const random = randomBytes(8).readBigUInt64LE();
  return LEAST + (((random % SPREAD) >> ALIGNMENT) << ALIGNMENT);
}

/** @param distance by how much the next space is moved */
export function createAddressSpaces(distance: () => bigint = randomDistance): AddressSpaces {
  const parents = new Map<string, string>();
  const distances = new Map<string, bigint>();
  let isOne = false;
  const rootOf = (key: string): string => {
    let root = key;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    return root;
  };
  const distanceOf = (key: string): bigint => {
    const root = isOne ? 'all' : rootOf(key);
    const known = distances.get(root);
    if (known !== undefined) return known;
    const made = distance();
    distances.set(root, made);
    return made;
  };
  return {
    join: (one, other) => {
      const [from, to] = [rootOf(one), rootOf(other)];
      if (from !== to) parents.set(from, to);
    },
    joinAll: () => {
      isOne = true;
    },
    moved: (key, address) => {
      if (address === 0n) return address;
      // No address of a process: all bits set, or nothing that may be told.
      return address >= FIRST_OF_KERNEL ? LAST : address + distanceOf(key);
    },
  };
}
