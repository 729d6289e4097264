/**
 * What lines of the usual shape have in common, learnt from those that the general reader has read: what stands before
 * the time, which tells thread and CPU; between time and address, which tells the event; and between the fields.
 */
import { EVENTS, KIND, createAddresses, rememberAddress, skipDigits } from '@vhostscope/model';
import type { EventBuilder } from '../event-builder.js';
import type { FieldPlaces } from './event-fields.js';
import {
  arePrintable,
  emptyLiteral,
  emptyShort,
  isLiteral,
  isPlain,
  keepLiteral,
  keepShort,
  MAX_SHORT_BYTES,
  MIN_SHORT_BYTES,
  type Literal,
  type ShortLiteral,
} from './literals.js';
import type { TraceLine } from './trace-line.js';

export interface UsualLines {
  /** What `view` is a view of. */
  bytes: Uint8Array;
  view: DataView;
  /**
   * Bytes of a line before its time, which tell thread and CPU: as many as are looked for, and as in the latest
   * line that had another number of them, for a number of six digits does not fit perf's column. 0 for none.
   */
  prefixLength: number;
  otherLength: number;
  /** By place, found by the last words before the time: the prefix, and the CPU it tells. */
  readonly prefixes: readonly Literal[];
  readonly prefixCpus: Int32Array;
  secondsDigits: number;
  fractionDigits: number;
  /** What follows up to the address: the event's name and place, of which there may be several; and its kind. */
  readonly toAddresses: readonly Literal[];
  readonly kinds: Uint8Array;
  /** The one that was found, or kept, last. */
  toAddress: number;
  /** From there to the accessor, to what it found, to the entries. */
  readonly toAccessor: ShortLiteral;
  readonly toObserved: ShortLiteral;
  readonly toEntries: ShortLiteral;
  readonly addresses: Int32Array;
  /** Two words to compute a time in. */
  readonly base: Uint32Array;
  /** Lines of the latest run, and the builder that took the last of them. */
  lines: number;
  builder: EventBuilder | undefined;
}

const PREFIX_PLACES = 256;
/** Hashed are the four words before the time. */
const MIN_PREFIX_BYTES = 16;
export const ADDRESS_DIGITS = 16;
/** Places of one event: where an accessor is inlined `perf probe` makes an event for each. */
const EVENT_PLACES = 8;

export function createUsualLines(): UsualLines {
  const bytes = new Uint8Array(0);
  return {
    bytes,
    view: new DataView(bytes.buffer),
    prefixLength: 0,
    otherLength: 0,
    prefixes: Array.from({ length: PREFIX_PLACES }, emptyLiteral),
    prefixCpus: new Int32Array(PREFIX_PLACES),
    secondsDigits: 0,
    fractionDigits: 0,
    toAddresses: Array.from({ length: EVENT_PLACES }, emptyLiteral),
    kinds: new Uint8Array(EVENT_PLACES),
    toAddress: 0,
    toAccessor: emptyShort(),
    toObserved: emptyShort(),
    toEntries: emptyShort(),
    addresses: createAddresses(),
    base: new Uint32Array(2),
    lines: 0,
    builder: undefined,
  };
}

/**
 * Learns the shape of an access's or a round's line that the general reader has read.
 *
 * @param start index of its first byte
 * @param lf index just past its last byte
 * @param vq id of its virtqueue
 */
export function rememberLine(
  memory: UsualLines,
  bytes: Uint8Array,
  start: number,
  lf: number,
  { cpu, timeStart, secondsEnd, timeEnd }: TraceLine,
  kind: number,
  { starts, ends }: FieldPlaces,
  vq: number,
): void {
  const prefixLength = timeStart - start;
  const address = starts[VQ_COLUMN] + 2;
  const isUsual =
    prefixLength >= MIN_PREFIX_BYTES &&
    isPlain(bytes, start, timeStart) &&
    isPlain(bytes, timeEnd, address) &&
    bytes[address - 2] === DIGIT_ZERO &&
    bytes[address - 1] === LETTER_X &&
    ends[VQ_COLUMN] - address === ADDRESS_DIGITS &&
    (kind === ACCESS ? keepFields(memory, bytes, starts, ends, lf) : ends[VQ_COLUMN] === lf);
  if (!isUsual) return;
  keepPlace(memory, bytes, timeEnd, address, kind);
  const prefix = prefixPlace(memoryView(memory, bytes), timeStart);
  keepLiteral(memory.prefixes[prefix], bytes, start, timeStart);
  memory.prefixCpus[prefix] = cpu;
  if (memory.prefixLength !== prefixLength) {
    memory.otherLength = memory.prefixLength;
    memory.prefixLength = prefixLength;
  }
  memory.secondsDigits = secondsEnd - timeStart;
  memory.fractionDigits = timeEnd - secondsEnd - 1;
  rememberAddress(memory, bytes, address, vq);
}

