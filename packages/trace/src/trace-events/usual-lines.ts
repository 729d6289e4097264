/**
 * A reader for runs of lines of the usual shape, as `readAccessRun` of the model is for the dialect: accesses
 * and rounds, which are nearly all, of a thread and CPU that are known, written as the ones before, of a
 * virtqueue that is known. What repeats from line to line (`usual-lines-memory.ts`) is only compared, eight
 * bytes at once; digits are converted four at once, and the values go straight into the columns. A test holds
 * it against the general reader, which decides on every line that stops a run.
 *
 * HOT: the body of the loop runs once per line of an import, and allocates nothing. Benchmark:
 * `pnpm bench`.
 */
import {
  ACCESSORS,
  DETAIL_BIT,
  FIELDS,
  FOUR_ZEROS,
  KIND,
  NO_ACCESSOR,
  NOT_OBSERVED,
  beginDetails,
  combine,
  findAddress,
  firstBytes,
  fourDigits,
  notDigits,
  readDigits,
  skipDigits,
} from '@vhostscope/model';
import { noteOther, type EventBuilder } from '../event-builder.js';
import { isLiteral, isShort, MAX_LITERAL_BYTES } from './literals.js';
import { MAX_SECONDS_DIGITS } from './trace-line.js';
import {
  ADDRESS_DIGITS,
  findPlace,
  memoryView,
  prefixPlace,
  type UsualLines,
} from './usual-lines-memory.js';

const LF = 0x0a;
const POINT = 0x2e;
const DIGIT_ZERO = 0x30;
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
