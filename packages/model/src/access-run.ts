/**
 * A reader for runs of access lines of the usual shape: of one CPU, times of as many digits, virtqueues
 * that are known. Of a hundred lines 99 are such. Four digits are converted at once, what repeats from
 * line to line (the leading digits of the time, the address) is only compared, and the values go
 * straight into the columns. It takes a fifth of the time of the general plan (`event-lines.ts`), which
 * decides on every line that stops a run; a test holds the two against each other.
 *
 * HOT: the body of the loop runs once per line of an import, and allocates nothing. Benchmark:
 * `pnpm bench`.
 */
import { findAddress, type AccessRunMemory } from './access-run-memory.js';
import {
  firstBytes,
  FOUR_ZEROS,
  fourDigits,
  notDigits,
  readDigits,
  skipDigits,
} from './digit-words.js';
import { beginDetails, DETAIL_BIT, type EventBatch } from './event-batch.js';
import { FIELDS } from './event-fields.js';
import { KIND } from './events.js';
import { combine } from './exact-numbers.js';
import { ACCESSORS } from './ring.js';

const BLANK = 0x20;
const LF = 0x0a;
const DIGIT_ZERO = 0x30;

const ACCESS = KIND.access;
const MAX_OBSERVED = FIELDS.observed.max ?? 0;

/** "A ", as a little-endian word; the other words likewise. */
const TAG = 0x2041;
/** " a o": accessor and observed are digits. */
const ACCESSOR_OBSERVED = 0x0020_0020;
const ACCESSOR_OBSERVED_BLANKS = 0x00ff_00ff;
/** " 10 ": the only accessor of two digits. */
const ACCESSOR_TEN = 0x2030_3120;

/** Bytes of " aaaaaaaaaaaaaaaa". */
const ADDRESS_BYTES = 17;
/** put_used alone says how many entries it moved, in digits that fit 32 bits. */
const ENTRIES_DIGITS = 9;
/** Bytes of the address and the longest rest of a line that is read, " 8 1 " with the entries and a LF. */
const LONGEST_REST = ADDRESS_BYTES + 5 + ENTRIES_DIGITS + 1;
/** Digits at the end of the time that are converted four by four. */
const LAST_DIGITS = 8;
const LAST_DIGITS_VALUE = 10 ** LAST_DIGITS;

const PUT_USED = ACCESSORS.indexOf('put_used');
/** In the first of the two words of `present`: all fields of the first format are. */
const ENTRIES_PRESENT = 1 << DETAIL_BIT.entries;

/**
 * Reads lines `A ns cpu vq accessor hit 1`, one after the other, into rows of a batch from its length
 * on, until one is not of the usual shape or the batch is full.
 *
 * @param bytes input; lines begin at `start`, and `end` is just past a LF
 * @param batch of the CPU that the lines must be of
 * @param rows the batch's length is at most this afterwards; it has room for as many
 * @param firstLine number of the first input line, from 1
 * @param lineStep 1 where each is an input line of its own, 0 where all come from one
 * @returns index just past the LF of the last line taken; `start` when none was
 */
