/**
 * A reader for runs of lines of the usual shape, as `readAccessRun` of the model is for the dialect: accesses
 * and rounds, which are nearly all, of a thread and CPU that are known, written as the ones before, of a
 * virtqueue that is known. What repeats from line to line is only compared, eight bytes at once; digits are
 * converted four at once, and the values go straight into the columns. A test holds it against the general
 * reader, which decides on every line that stops a run.
 *
 * HOT: the body of the loop runs once per line of an import, and allocates nothing. Benchmark:
 * `pnpm bench`.
 */
import {
  ACCESSORS,
  DETAIL_BIT,
  EVENTS,
  FIELDS,
  FOUR_ZEROS,
  KIND,
  NO_ACCESSOR,
  NOT_OBSERVED,
  beginDetails,
  combine,
  createAddresses,
  findAddress,
  firstBytes,
  fourDigits,
  notDigits,
  readDigits,
  rememberAddress,
  skipDigits,
} from '@vhostscope/model';
import { noteOther, type EventBuilder } from '../event-builder.js';
import type { FieldPlaces } from './event-fields.js';
import { MAX_SECONDS_DIGITS, type TraceLine } from './trace-line.js';

/**
 * Printable bytes that are to be found again, eight at once: as doubles, of which the last may overlap the
 * one before. Such bytes are never those of a NaN or a zero, so that two are equal when all their bytes are.
 */
interface Literal {
  length: number;
  readonly doubles: Float64Array;
}

/** The same of 4 to 8 bytes, as two words that overlap, or of 8 to 16, as two doubles that do. */
interface ShortLiteral {
  length: number;
  firstWord: number;
  lastWord: number;
  firstDouble: number;
  lastDouble: number;
}

/** Bytes of the longest and of the shortest literal. */
const MAX_LITERAL_BYTES = 128;
const MIN_LITERAL_BYTES = 8;
const MAX_SHORT_BYTES = 16;
const MIN_SHORT_BYTES = 4;

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
const ADDRESS_DIGITS = 16;
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

function emptyLiteral(): Literal {
  return { length: 0, doubles: new Float64Array(MAX_LITERAL_BYTES / 8) };
}

function emptyShort(): ShortLiteral {
  return { length: 0, firstWord: 0, lastWord: 0, firstDouble: 0, lastDouble: 0 };
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

/** Whether these bytes can be a literal. */
function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < MIN_LITERAL_BYTES || length > MAX_LITERAL_BYTES) return false;
  return arePrintable(bytes, start, end);
}

function arePrintable(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] < 0x20 || bytes[at] > 0x7e) return false;
  return true;
}

function keepLiteral(literal: Literal, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  literal.length = length;
  const last = (length - 1) >> 3;
  for (let i = 0; i < last; i++) literal.doubles[i] = view.getFloat64(8 * i, true);
  literal.doubles[last] = view.getFloat64(length - 8, true);
}

