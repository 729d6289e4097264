/** How large the areas of a ring are, as expressions of bpftrace. */
import { areaBytes, type AREAS } from '@vhostscope/model';

/** Feature bit of virtio (include/uapi/linux/virtio_ring.h). */
export const EVENT_IDX = 29;

/** Bytes of an area of `$num` entries, with the event word if `$event` is 1. */
export function sizeOfArea(area: (typeof AREAS)[number]): string {
  // Linear in num: the size of a ring of none, what each entry adds, and the event word.
  const none = areaBytes(area, 0, false);
  const event = areaBytes(area, 0, true) - none;
  const entry = areaBytes(area, 1, false) - none;
  const terms = [`${entry} * $num`, ...(none > 0 ? [String(none)] : [])];
  return [...terms, ...(event > 0 ? [`${event} * $event`] : [])].join(' + ');
}
