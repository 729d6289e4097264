/**
 * The one table of events: their names, codes, fields, units and text form.
 *
 * The Arrow columns (package `trace`), the zod schemas (`event-schemas.ts`), the reader of the text
 * dialect (`event-lines.ts`) and the documentation are derived from it, so a field is spelt, bounded
 * and described here and nowhere else.
 */

import type { Accessor } from './ring.js';

/** How a value is stored in a column. Every integer is exact; `text` is printable ASCII. */
export type Storage = 'u8' | 'i32' | 'u32' | 'u64' | 'text';

/**
 * How a value stands in a line of text: `pointer` is a kernel address in hex, which is replaced by a
 * small id on import (it would defeat KASLR); `rest` is the rest of the line.
 */
export type TextForm = 'decimal' | 'hex' | 'pointer' | 'rest';

export interface FieldDefinition {
  readonly storage: Storage;
  readonly text: TextForm;
  /** Least and greatest legal value, both inclusive. A line outside them is rejected, not clipped. */
  readonly min?: number;
  readonly max?: number;
  readonly doc: string;
}

const U32_MAX = 0xffff_ffff;
const I32_MIN = -0x8000_0000;
const I32_MAX = 0x7fff_ffff;

const flag = (doc: string): FieldDefinition => ({
  storage: 'u8',
  text: 'decimal',
  min: 0,
  max: 1,
  doc,
});
const i32 = (doc: string): FieldDefinition => ({
  storage: 'i32',
  text: 'decimal',
  min: I32_MIN,
  max: I32_MAX,
  doc,
});
const u32 = (doc: string): FieldDefinition => ({
  storage: 'u32',
  text: 'decimal',
  min: 0,
  max: U32_MAX,
  doc,
});
const u64 = (doc: string): FieldDefinition => ({ storage: 'u64', text: 'decimal', doc });
const bits64 = (doc: string): FieldDefinition => ({ storage: 'u64', text: 'hex', doc });
const code = (max: number, doc: string): FieldDefinition => ({
  storage: 'u8',
  text: 'decimal',
  min: 0,
  max,
  doc,
});

const counter = (accessor: Accessor): FieldDefinition =>
  u32(`${accessor} of the virtqueue since the recording began or it was reset, modulo 2^32`);

/**
 * Every field an event can have beside `time` (ns, CLOCK_BOOTTIME), `cpu` and `line`. New ones are added
 * at the end and none is taken away: the columns of older trace files are the first of these.
 */
