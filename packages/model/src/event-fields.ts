/**
 * The one table of fields: their storage, units, bounds and form in text, and what the numbers in them stand for. Which
 * event has which, `events.ts` says.
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
