/**
 * Exact 64-bit numbers from text, as pairs of 32-bit words, low first. HOT: several per line of an
 * import. Benchmark: `pnpm bench`.
 */

const POW10 = Float64Array.from({ length: 10 }, (_, exponent) => 10 ** exponent);
const TWO_16 = 0x1_0000;
const TWO_32 = 0x1_0000_0000;

/** Value of a character as a lower-case hexadecimal digit; 255 for others. */
export const HEX_DIGIT: Uint8Array = (() => {
  const values = new Uint8Array(256).fill(255);
  for (let digit = 0; digit < 16; digit++) values[digit.toString(16).charCodeAt(0)] = digit;
  return values;
})();

/**
 * Reads up to 19 digits at `pos` into two words, exactly. Groups of nine digits stay in 32-bit
 * integers; their combination goes through doubles in steps that never pass 2^53.
 *
 * @returns index of the first byte that is no digit (a 20th digit is consumed and left to the caller)
 */
export function readDecimal(
  bytes: Uint8Array,
  pos: number,
  words: Uint32Array,
  word: number,
): number {
  let low = 0;
  let high = 0;
  for (let group = 0; group < 3; group++) {
    let value = 0;
    const first = pos;
    const limit = group === 2 ? pos + 2 : pos + 9;
    while (pos < limit) {
      const digit = bytes[pos] - 0x30;
      if (digit < 0 || digit > 9) break;
      value = (value * 10 + digit) | 0;
      pos++;
    }
    if (group === 0) {
      low = value;
      if (pos < limit) break;
      continue;
    }
    combine(words, word, low, high, POW10[pos - first], value);
    low = words[word];
    high = words[word + 1];
    if (pos < limit) break;
  }
  words[word] = low;
  words[word + 1] = high;
  return pos;
}

/**
 * (high, low) * power + more, in two words, exactly: low * power is taken in halves of 16 bits, so that
 * no step passes 2^53. `power` and `more` are at most 10^9, the result below 2^64.
 */
export function combine(
  words: Uint32Array,
  word: number,
  low: number,
  high: number,
  power: number,
  more: number,
): void {
  const lowPart = (low & 0xffff) * power + more;
  const midPart = (low >>> 16) * power;
  const midHigh = Math.floor(midPart / TWO_16);
  const sum = (midPart - midHigh * TWO_16) * TWO_16 + lowPart;
  const carry = Math.floor(sum / TWO_32);
  words[word] = sum - carry * TWO_32;
  words[word + 1] = high * power + midHigh + carry;
}