export const FIELDS = {
  vq: { storage: 'u32', text: 'pointer', doc: 'virtqueue, as an id of this recording' },
  dev: { storage: 'u32', text: 'pointer', doc: 'vhost device, as an id of this recording' },
  accessor: {
    storage: 'u8',
    text: 'decimal',
    min: 1,
    max: 10,
    doc: 'metadata accessor, see ACCESSORS',
  },
  observed: code(2, 'decision seen in the kernel: 0 fallback, 1 direct map, 2 device IOTLB'),
  n: u32('how many accesses this event stands for'),
  entries: u32('ring entries moved by one put_used; 1 for the other accessors'),
  area: code(2, 'ring area: 0 desc, 1 avail, 2 used'),
  mask: code(7, 'areas that had a map, one bit each: 1 desc, 2 avail, 4 used'),
  invalidateCount: i32('vq->invalidate_count after the event'),
  cleared: flag('1 when the start removed a map'),
  address: { storage: 'u64', text: 'hex', doc: 'user address of the first byte of the area' },
  size: { storage: 'u64', text: 'decimal', doc: 'bytes in the area; 0 means not set up' },
  result: i32(
    '0 built; -14 refused, invalidate_count is not 0; 14 too few pages; 77 not contiguous; -12 no memory',
  ),
  pagesGot: i32('pages that get_user_pages returned; -1000 when it was not called'),
  pagesWanted: i32('pages the area needs, ceil(size / page size)'),
  start: { storage: 'u64', text: 'hex', doc: 'first user address of the range' },
  end: { storage: 'u64', text: 'hex', doc: 'end of the range, exclusive for the memory manager' },
  cause: code(255, 'enum mmu_notifier_event, see INVALIDATION_CAUSES'),
  blockable: flag('0 when the caller of the notifier must not sleep'),
  pid: u32('process (not thread) that invalidates'),
  comm: { storage: 'text', text: 'rest', doc: 'name of the thread, unprintable bytes as \\xNN' },
  registered: flag('1 the notifier is registered, 0 unregistration begins'),
  error: i32('what the call returned; 0 is success'),
  enabled: flag('1 the device IOTLB is on (VIRTIO_F_ACCESS_PLATFORM)'),
  rank: u32('place of the virtqueue in address order within its recording'),
  pointer: { storage: 'u64', text: 'pointer', doc: 'kernel address; only with --keep-pointers' },
  lost: { storage: 'u64', text: 'decimal', doc: 'how many' },
  note: { storage: 'text', text: 'rest', doc: 'words about the recording' },
  owner: u32('process whose memory the device uses: the one that owns it'),
  place: u32('place of the virtqueue in its device, from 0'),
  num: u32('entries of the ring'),
  handler: code(3, 'who works on the virtqueue, see HANDLERS'),
  chain: u32('descriptors of the first chain that waited; 0 when none did or it was not read'),
  ringBefore: bits64('state of the virtqueue at the beginning, see ring-word.ts'),
  ringAfter: bits64('state of the virtqueue at the end, see ring-word.ts'),
  contiguous: flag('1 when the pages follow each other in physical memory'),
  hugePages: u32('pages that are part of a huge page'),
  emittedState: u64('lines of this CPU since the start that tell of devices and their set-up'),
  emittedRounds: u64('lines of this CPU since the start that tell of rounds'),
  emittedRanges: u64('lines of this CPU since the start that tell of invalidations'),
  emittedAccesses: u64('lines of this CPU since the start that tell of accesses'),
  filteredForeign: u64('ranges of this CPU since the start in memory of no vhost device'),
  filteredElsewhere: u64('ranges of this CPU since the start that touch no ring of their process'),
  countGetAvailIdx: counter('get_avail_idx'),
  countGetAvailHead: counter('get_avail_head'),
  countGetAvailFlags: counter('get_avail_flags'),
  countGetUsedEvent: counter('get_used_event'),
  countGetUsedIdx: counter('get_used_idx'),
  countGetDesc: counter('get_desc'),
  countPutAvailEvent: counter('put_avail_event'),
  countPutUsed: counter('put_used'),
  countPutUsedFlags: counter('put_used_flags'),
  countPutUsedIdx: counter('put_used_idx'),
  stack: u64('kernel stack, as a number of this recording; a stack event tells what it is'),
  notified: flag(
    '1 when somebody listens to changes of the address space: only then are its ranges told',
  ),
  class: code(255, 'who invalidates, see INVALIDATION_CLASSES'),
  pagesWritable: u32('of pagesGot, those that may be written'),
  iova: bits64('address by which the device knows its memory, translated by the device IOTLB'),
  bytes: u64('bytes from there on that a translation covers'),
  perm: code(3, 'what an access by the device IOTLB may do: 1 read, 2 write, 3 both'),
  logWrites: u32('stretches of memory that were logged as dirty: calls of log_write'),
  logBits: u32(
    'bits set in the dirty log, one per page of a stretch: each by a get_user_pages call of its own',
  ),
  logFailures: u32('stretches that could not be logged, as get_user_pages failed'),
} as const satisfies Record<string, FieldDefinition>;

export type FieldName = keyof typeof FIELDS;

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

/** The counters of a `counted` event, by accessor number less one. */
export const COUNTER_FIELDS = [
  'countGetAvailIdx',
  'countGetAvailHead',
  'countGetAvailFlags',
  'countGetUsedEvent',
  'countGetUsedIdx',
  'countGetDesc',
  'countPutAvailEvent',
  'countPutUsed',
  'countPutUsedFlags',
  'countPutUsedIdx',
] as const;

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

/** The definition of a field as its general type. */
export function fieldDefinition(name: FieldName): FieldDefinition {
  return FIELDS[name];
}

/** enum mmu_notifier_event of Linux 6.1, by number (reference §5.3). */
export const INVALIDATION_CAUSES: readonly string[] = [
  'unmap',
  'clear',
  'protection_vma',
  'protection_page',
  'soft_dirty',
  'release',
  'migrate',
  'exclusive',
];

/** Who works on a virtqueue, by number. */
export const HANDLERS: readonly string[] = ['other', 'net_rx', 'net_tx', 'vsock'];

/** `cpu` is rejected above this: the kernel's NR_CPUS never exceeds 8192. */
export const MAX_CPU = 8191;
