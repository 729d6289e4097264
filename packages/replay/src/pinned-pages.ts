/** Designs whose hits cost more than time: they pin the pages of a ring from its set-up on. */
import type { DesignSwitches } from '@vhostscope/model';

/** Mapped when the ring is set up, and never dropped for the memory manager. */
export function pinsPages({ maps, clears }: Pick<DesignSwitches, 'maps' | 'clears'>): boolean {
  return maps === 'ioctl' && clears === 'never';
}

/** A design's name where its hits stand beside those of others, which cost no such thing. */
export function nameWithPins(name: string, isPinning: boolean): string {
  return isPinning ? `${name} (pins)` : name;
}

export const PINS_MEANING =
  'the price of its hits is that the pages of every ring are pinned: no migration, NUMA balancing, KSM, huge pages or ' +
  'swap for them';
