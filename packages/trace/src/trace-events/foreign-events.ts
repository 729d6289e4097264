/**
 * The one table of trace events of perf and ftrace that are events of ours: under which names they are
 * recorded, and how their fields are called there. What an event holds, its forms and its bounds are those
 * of the table of events (package `model`).
 *
 * `vho` is the group of the probes in a driver with the direct-map code, by which the golden traces were
 * made. `probe` and `kprobes` are the groups of events that `perf probe` and tracefs define; the names are
 * those of vhost's functions, as `perf probe -m vhost FUNCTION …` makes them, or of the same events.
 */
import type { EventName, FieldName } from '@vhostscope/model';

/** A field, or the literal that tells two events apart, as in the text dialect. */
export type ForeignColumn = FieldName | 'is';

export interface ForeignEvent {
  /** `group:name`, as perf prints it; ftrace and trace-cmd print the name alone. */
  readonly names: readonly string[];
  /**
   * A callback, of which there is one place: `name_1` beside `name` is a second probe at it. Other functions may
   * be inlined, and `perf probe` makes such an event for each place.
   */
  readonly isOnePlace?: boolean;
  /** What it is: one event, or by the value of the column `is` the one or the other. */
  readonly events: readonly [EventName] | readonly [ifZero: EventName, ifOne: EventName];
}

export const FOREIGN_EVENTS: readonly ForeignEvent[] = [
  { names: ['vho:access', 'probe:vhost_access'], events: ['access'] },
  { names: ['vho:round', 'probe:vhost_round', 'probe:vq_meta_prefetch'], events: ['round'] },
  { names: ['vho:prefetch', 'probe:vhost_prefetch'], events: ['prefetch'] },
  {
    names: ['vho:range', 'probe:vhost_range'],
    isOnePlace: true,
    events: ['range_end', 'range_start'],
  },
  { names: ['probe:vhost_invalidate_range_start'], isOnePlace: true, events: ['range_start'] },
  { names: ['probe:vhost_invalidate_range_end'], isOnePlace: true, events: ['range_end'] },
  { names: ['vho:notifier', 'probe:vhost_notifier'], events: ['notifier'] },
  {
    names: ['vho:uninit', 'probe:vhost_uninit', 'probe:vhost_uninit_vq_maps'],
    events: ['unmap'],
  },
  { names: ['vho:reset', 'probe:vhost_reset', 'probe:vhost_vq_reset'], events: ['reset'] },
  {
    names: ['vho:uaddr', 'probe:vhost_uaddr', 'probe:vhost_setup_uaddr'],
    events: ['addresses'],
  },
  {
    names: ['probe:__mmu_notifier_invalidate_range_start'],
    isOnePlace: true,
    events: ['core_range_start'],
  },
  {
    names: ['probe:__mmu_notifier_invalidate_range_end'],
    isOnePlace: true,
    events: ['core_range_end'],
  },
];

/** Groups whose events are as those of `probe`: what the kernel calls probes that got no group. */
export const LIKE_PROBE: readonly string[] = ['kprobes'];

/** Names of fields that differ from ours. A field may always be called as the table of events calls it. */
export const FOREIGN_FIELDS: Partial<Record<ForeignColumn, readonly string[]>> = {
  is: ['start_end'],
  observed: ['hit'],
  entries: ['count'],
  area: ['index'],
  result: ['ret'],
  pagesGot: ['npinned'],
  pagesWanted: ['npages'],
  // The notifier lies within its device, so that its address does for the device's.
  dev: ['mn'],
  cause: ['event'],
  registered: ['reg'],
  error: ['err'],
  invalidateCount: ['count', 'invalidate_count'],
  address: ['uaddr'],
};

/** Columns that the beginning of the line tells, whatever the event: its fields do not. */
export const FROM_HEADER: ReadonlySet<ForeignColumn> = new Set<ForeignColumn>(['pid', 'comm']);
