/**
 * Which events tell of a range, by the kind of host. A live recording of a kernel with the direct-map driver
 * has two of each: the memory manager's call, and vhost's callback that it runs. Only one may be counted.
 */
import type { HostKind } from './engine-state.js';
import { KIND } from './events.js';

/** The event with which a range begins. */
export function rangeStartOf(host: HostKind): number {
  return host === 'stock' ? KIND.core_range_start : KIND.range_start;
}
