/** Byte values that the output of bpftrace is built from, and its decoding. */

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const ZERO = 0x30;
export const NINE = 0x39;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

// A byte order mark is data here: a process may have put it into its name.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Decodes UTF-8; what is not valid becomes U+FFFD. `end` is exclusive. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** Encodes as UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Whether `prefix` stands at `pos`, before `end`. */
export function startsWithBytes(
  bytes: Uint8Array,
  pos: number,
  end: number,
  prefix: Uint8Array,
): boolean {
  const length = prefix.length;
  if (end - pos < length) return false;
  for (let i = 0; i < length; i++) {
    if (bytes[pos + i] !== prefix[i]) return false;
  }
  return true;
}

/** Whether all of `[start, end)` is blanks. */
export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte !== SPACE && byte !== TAB && byte !== CR) return false;
  }
  return true;
}
