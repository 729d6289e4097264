/**
 * Decimal digits read four at a time, as a little-endian word. HOT: several per line of an import.
 * Benchmark: `pnpm bench`.
 */

const DIGIT_ZERO = 0x30;

/** Four characters `0`, as a word: what is left when they are taken off are values. */
export const FOUR_ZEROS = 0x3030_3030;

/** Not 0 when one of the four bytes is above 9; the bytes are characters less FOUR_ZEROS. */
export function notDigits(bytes: number): number {
  return ((bytes + 0x7676_7676) | bytes) & 0x8080_8080;
}

/** Four digits, the first in the lowest byte, as one number: by pairs, then both pairs. */
export function fourDigits(bytes: number): number {
  const pairs = (Math.imul(bytes, 10) + (bytes >>> 8)) & 0x00ff_00ff;
  return Math.imul(pairs & 0xff, 100) + (pairs >>> 16);
}

/** Up to nine digits as a number, -1 when one of the characters is none. */
export function readDigits(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = bytes[at + i] ^ DIGIT_ZERO;
    if (digit > 9) return -1;
    value = (value * 10 + digit) | 0;
  }
  return value;
}

/** Index of the first byte from `at` on that is no digit, `limit` at most. */
export function skipDigits(bytes: Uint8Array, at: number, limit: number): number {
  while (at < limit && (bytes[at] ^ DIGIT_ZERO) <= 9) at++;
  return at;
}

/** Mask for the first bytes of a word, up to all four. */
export function firstBytes(count: number): number {
  return count >= 4 ? -1 : (1 << (8 * count)) - 1;
}
