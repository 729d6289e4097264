/** What is read of a virtqueue of the direct-map driver, as the kernel's BTF describes it (reference §1.1). */
import { AREAS } from '@vhostscope/model';
import { when, type Statement } from './program-text.js';

/** The three areas by number: bpftrace 0.17 takes an index of an array as a literal only. */
export const AREA_NUMBERS: readonly number[] = AREAS.map((_, index) => index);

/** Whether an area of `$vq` has a map. */
export function hasMap(area: number): string {
  return `(uint64)$vq->maps[${area}] != 0`;
}

/** Columns of `addresses`: the range that the driver noted, which callbacks are tested against. */
export function notedRange(area: number): {
  readonly address: string;
  readonly size: string;
  readonly invalidateCount: string;
} {
  return {
    address: `(uint64)$vq->uaddrs[${area}].uaddr`,
    size: `(uint64)$vq->uaddrs[${area}].size`,
    invalidateCount: '$vq->invalidate_count',
  };
}

/** The areas of `$vq` that have a map, a bit each, into `$mask`. */
export function takeMask(): Statement[] {
  return [
    '$mask = (uint64)0;',
    ...AREA_NUMBERS.flatMap((area) => when(hasMap(area), [`$mask = $mask + ${1 << area};`])),
  ];
}