const ACCESS_COLUMNS = EVENTS.access.text.columns;
const VQ_COLUMN = ACCESS_COLUMNS.indexOf('vq');
const ACCESSOR_COLUMN = ACCESS_COLUMNS.indexOf('accessor');
const OBSERVED_COLUMN = ACCESS_COLUMNS.indexOf('observed');
const ENTRIES_COLUMN = ACCESS_COLUMNS.indexOf('entries');

/** Keeps what stands between the fields of an access; false where they are not in the usual order and form. */
function keepFields(
  memory: UsualLines,
  bytes: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  lf: number,
): boolean {
  let before = VQ_COLUMN;
  for (const column of [ACCESSOR_COLUMN, OBSERVED_COLUMN, ENTRIES_COLUMN]) {
    const length = starts[column] - ends[before];
    if (length < MIN_SHORT_BYTES || length > MAX_SHORT_BYTES) return false;
    if (!arePrintable(bytes, ends[before], starts[column])) return false;
    if (!isDecimal(bytes, starts[column], ends[column])) return false;
    before = column;
  }
  if (ends[ENTRIES_COLUMN] !== lf) return false;
  keepShort(memory.toAccessor, bytes, ends[VQ_COLUMN], starts[ACCESSOR_COLUMN]);
  keepShort(memory.toObserved, bytes, ends[ACCESSOR_COLUMN], starts[OBSERVED_COLUMN]);
  keepShort(memory.toEntries, bytes, ends[OBSERVED_COLUMN], starts[ENTRIES_COLUMN]);
  return true;
}

function isDecimal(bytes: Uint8Array, start: number, end: number): boolean {
  return end > start && skipDigits(bytes, start, end) === end;
}

/** Keeps what stands between the time and the address, unless it is known. */
function keepPlace(
  memory: UsualLines,
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
): void {
  const { toAddresses } = memory;
  const view = memoryView(memory, bytes);
  for (let i = 0; i < toAddresses.length; i++) {
    if (toAddresses[i].length !== end - start || !isLiteral(view, start, toAddresses[i])) continue;
    memory.toAddress = i;
    return;
  }
  memory.toAddress = (memory.toAddress + 1) % EVENT_PLACES;
  memory.kinds[memory.toAddress] = kind;
  keepLiteral(toAddresses[memory.toAddress], bytes, start, end);
}

/** Index of what stands at `at` before an address, -1 when it is not known. */
export function findPlace({ toAddresses }: UsualLines, view: DataView, at: number): number {
  for (let i = 0; i < toAddresses.length; i++)
    if (toAddresses[i].length > 0 && isLiteral(view, at, toAddresses[i])) return i;
  return -1;
}

export function memoryView(memory: UsualLines, bytes: Uint8Array): DataView {
  if (memory.bytes !== bytes) {
    memory.bytes = bytes;
    memory.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return memory.view;
}

/** Where the prefix that ends at `end` is kept. */
export function prefixPlace(view: DataView, end: number): number {
  const a = view.getInt32(end - 16, true);
  const b = view.getInt32(end - 12, true);
  const c = view.getInt32(end - 8, true);
  const d = view.getInt32(end - 4, true);
  const mixed = Math.imul(a ^ (b << 7) ^ (b >>> 25) ^ (c << 13) ^ (c >>> 19) ^ d, 0x2c1b_3c6d);
  return mixed >>> 24;
}

/** Looks for lines whose beginning has the other length; false when none is known. */
export function tryOtherLength(memory: UsualLines): boolean {
  const { prefixLength, otherLength } = memory;
  if (otherLength === 0) return false;
  memory.prefixLength = otherLength;
  memory.otherLength = prefixLength;
  return true;
}

const DIGIT_ZERO = 0x30;
const LETTER_X = 0x78;
const ACCESS = KIND.access;
