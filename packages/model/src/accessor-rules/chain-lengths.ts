/**
 * How many descriptors the chains of a virtqueue have, and what a driver makes of a rule that leaves
 * it open: the rules allow a chain any length up to num (reference §4.1), but most drivers give all
 * chains of a virtqueue one and the same.
 */

/** Lengths that are told apart; the last place counts all longer chains. */
const TOLD_APART = 64;

export interface ChainLengths {
  /** Chains that are over, by their descriptors; the last element counts chains of that many or more. */
  readonly counts: number[];
  /** Descriptors of the chain that is being read; 0 when none is. */
  open: number;
}

export function createChainLengths(): ChainLengths {
  return { counts: Array.from({ length: TOLD_APART + 1 }, () => 0), open: 0 };
}

/** A copy that goes its own way. */
export function copyChainLengths({ counts, open }: ChainLengths): ChainLengths {
  return { counts: [...counts], open };
}

/** HOT: the chain that is being read is complete. */
export function endChain(chains: ChainLengths): void {
  chains.counts[Math.min(chains.open, TOLD_APART)]++;
  chains.open = 0;
}

/** Of how many chains at most one may differ, for the length of the others to be the driver's habit. */
const HABIT = 256;

export interface ChainHabit {
  /** Descriptors of the usual chain. */
  readonly length: number;
  /** Chains of that length, and of any other. */
  readonly usual: number;
  readonly unusual: number;
}

/**
 * The one length that all chains have but for one of 256 at most; undefined where lengths vary more, or
 * chains are too few to tell.
 */
export function chainHabit(counts: readonly number[]): ChainHabit | undefined {
  const chains = counts.reduce((sum, count) => sum + count, 0);
  const length = counts.findIndex((count) => count > chains / 2);
  // The last place is of many lengths.
  if (length < 0 || length >= TOLD_APART) return undefined;
  const usual = counts[length];
  const unusual = chains - usual;
  return chains >= HABIT && unusual * HABIT <= chains ? { length, usual, unusual } : undefined;
}
