/**
 * A reader for access lines that look like the one before: a time of as many digits, a CPU of one
 * digit, an address of 16. Of a hundred lines 99 are such. Four digits are converted at once, and the
 * address is compared with those seen lately. It takes a third of the time of the general plan, which
 * decides whenever this one returns -1; a test holds the two against each other.
 *
 * HOT: once per line of an import, allocates nothing. Benchmark: `pnpm bench`.
 */
import {
  ADDRESS_PLACES,
  ADDRESS_WORDS,
  FOUR_ZEROS,
  type AccessLineMemory,
} from './access-line-memory.js';
import { FIELDS, KIND } from './events.js';
import { SLOT, TIME_SLOT, type EventLine } from './event-line.js';
import { combine, HEX_DIGIT } from './exact-numbers.js';

const BLANK = 0x20;
const LF = 0x0a;
const DIGIT_ZERO = 0x30;
/** What a blank becomes when DIGIT_ZERO is taken off by exclusive or, as it is from digits. */
const BLANK_AFTER_XOR = BLANK ^ DIGIT_ZERO;

const VQ = 2 * SLOT.vq;
const ACCESSOR = 2 * SLOT.accessor;
const OBSERVED = 2 * SLOT.observed;
const ENTRIES = 2 * SLOT.entries;
const TIME = 2 * TIME_SLOT;
const MAX_ACCESSOR = FIELDS.accessor.max;
const MAX_OBSERVED = FIELDS.observed.max ?? 0;

/** Where things stand after the time: " c aaaaaaaaaaaaaaaa " and then at least "1 1 1" and a LF. */
const ADDRESS = 3;
const AFTER_ADDRESS = ADDRESS + 16;
const SHORTEST_REST = AFTER_ADDRESS + 1 + 6;

/**
 * Reads `A ns cpu vq accessor hit count` into `line`.
 *
 * @returns index just past the line's LF, or -1 when the line is not of the usual shape
 */
export function readAccessLine(
  memory: AccessLineMemory,
  bytes: Uint8Array,
  start: number,
  line: EventLine,
): number {
  const afterTime = start + 2 + memory.timeDigits;
  if (memory.timeDigits === 0 || afterTime + SHORTEST_REST > bytes.length) return -1;
  if (memory.bytes !== bytes) {
    memory.bytes = bytes;
    memory.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const { words } = line;
  if (bytes[afterTime] !== BLANK || bytes[afterTime + 2] !== BLANK) return -1;
  if (bytes[afterTime + AFTER_ADDRESS] !== BLANK) return -1;

  // The last eight digits of the time four by four, those before them one by one.
  const last = (memory.view.getInt32(afterTime - 4, true) - FOUR_ZEROS) | 0;
  const middle = (memory.view.getInt32(afterTime - 8, true) - FOUR_ZEROS) | 0;
  if ((notDigits(last) | notDigits(middle)) !== 0) return -1;
  let leading = 0;
  const cpu = bytes[afterTime + 1] ^ DIGIT_ZERO;
  // Negative once a character was no digit.
  let sign = 9 - cpu;
  for (let pos = start + 2; pos < afterTime - 8; pos++) {
    const digit = bytes[pos] ^ DIGIT_ZERO;
    sign |= 9 - digit;
    leading = (leading * 10 + digit) | 0;
  }
  if (sign < 0) return -1;
  combine(words, TIME, leading, 0, 100_000_000, fourDigits(middle) * 10_000 + fourDigits(last));
  if (!readAddress(memory, bytes, afterTime + ADDRESS, words)) return -1;

  let pos = afterTime + AFTER_ADDRESS;
  let accessor = bytes[++pos] ^ DIGIT_ZERO;
  let digit = bytes[++pos] ^ DIGIT_ZERO;
  if (digit < 10 && accessor === 1) {
    accessor = 10 + digit;
    digit = bytes[++pos] ^ DIGIT_ZERO;
  }
  if (digit !== BLANK_AFTER_XOR || accessor === 0 || accessor > MAX_ACCESSOR) return -1;
  const observed = bytes[++pos] ^ DIGIT_ZERO;
  if (observed > MAX_OBSERVED || bytes[++pos] !== BLANK) return -1;
  let entries = bytes[++pos] ^ DIGIT_ZERO;
  if (entries > 9) return -1;
  digit = bytes[++pos] ^ DIGIT_ZERO;
  while (digit < 10 && entries < 10_000_000) {
    entries = (entries * 10 + digit) | 0;
    digit = bytes[++pos] ^ DIGIT_ZERO;
  }
  if (bytes[pos] !== LF) return -1;
  words[ACCESSOR] = accessor;
  words[OBSERVED] = observed;
  words[ENTRIES] = entries;
  line.kind = KIND.access;
  line.cpu = cpu;
  return pos + 1;
}

/** Not 0 when one of the four bytes is above 9; the bytes are characters less FOUR_ZEROS. */
function notDigits(bytes: number): number {
  return ((bytes + 0x7676_7676) | bytes) & 0x8080_8080;
}

/** Four digits, the first in the lowest byte, as one number: by pairs, then both pairs. */
function fourDigits(bytes: number): number {
  const pairs = (Math.imul(bytes, 10) + (bytes >>> 8)) & 0x00ff_00ff;
  return Math.imul(pairs & 0xff, 100) + (pairs >>> 16);
}

/** The 16 hexadecimal digits at `at`; false when they are not that. */
function readAddress(
  { view, addresses }: AccessLineMemory,
  bytes: Uint8Array,
  at: number,
  words: Uint32Array,
): boolean {
  const a = view.getInt32(at, true);
  const b = view.getInt32(at + 4, true);
  const c = view.getInt32(at + 8, true);
  const d = view.getInt32(at + 12, true);
  const place = ADDRESS_WORDS * ((d ^ (d >>> 11) ^ (c >>> 3)) & (ADDRESS_PLACES - 1));
  if (
    addresses[place] !== a ||
    addresses[place + 1] !== b ||
    addresses[place + 2] !== c ||
    addresses[place + 3] !== d
  ) {
    let high = 0;
    let low = 0;
    let seen = 0;
    for (let pos = at; pos < at + 8; pos++) {
      const first = HEX_DIGIT[bytes[pos]];
      const second = HEX_DIGIT[bytes[pos + 8]];
      seen |= first | second;
      high = (high << 4) | first;
      low = (low << 4) | second;
    }
    if (seen > 15) return false;
    addresses[place] = a;
    addresses[place + 1] = b;
    addresses[place + 2] = c;
    addresses[place + 3] = d;
    addresses[place + 4] = low;
    addresses[place + 5] = high;
  }
  words[VQ] = addresses[place + 4];
  words[VQ + 1] = addresses[place + 5];
  return true;
}