export function readAccessRun(
  memory: AccessRunMemory,
  bytes: Uint8Array,
  start: number,
  end: number,
  batch: EventBatch,
  rows: number,
  firstLine: number,
  lineStep: number,
): number {
  const { timeDigits, base } = memory;
  if (timeDigits === 0) return start;
  if (memory.bytes !== bytes) {
    memory.bytes = bytes;
    memory.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const { view } = memory;
  const { cpu, time, line, kind, vq: vqs, accessor: accessors, observed: observations, n } = batch;
  const { detail, details } = batch;
  const cpuDigits = decimalDigits(cpu);
  const detailRoom = details.present.length >> 1;
  let detailCount = detail[batch.length];
  const toCpu = 2 + timeDigits;
  const toAddress = toCpu + 1 + cpuDigits;
  const longest = toAddress + LONGEST_REST;

  // What repeats is compared by its first and its last four bytes, which overlap where it has fewer than
  // eight, and by the byte between them where it has nine.
  const leadingDigits = timeDigits - LAST_DIGITS;
  const leadingMask = firstBytes(leadingDigits);
  const toLeadingEnd = 2 + Math.max(0, leadingDigits - 4);
  const hasMiddleDigit = leadingDigits === 9;
  const cpuMask = firstBytes(2 + cpuDigits);
  const toCpuEnd = toCpu + Math.max(0, cpuDigits - 2);
  const cpuFirst = wordOfCpu(cpu, 0);
  const cpuLast = wordOfCpu(cpu, toCpuEnd - toCpu);

  // The leading digits that `base` was made of.
  let isBaseKnown = false;
  let leadingFirst = 0;
  let leadingLast = 0;
  let middleDigit = 0;
  let baseLow = 0;
  let baseHigh = 0;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let vq = -1;
  let row = batch.length;
  let lineNumber = firstLine;
  let at = start;
  // A line of the usual shape has no LF before its own, and there is one before `end`.
  for (; row < rows && at < end && at + longest <= bytes.length; row++) {
    if (view.getInt16(at, true) !== TAG) break;
    const afterTime = at + toCpu;
    const last = (view.getInt32(afterTime - 4, true) - FOUR_ZEROS) | 0;
    const middle = (view.getInt32(afterTime - 8, true) - FOUR_ZEROS) | 0;
    if ((notDigits(last) | notDigits(middle)) !== 0) break;
    const first = view.getInt32(at + 2, true) & leadingMask;
    const second = view.getInt32(at + toLeadingEnd, true) & leadingMask;
    if (
      !isBaseKnown ||
      first !== leadingFirst ||
      second !== leadingLast ||
      (hasMiddleDigit && bytes[at + 6] !== middleDigit)
    ) {
      const leading = readDigits(bytes, at + 2, leadingDigits);
      if (leading < 0) break;
      combine(base, 0, leading, 0, LAST_DIGITS_VALUE, 0);
      baseLow = base[0] | 0;
      baseHigh = base[1] | 0;
      isBaseKnown = true;
      leadingFirst = first;
      leadingLast = second;
      middleDigit = bytes[at + 6];
    }
    if ((view.getInt32(afterTime, true) & cpuMask) !== cpuFirst) break;
    if ((view.getInt32(at + toCpuEnd, true) & cpuMask) !== cpuLast) break;

    const afterCpu = at + toAddress;

    const a1 = view.getInt32(afterCpu + 1, true);
    const b1 = view.getInt32(afterCpu + 5, true);
    const c1 = view.getInt32(afterCpu + 9, true);
    const d1 = view.getInt32(afterCpu + 13, true);
    if (d1 !== d || c1 !== c || b1 !== b || a1 !== a || vq < 0) {
      vq = findAddress(memory, a1, b1, c1, d1);
      if (vq < 0) break;
      a = a1;
      b = b1;
      c = c1;
      d = d1;
    }

    let rest = afterCpu + ADDRESS_BYTES;
    const word = view.getInt32(rest, true);
    let accessor = 10;
    let observed = 0;
    if ((word & ACCESSOR_OBSERVED_BLANKS) === ACCESSOR_OBSERVED) {
      accessor = ((word >>> 8) & 0xff) ^ DIGIT_ZERO;
      observed = (word >>> 24) ^ DIGIT_ZERO;
      if (accessor === 0 || accessor > 9) break;
      rest += 4;
    } else if (word === ACCESSOR_TEN) {
      observed = bytes[rest + 4] ^ DIGIT_ZERO;
      rest += 5;
    } else break;
    if (observed > MAX_OBSERVED || bytes[rest] !== BLANK) break;
    rest++;
    let entries = bytes[rest] ^ DIGIT_ZERO;
    if (entries > 9) break;
    rest++;
    if (accessor === PUT_USED) {
      const afterEntries = skipDigits(bytes, rest, rest + ENTRIES_DIGITS - 1);
      entries = readDigits(bytes, rest - 1, afterEntries - rest + 1);
      rest = afterEntries;
      if (bytes[rest] !== LF || detailCount === detailRoom) break;
      beginDetails(details, detailCount);
      details.present[2 * detailCount] = ENTRIES_PRESENT;
      details.entries[detailCount++] = entries;
    } else if (bytes[rest] !== LF) break;

    const more = (Math.imul(fourDigits(middle), 10_000) + fourDigits(last)) | 0;
    const low = (baseLow + more) | 0;
    time[2 * row] = low;
    // A sum that is less than what was added has passed 2^32.
    time[2 * row + 1] = low >>> 0 < more >>> 0 ? baseHigh + 1 : baseHigh;
    line[row] = lineNumber;
    lineNumber += lineStep;
    kind[row] = ACCESS;
    vqs[row] = vq;
    accessors[row] = accessor;
    observations[row] = observed;
    n[row] = 1;
    detail[row + 1] = detailCount;
    at = rest + 1;
  }
  batch.length = row;
  return at;
}

function decimalDigits(value: number): number {
  return value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : 4;
}

/** Four bytes, from `from` on, of a CPU with a blank before and behind it; 0 behind that. */
function wordOfCpu(cpu: number, from: number): number {
  let word = 0;
  for (let i = 3; i >= 0; i--) word = (word << 8) | characterOfCpu(cpu, from + i);
  return word;
}

function characterOfCpu(cpu: number, at: number): number {
  const digits = decimalDigits(cpu);
  if (at === 0 || at === digits + 1) return BLANK;
  if (at > digits + 1) return 0;
  return DIGIT_ZERO + (Math.floor(cpu / 10 ** (digits - at)) % 10);
}
