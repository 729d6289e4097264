/**
 * The one table of events: their names, codes, fields and text form. What a field is stands in `event-fields.ts`.
 *
 * The Arrow columns (package `trace`), the zod schemas (`event-schemas.ts`), the reader of the text
 * dialect (`event-lines.ts`) and the documentation are derived from the two, so a field is spelt, bounded
 * and described there and nowhere else.
 */
import { COUNTER_FIELDS, type FieldName } from './event-fields.js';

/** A field of the line, or a literal that tells two events with one tag apart. */
export type TextColumn = FieldName | { readonly is: number };

export interface EventDefinition {
  /** Number in the `kind` column. Never reused, never renumbered: files keep it. */
  readonly code: number;
  readonly fields: readonly FieldName[];
  /** Fields that may be absent (unknown) in a given event; in a line of text they are `-`. */
  readonly optional?: readonly FieldName[];
  /** Line form in the text dialect: tag, ns, cpu, then these columns. */
  readonly text?: { readonly tag: string; readonly columns: readonly TextColumn[] };
  readonly doc: string;
}

const CORE_RANGE_FIELDS = [
  'owner',
  'start',
  'end',
  'cause',
  'blockable',
  'pid',
  'stack',
  'comm',
] as const;
const RANGE_FIELDS = ['dev', 'start', 'end', 'cause', 'blockable', 'pid', 'comm'] as const;
/** Columns of a range: whose it is, a number that tells which end of the call it is, and the rest. */
const rangeColumns = (
  [whose, ...rest]: readonly [FieldName, ...FieldName[]],
  is: number,
): readonly TextColumn[] => [whose, { is }, ...rest];

const HEARTBEAT_FIELDS = [
  'emittedState',
  'emittedRounds',
  'emittedRanges',
  'emittedAccesses',
  'filteredForeign',
  'filteredElsewhere',
] as const;

