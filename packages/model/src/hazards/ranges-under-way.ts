/** Ranges over rings that have begun and not ended, as events tell them, for proofs. */
import type { EventBatch } from '../event-batch.js';
import { findBegin, type RangeIdentity } from '../paired-ranges.js';
import type { HazardMark } from './hazard.js';

export interface RangeUnderWay {
  /** Of the callback of a device, whichever event tells of it. */
  readonly identity: RangeIdentity;
  readonly isCore: boolean;
  /** 4 * virtqueue + area: what it came over when it began. */
  readonly slots: readonly number[];
  readonly mark: HazardMark;
  /**
   * Its end may not come: it began while the notifier was off or not yet seen to be on, or a ring was set up
   * since.
   */
  isDoubtful: boolean;
}

/** That are followed. Only lost ends let them pile up. */
const MOST = 1024;

/** @returns whether all are followed: else the oldest is forgotten, and may be under way anywhere from now on */
export function beginRange(ranges: RangeUnderWay[], range: RangeUnderWay): boolean {
  ranges.push(range);
  if (ranges.length <= MOST) return true;
  ranges.shift();
  return false;
}

/** The range that event `i` ends, taken from the list; undefined when its begin was not seen. */
export function endRange(
  ranges: RangeUnderWay[],
  batch: EventBatch,
  i: number,
  dev: number,
): RangeUnderWay | undefined {
  const at = findBegin(ranges, batch, i, dev);
  return at < 0 ? undefined : ranges.splice(at, 1)[0];
}

/** @param hasForgotten whether there may be others */
export function isOver(
  ranges: readonly RangeUnderWay[],
  hasForgotten: boolean,
  vq: number,
): boolean {
  return hasForgotten || ranges.some(({ slots }) => slots.some((slot) => slot >> 2 === vq));
}