function keepShort(literal: ShortLiteral, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  literal.length = length;
  literal.firstWord = view.getInt32(0, true);
  literal.lastWord = view.getInt32(length - 4, true);
  literal.firstDouble = length < 8 ? 0 : view.getFloat64(0, true);
  literal.lastDouble = length < 8 ? 0 : view.getFloat64(length - 8, true);
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
function findPlace({ toAddresses }: UsualLines, view: DataView, at: number): number {
  for (let i = 0; i < toAddresses.length; i++)
    if (toAddresses[i].length > 0 && isLiteral(view, at, toAddresses[i])) return i;
  return -1;
}

function memoryView(memory: UsualLines, bytes: Uint8Array): DataView {
  if (memory.bytes !== bytes) {
    memory.bytes = bytes;
    memory.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return memory.view;
}

/** Where the prefix that ends at `end` is kept. */
function prefixPlace(view: DataView, end: number): number {
  const a = view.getInt32(end - 16, true);
  const b = view.getInt32(end - 12, true);
  const c = view.getInt32(end - 8, true);
  const d = view.getInt32(end - 4, true);
  const mixed = Math.imul(a ^ (b << 7) ^ (b >>> 25) ^ (c << 13) ^ (c >>> 19) ^ d, 0x2c1b_3c6d);
  return mixed >>> 24;
}

function isLiteral(view: DataView, at: number, { length, doubles }: Literal): boolean {
  const last = (length - 1) >> 3;
  for (let i = 0; i < last; i++) if (view.getFloat64(at + 8 * i, true) !== doubles[i]) return false;
  return view.getFloat64(at + length - 8, true) === doubles[last];
}

function isShort(view: DataView, at: number, literal: ShortLiteral): boolean {
  const { length } = literal;
  return length < 8
    ? view.getInt32(at, true) === literal.firstWord &&
        view.getInt32(at + length - 4, true) === literal.lastWord
    : view.getFloat64(at, true) === literal.firstDouble &&
        view.getFloat64(at + length - 8, true) === literal.lastDouble;
}

/** Looks for lines whose beginning has the other length; false when none is known. */
export function tryOtherLength(memory: UsualLines): boolean {
  const { prefixLength, otherLength } = memory;
  if (otherLength === 0) return false;
  memory.prefixLength = otherLength;
  memory.otherLength = prefixLength;
  return true;
}

const LF = 0x0a;
const POINT = 0x2e;
const DIGIT_ZERO = 0x30;
const LETTER_X = 0x78;
const ACCESS = KIND.access;
const ROUND = KIND.round;
const PUT_USED = ACCESSORS.indexOf('put_used');
const LAST_ACCESSOR = ACCESSORS.length - 1;
const MAX_OBSERVED = FIELDS.observed.max ?? 0;
const ENTRIES_PRESENT = 1 << DETAIL_BIT.entries;
/** Digits of entries that fit 32 bits. */
const ENTRIES_DIGITS = 9;
/** Bytes of a line beside its literals and its time: address, accessor, what it found, entries, LF. */
const REST_BYTES = ADDRESS_DIGITS + 2 + 1 + ENTRIES_DIGITS + 1;
/** Turned over in both, words compare as if they had no sign. */
const SIGN = -0x8000_0000;
const SECOND = 1_000_000_000;
const MAX_SECONDS = 9_223_372_036;

/**
 * Reads lines, one after the other, into rows of the builders of their CPUs, until one is not of the
 * usual shape, or of a CPU that has no builder yet, or a builder is full.
 *
 * @param bytes input; lines begin at `start`, and `end` is just past a LF
 * @param builders by CPU
 * @param latest the one that the first line is likely to go to
 * @param limit a builder's length is at most this afterwards, and what it has room for
 * @param firstLine number of the first line, from 1
 * @returns index just past the LF of the last line taken; `start` when none was. `memory` tells how many they
 *   were, and who took the last
 */
export function readUsualLines(
  memory: UsualLines,
  bytes: Uint8Array,
  start: number,
  end: number,
  builders: readonly (EventBuilder | undefined)[],
  latest: EventBuilder,
  limit: number,
  firstLine: number,
): number {
  memory.lines = 0;
  const { prefixLength, prefixes, prefixCpus, secondsDigits, fractionDigits, base } = memory;
  if (prefixLength === 0) return start;
  const { toAddresses, kinds, toAccessor, toObserved, toEntries } = memory;
  let toAddress = toAddresses[memory.toAddress];
  let isAccess = kinds[memory.toAddress] === ACCESS;
  const view = memoryView(memory, bytes);
  let builder = latest;
  let { cpu, time, line, kind, vq: vqs, accessor: accessors, observed: observations, n } = builder;
  let { detail, details } = builder;
  let rows = Math.min(limit, builder.rowCapacity);
  let detailRoom = details.present.length >> 1;
  let detailCount = builder.detailCount;
  const timeBytes = secondsDigits + 1 + fractionDigits;
  const longest =
    prefixLength +
    timeBytes +
    MAX_LITERAL_BYTES +
    toAccessor.length +
    toObserved.length +
    toEntries.length +
    REST_BYTES;

  // Seconds are compared as three words that overlap, and as the first bytes of one where they are short.
  const secondsMask = firstBytes(secondsDigits);
  const toSecondWord = Math.max(0, Math.min(4, secondsDigits - 4));
  const toLastWord = Math.max(0, secondsDigits - 4);
  let areSecondsKnown = false;
  let seconds1 = 0;
  let seconds2 = 0;
  let seconds3 = 0;
  let baseLow = 0;
  let baseHigh = 0;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let vq = -1;
  let row = builder.length;
  let lineNumber = firstLine;
  let at = start;
  // A line of the usual shape has no LF before its own, and there is one before `end`.
  for (; row < rows && at < end && at + longest <= bytes.length; row++) {
    const timeAt = at + prefixLength;
    const place = prefixPlace(view, timeAt);
    const prefix = prefixes[place];
    if (prefix.length !== prefixLength || !isLiteral(view, at, prefix)) break;

    const first = view.getInt32(timeAt, true) & secondsMask;
    const second = view.getInt32(timeAt + toSecondWord, true) & secondsMask;
    const third = view.getInt32(timeAt + toLastWord, true) & secondsMask;
    if (((first ^ seconds1) | (second ^ seconds2) | (third ^ seconds3)) !== 0 || !areSecondsKnown) {
      if (!takeSeconds(base, bytes, timeAt, secondsDigits)) break;
      baseLow = base[0] | 0;
      baseHigh = base[1] | 0;
      areSecondsKnown = true;
      seconds1 = first;
      seconds2 = second;
      seconds3 = third;
    }
    const point = timeAt + secondsDigits;
    if (bytes[point] !== POINT) break;
    let fraction = 0;
    if (fractionDigits === 9) {
      const digit = bytes[point + 1] ^ DIGIT_ZERO;
      const middle = (view.getInt32(point + 2, true) - FOUR_ZEROS) | 0;
      const last = (view.getInt32(point + 6, true) - FOUR_ZEROS) | 0;
      if (digit > 9 || (notDigits(middle) | notDigits(last)) !== 0) break;
      const more = (Math.imul(fourDigits(middle), 10_000) + fourDigits(last)) | 0;
      fraction = (Math.imul(digit, 100_000_000) + more) | 0;
    } else {
      const digit = bytes[point + 1] ^ DIGIT_ZERO;
      const next = bytes[point + 2] ^ DIGIT_ZERO;
      const last = (view.getInt32(point + 3, true) - FOUR_ZEROS) | 0;
      if (digit > 9 || next > 9 || notDigits(last) !== 0) break;
      fraction = Math.imul(Math.imul(10 * digit + next, 10_000) + fourDigits(last), 1000);
    }

    let rest = timeAt + timeBytes;
    if (!isLiteral(view, rest, toAddress)) {
      const found = findPlace(memory, view, rest);
      if (found < 0) break;
      toAddress = toAddresses[found];
      isAccess = kinds[found] === ACCESS;
      memory.toAddress = found;
    }
    rest += toAddress.length;
    const a1 = view.getInt32(rest, true);
    const b1 = view.getInt32(rest + 4, true);
    const c1 = view.getInt32(rest + 8, true);
    const d1 = view.getInt32(rest + 12, true);
    if (d1 !== d || c1 !== c || b1 !== b || a1 !== a || vq < 0) {
      vq = findAddress(memory, a1, b1, c1, d1);
      if (vq < 0) break;
      a = a1;
      b = b1;
      c = c1;
      d = d1;
    }
    rest += ADDRESS_DIGITS;

    let accessor = NO_ACCESSOR;
    let observed = NOT_OBSERVED;
    let entries = 0;
    if (isAccess) {
      if (!isShort(view, rest, toAccessor)) break;
      rest += toAccessor.length;
      accessor = bytes[rest++] ^ DIGIT_ZERO;
      // ':' and those behind it would pass for 10 and more.
      if (accessor > 9) break;
      const moreDigits = bytes[rest] ^ DIGIT_ZERO;
      if (moreDigits <= 9) {
        accessor = 10 * accessor + moreDigits;
        rest++;
      }
      if (accessor === 0 || accessor > LAST_ACCESSOR) break;
      if (!isShort(view, rest, toObserved)) break;
      rest += toObserved.length;
      observed = bytes[rest++] ^ DIGIT_ZERO;
      if (observed > MAX_OBSERVED) break;
      if (!isShort(view, rest, toEntries)) break;
      rest += toEntries.length;
      const afterEntries = skipDigits(bytes, rest, rest + ENTRIES_DIGITS);
      if (afterEntries === rest) break;
      if (accessor === PUT_USED) entries = readDigits(bytes, rest, afterEntries - rest);
      rest = afterEntries;
    }
    if (bytes[rest] !== LF) break;

    if (prefixCpus[place] !== cpu) {
      const next = builders[prefixCpus[place]];
      if (next === undefined || next.length >= Math.min(limit, next.rowCapacity)) break;
      builder.length = row;
      builder.detailCount = detailCount;
      builder = next;
      ({
        cpu,
        time,
        line,
        kind,
        vq: vqs,
        accessor: accessors,
        observed: observations,
        n,
      } = builder);
      ({ detail, details } = builder);
      rows = Math.min(limit, builder.rowCapacity);
      detailRoom = details.present.length >> 1;
      row = builder.length;
      detailCount = builder.detailCount;
    }
    if (accessor === PUT_USED) {
      if (detailCount === detailRoom) break;
      beginDetails(details, detailCount);
      details.present[2 * detailCount] = ENTRIES_PRESENT;
      details.entries[detailCount++] = entries;
    }
    if (!isAccess) noteOther(builder, row);
    const low = (baseLow + fraction) | 0;
    time[2 * row] = low;
    // A sum that is less than what was added has passed 2^32.
    time[2 * row + 1] = (low ^ SIGN) < (fraction ^ SIGN) ? baseHigh + 1 : baseHigh;
    line[row] = lineNumber++;
    kind[row] = isAccess ? ACCESS : ROUND;
    vqs[row] = vq;
    accessors[row] = accessor;
    observations[row] = observed;
    n[row] = isAccess ? 1 : 0;
    detail[row + 1] = detailCount;
    at = rest + 1;
  }
  builder.length = row;
  builder.detailCount = detailCount;
  memory.lines = lineNumber - firstLine;
  memory.builder = builder;
  return at;
}

/** Puts the ns of a time's seconds into two words; false when one of the characters is no digit or there are too many. */
function takeSeconds(base: Uint32Array, bytes: Uint8Array, at: number, digits: number): boolean {
  const behind = Math.min(digits, MAX_SECONDS_DIGITS - 1);
  const before = digits - behind;
  const high = readDigits(bytes, at, before);
  const low = readDigits(bytes, at + before, behind);
  if (high < 0 || low < 0) return false;
  const seconds = high * SECOND + low;
  if (seconds >= MAX_SECONDS) return false;
  combine(base, 0, seconds >>> 0, Math.floor(seconds / 2 ** 32), SECOND, 0);
  return true;
}