export const EVENTS = {
  recording: {
    code: 0,
    fields: ['note'],
    doc: 'A recording begins with empty state; time may jump back.',
  },
  virtqueue: {
    code: 1,
    fields: ['vq', 'dev', 'rank', 'pointer', 'owner', 'place', 'notified'],
    optional: ['dev', 'rank', 'pointer', 'owner', 'place', 'notified'],
    text: { tag: 'V', columns: ['vq', 'dev', 'owner', 'place', 'notified'] },
    doc: 'What is known of a virtqueue: its device, and at the end of the recording its place in address order.',
  },
  lost: {
    code: 2,
    fields: ['lost', 'note'],
    doc: 'Events that were lost; note says by whom.',
  },
  recording_end: {
    code: 3,
    fields: ['note'],
    doc: 'The recording ends; note is a JSON object of counts.',
  },
  access: {
    code: 4,
    fields: ['vq', 'accessor', 'observed', 'n', 'entries'],
    optional: ['observed', 'entries'],
    text: { tag: 'A', columns: ['vq', 'accessor', 'observed', 'entries'] },
    doc: 'Metadata accesses of one kind (a text line is one access).',
  },
  round: {
    code: 5,
    fields: ['vq'],
    text: { tag: 'M', columns: ['vq'] },
    doc: 'A round begins (vq_meta_prefetch).',
  },
  prefetch: {
    code: 6,
    fields: ['vq', 'area', 'result', 'pagesGot', 'pagesWanted'],
    text: { tag: 'P', columns: ['vq', 'area', 'result', 'pagesGot', 'pagesWanted'] },
    doc: 'One attempt to map an area.',
  },
  range_start: {
    code: 7,
    fields: RANGE_FIELDS,
    text: { tag: 'R', columns: rangeColumns(RANGE_FIELDS, 1) },
    doc: "vhost's invalidate_range_start callback is entered.",
  },
  range_end: {
    code: 8,
    fields: RANGE_FIELDS,
    text: { tag: 'R', columns: rangeColumns(RANGE_FIELDS, 0) },
    doc: "vhost's invalidate_range_end callback is entered.",
  },
  effect_start: {
    code: 9,
    fields: ['vq', 'area', 'invalidateCount', 'cleared'],
    text: { tag: 'IS', columns: ['vq', 'area', 'invalidateCount', 'cleared'] },
    doc: 'A start takes effect on one area, under vq->mmu_lock.',
  },
  effect_end: {
    code: 10,
    fields: ['vq', 'area', 'invalidateCount'],
    text: { tag: 'IE', columns: ['vq', 'area', 'invalidateCount'] },
    doc: 'An end takes effect on one area, under vq->mmu_lock.',
  },
  addresses: {
    code: 11,
    fields: ['vq', 'area', 'address', 'size', 'invalidateCount', 'error'],
    optional: ['invalidateCount', 'error'],
    text: { tag: 'U', columns: ['vq', 'area', 'address', 'size', 'invalidateCount'] },
    doc: 'The user range of an area is recorded; error is what the ioctl returned, absent when not traced.',
  },
  unmap: {
    code: 12,
    fields: ['vq', 'mask', 'invalidateCount'],
    optional: ['mask', 'invalidateCount'],
    text: { tag: 'X', columns: ['vq', 'mask', 'invalidateCount'] },
    doc: 'Maps are dropped outside the notifier (ioctl, reset, cleanup).',
  },
  reset: {
    code: 13,
    fields: ['vq'],
    text: { tag: 'Z', columns: ['vq'] },
    doc: 'The virtqueue is reset: sizes 0, invalidate_count 0.',
  },
  notifier: {
    code: 14,
    fields: ['dev', 'registered', 'error'],
    text: { tag: 'N', columns: ['dev', 'registered', 'error'] },
    doc: 'The device registers its MMU notifier, or begins to unregister it.',
  },
  iotlb: {
    code: 15,
    fields: ['vq', 'enabled'],
    text: { tag: 'I', columns: ['vq', 'enabled'] },
    doc: 'vq->iotlb is set or cleared; every design bypasses its maps while it is set.',
  },
  heartbeat: {
    code: 16,
    fields: HEARTBEAT_FIELDS,
    text: { tag: 'H', columns: HEARTBEAT_FIELDS },
    doc: 'A CPU tells how many lines it has emitted, and how many ranges it has not.',
  },
  round_end: {
    code: 17,
    fields: ['vq', 'handler', 'num', 'chain', 'ringBefore', 'ringAfter'],
    text: { tag: 'E', columns: ['vq', 'handler', 'num', 'chain', 'ringBefore', 'ringAfter'] },
    doc: 'The handler returns. What it accessed since the round began follows from the state before and after.',
  },
  core_range_start: {
    code: 18,
    fields: CORE_RANGE_FIELDS,
    optional: ['stack'],
    text: { tag: 'K', columns: rangeColumns(CORE_RANGE_FIELDS, 1) },
    doc: 'The memory manager calls the notifiers of an address space: a range is about to change.',
  },
  core_range_end: {
    code: 19,
    fields: CORE_RANGE_FIELDS,
    optional: ['stack'],
    text: { tag: 'K', columns: rangeColumns(CORE_RANGE_FIELDS, 0) },
    doc: 'The memory manager calls the notifiers of an address space: the range has changed.',
  },
  core_range_start_return: {
    code: 24,
    fields: CORE_RANGE_FIELDS,
    optional: ['stack'],
    text: { tag: 'K', columns: rangeColumns(CORE_RANGE_FIELDS, 2) },
    doc: 'The call of a core_range_start returns: all notifiers were told.',
  },
  core_range_end_return: {
    code: 25,
    fields: CORE_RANGE_FIELDS,
    optional: ['stack'],
    text: { tag: 'K', columns: rangeColumns(CORE_RANGE_FIELDS, 3) },
    doc: 'The call of a core_range_end returns: all notifiers were told.',
  },
  pages: {
    code: 20,
    fields: ['vq', 'area', 'pagesGot', 'pagesWanted', 'contiguous', 'hugePages', 'pagesWritable'],
    optional: ['pagesWritable'],
    text: {
      tag: 'L',
      columns: [
        'vq',
        'area',
        'pagesGot',
        'pagesWanted',
        'contiguous',
        'hugePages',
        'pagesWritable',
      ],
    },
    doc:
      'The page table of an area. With pagesWritable it was walked in the kernel where a round begins, as get_user_pages ' +
      'would have: it holds for the rounds of the virtqueue from the next on, until a range or another look. Without, it ' +
      'is what /proc/PID/pagemap showed.',
  },
  counted: {
    code: 21,
    fields: ['vq', ...COUNTER_FIELDS],
    text: { tag: 'C', columns: ['vq', ...COUNTER_FIELDS] },
    doc: 'How many accesses there have been. What came since the last such event of the virtqueue is told by it.',
  },
  tlb_flush: {
    code: 27,
    fields: ['owner', 'start', 'end', 'pid', 'stack', 'comm'],
    optional: ['stack'],
    text: { tag: 'F', columns: ['owner', 'start', 'end', 'pid', 'stack', 'comm'] },
    doc: 'The TLB is flushed in an address space without notifiers: pages of the range changed shortly before, at most.',
  },
  stack: {
    code: 26,
    fields: ['stack', 'class', 'note'],
    doc: 'A kernel stack on which ranges are invalidated: the functions, innermost first, and the class they make.',
  },
  iotlb_miss: {
    code: 28,
    fields: ['vq', 'iova', 'perm'],
    text: { tag: 'IM', columns: ['vq', 'iova', 'perm'] },
    doc: 'The device IOTLB has no translation: the owner of the device is asked for one, and the worker does not wait.',
  },
  iotlb_update: {
    code: 29,
    fields: ['dev', 'iova', 'bytes', 'perm'],
    text: { tag: 'IU', columns: ['dev', 'iova', 'bytes', 'perm'] },
    doc: 'The owner of the device gives it a translation, which drops the cached ones of all its rings (meta-IOTLB).',
  },
  iotlb_invalidate: {
    code: 30,
    fields: ['dev', 'iova', 'bytes'],
    text: { tag: 'IV', columns: ['dev', 'iova', 'bytes'] },
    doc: 'The owner of the device takes translations back, which drops the cached ones of all its rings.',
  },
  dirty_log: {
    code: 31,
    fields: ['vq', 'logWrites', 'logBits', 'logFailures'],
    text: { tag: 'D', columns: ['vq', 'logWrites', 'logBits', 'logFailures'] },
    doc: 'What was logged as dirty for a virtqueue since its last such event: told at the ends of rounds.',
  },
} as const satisfies Record<string, EventDefinition>;

export type EventName = keyof typeof EVENTS;

/** Codes as plain constants, for the switch of a hot loop. */
export const KIND = Object.fromEntries(
  Object.entries(EVENTS).map(([name, definition]) => [name, definition.code]),
) as { readonly [Name in EventName]: (typeof EVENTS)[Name]['code'] };

/** Event names by code; undefined where no event has the code. */
export const EVENT_NAMES: readonly (EventName | undefined)[] = (() => {
  const names: (EventName | undefined)[] = [];
  for (const name of Object.keys(EVENTS) as EventName[]) names[EVENTS[name].code] = name;
  return names;
})();

/** The definition of an event as its general type (the table itself has literal types). */
export function eventDefinition(name: EventName): EventDefinition {
  return EVENTS[name];
}
