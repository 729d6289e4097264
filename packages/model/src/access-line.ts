/**
 * A reader for access lines that look like the one before: of the same CPU, a time of as many digits,
 * a virtqueue that is known. Of a hundred lines 99 are such. Four digits are converted at once, the
 * address is only compared, and the values go straight into the columns. It takes a third of the time
 * of the general plan (`event-lines.ts`), which decides whenever this one returns -1; a test holds the
 * two against each other.
 *
 * HOT: once per line of an import, allocates nothing. Benchmark: `pnpm bench`.
 */
import { ADDRESS_WORDS, addressPlace, type AccessLineMemory } from './access-line-memory.js';
import type { EventBatch } from './event-batch.js';
import { FIELDS, KIND } from './events.js';
import { combine } from './exact-numbers.js';
import { ACCESSORS } from './ring.js';

const BLANK = 0x20;
const LF = 0x0a;
const DIGIT_ZERO = 0x30;
const FOUR_ZEROS = 0x3030_3030;
/** What a blank becomes when DIGIT_ZERO is taken off by exclusive or, as it is from digits. */
const BLANK_AFTER_XOR = BLANK ^ DIGIT_ZERO;

const ACCESS_TAG = 0x41;
const ACCESS = KIND.access;
const MAX_ACCESSOR = FIELDS.accessor.max;
const MAX_OBSERVED = FIELDS.observed.max ?? 0;
const PUT_USED = ACCESSORS.indexOf('put_used');

/** Bytes of " aaaaaaaaaaaaaaaa", and of that and the shortest rest of a line, " 1 1 1" and a LF. */
const ADDRESS_BYTES = 17;
const SHORTEST_REST = ADDRESS_BYTES + 7;

/**
 * Reads `A ns cpu vq accessor hit 1` into row `row` of a batch: its time, kind, vq, accessor,
 * observation and number. Line number, details and length are the caller's.
 *
 * @param bytes input; a LF lies at or after `start`
 * @param batch of the CPU that the line must be of; has room for the row
 * @returns index just past the line's LF, or -1, with nothing that counts written, when the line is
 *   not of the usual shape
 */
export function readAccessRow(
  memory: AccessLineMemory,
  bytes: Uint8Array,
  start: number,
  batch: EventBatch,
  row: number,
): number {
  const afterTime = start + 2 + memory.timeDigits;
  const afterCpu = afterTime + 1 + memory.cpuDigits;
  if (memory.timeDigits === 0 || afterCpu + SHORTEST_REST > bytes.length) return -1;
  if (memory.bytes !== bytes) {
    memory.bytes = bytes;
    memory.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  const { view } = memory;
  if (bytes[start] !== ACCESS_TAG || bytes[start + 1] !== BLANK) return -1;
  if (bytes[afterTime] !== BLANK || bytes[afterCpu] !== BLANK) return -1;
  if (bytes[afterCpu + ADDRESS_BYTES] !== BLANK) return -1;

  // The last eight digits of the time four by four, those before them one by one.
  const last = (view.getInt32(afterTime - 4, true) - FOUR_ZEROS) | 0;
  const middle = (view.getInt32(afterTime - 8, true) - FOUR_ZEROS) | 0;
  if ((notDigits(last) | notDigits(middle)) !== 0) return -1;
  let leading = 0;
  // Negative once a character was no digit.
  let sign = 0;
  for (let at = start + 2; at < afterTime - 8; at++) {
    const digit = bytes[at] ^ DIGIT_ZERO;
    sign |= 9 - digit;
    leading = (leading * 10 + digit) | 0;
  }
  let cpu = 0;
  for (let at = afterTime + 1; at < afterCpu; at++) {
    const digit = bytes[at] ^ DIGIT_ZERO;
    sign |= 9 - digit;
    cpu = cpu * 10 + digit;
  }
  if (sign < 0 || cpu !== batch.cpu) return -1;

  const a = view.getInt32(afterCpu + 1, true);
  const b = view.getInt32(afterCpu + 5, true);
  const c = view.getInt32(afterCpu + 9, true);
  const d = view.getInt32(afterCpu + 13, true);
  const { addresses } = memory;
  const place = ADDRESS_WORDS * addressPlace(c, d);
  const vq = addresses[place + 4];
  if (addresses[place] !== a || addresses[place + 1] !== b) return -1;
  if (addresses[place + 2] !== c || addresses[place + 3] !== d || vq < 0) return -1;

  let pos = afterCpu + ADDRESS_BYTES;
  let accessor = bytes[++pos] ^ DIGIT_ZERO;
  let after = bytes[++pos] ^ DIGIT_ZERO;
  if (after < 10 && accessor === 1) {
    accessor = 10 + after;
    after = bytes[++pos] ^ DIGIT_ZERO;
  }
  if (after !== BLANK_AFTER_XOR || accessor === 0 || accessor > MAX_ACCESSOR) return -1;
  // put_used has entries, which take a row of details.
  if (accessor === PUT_USED) return -1;
  const observed = bytes[++pos] ^ DIGIT_ZERO;
  if (observed > MAX_OBSERVED || bytes[++pos] !== BLANK) return -1;
  if ((bytes[++pos] ^ DIGIT_ZERO) > 9 || bytes[++pos] !== LF) return -1;

  combine(
    batch.time,
    2 * row,
    leading,
    0,
    100_000_000,
    fourDigits(middle) * 10_000 + fourDigits(last),
  );
  batch.kind[row] = ACCESS;
  batch.vq[row] = vq;
  batch.accessor[row] = accessor;
  batch.observed[row] = observed;
  batch.n[row] = 1;
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
