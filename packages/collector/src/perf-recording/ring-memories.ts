/** Address spaces of devices' owners, and where in them the rings lie. */

interface Memory {
  readonly owner: bigint;
  /** Bounds of its rings, both inclusive. */
  low: bigint;
  high: bigint;
}

/** By address of the mm. */
export type Memories = Map<bigint, Memory>;

export function knowMemory(memories: Memories, mm: bigint, owner: bigint): void {
  if (memories.get(mm)?.owner !== owner) memories.set(mm, { owner, low: -1n, high: -1n });
}

/** An area of one of its rings lies there. */
export function widen(memory: Memory, start: bigint, bytes: number): void {
  const last = start + BigInt(bytes) - 1n;
  if (memory.low < 0n || start < memory.low) memory.low = start;
  if (last > memory.high) memory.high = last;
}
