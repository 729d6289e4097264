import { BACKSLASH, LF, QUOTE } from './bytes.js';
import { QUIRKS } from './quirks.js';

/** A reused buffer that strings are unescaped into. */
export interface ByteSink {
  bytes: Uint8Array;
  /** Bytes in use. */
  length: number;
  /** Repair mask of what was undone; the caller clears it. */
  repairs: number;
  /** Set, and never cleared here, once a `\u` escape was seen. */
  sawUnicodeEscape: boolean;
}

/** An empty sink. */
export function createSink(): ByteSink {
  return { bytes: new Uint8Array(4096), length: 0, repairs: 0, sawUnicodeEscape: false };
}

/** Makes room for `extra` bytes after those in use. */
export function reserve(sink: ByteSink, extra: number): void {
  const needed = sink.length + extra;
  if (needed <= sink.bytes.length) return;
  const grown = new Uint8Array(Math.max(needed, 2 * sink.bytes.length));
  grown.set(sink.bytes.subarray(0, sink.length));
  sink.bytes = grown;
}

const HIGH_BYTES = QUIRKS['high-bytes'].bit;

/**
 * Undoes the escapes of a JSON string, from bytes to bytes: the result is what bpftrace was given,
 * before any decoding.
 *
 * bpftrace 0.17 prints a byte from 0x80 on as `\uffffffXX`, because its `char` is signed on x86;
 * other versions, and other processors, print it raw. Both come out as that byte. No version
 * prints U+FFFF itself as an escape, so the reading is unambiguous.
 *
 * @param pos - First byte after the opening quote.
 * @param end - Exclusive; the string does not go past a LF either.
 * @param sink - Appended to. It must have room for `end - pos` bytes: no escape grows.
 * @returns Index of the closing quote, or -1 when there is none or an escape is malformed.
 */
export function unescapeString(
  source: Uint8Array,
  pos: number,
  end: number,
  sink: ByteSink,
): number {
  const out = sink.bytes;
  let length = sink.length;
  while (pos < end) {
    const byte = source[pos];
    if (byte === QUOTE) {
      sink.length = length;
      return pos;
    }
    if (byte !== BACKSLASH) {
      if (byte === LF) return -1;
      out[length++] = byte;
      pos++;
      continue;
    }
    const escape = source[pos + 1];
    if (escape === 0x75 /* u */) {
      sink.length = length;
      pos = unescapeUnicode(source, pos, end, sink);
      if (pos < 0) return -1;
      length = sink.length;
      continue;
    }
    const plain = pos + 1 < end ? unescapeByte(escape) : -1;
    if (plain < 0) return -1;
    out[length++] = plain;
    pos += 2;
  }
  return -1;
}

/** The byte that a one-letter escape stands for, or -1. */
function unescapeByte(letter: number): number {
  switch (letter) {
    case 0x6e /* n */:
      return LF;
    case 0x74 /* t */:
      return 0x09;
    case 0x72 /* r */:
      return 0x0d;
    case QUOTE:
    case BACKSLASH:
    case 0x2f /* slash */:
      return letter;
    case 0x62 /* b */:
      return 0x08;
    case 0x66 /* f */:
      return 0x0c;
    default:
      return -1;
  }
}

/** Undoes one `\u` escape at `pos`. Returns the index after it, or -1. */
function unescapeUnicode(source: Uint8Array, pos: number, end: number, sink: ByteSink): number {
  sink.sawUnicodeEscape = true;
  const unit = hexAt(source, pos + 2, end, 4);
  if (unit < 0) return -1;
  if (unit === 0xffff) {
    const low = hexAt(source, pos + 6, end, 4);
    if (low >= 0xff80) {
      sink.bytes[sink.length++] = low & 0xff;
      sink.repairs |= HIGH_BYTES;
      return pos + 10;
    }
  }
  pos += 6;
  let codePoint = unit;
  if (unit >= 0xd800 && unit < 0xe000) {
    codePoint = 0xfffd;
    const second =
      source[pos] === BACKSLASH && source[pos + 1] === 0x75 ? hexAt(source, pos + 2, end, 4) : -1;
    if (unit < 0xdc00 && second >= 0xdc00 && second < 0xe000) {
      codePoint = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
      pos += 6;
    }
  }
  appendUtf8(sink, codePoint);
  return pos;
}

/** The value of `digits` hexadecimal digits at `pos`, or -1. */
function hexAt(source: Uint8Array, pos: number, end: number, digits: number): number {
  if (pos + digits > end) return -1;
  let value = 0;
  for (let i = pos; i < pos + digits; i++) {
    const byte = source[i];
    const lower = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) value = value * 16 + (byte - 0x30);
    else if (lower >= 0x61 && lower <= 0x66) value = value * 16 + (lower - 0x57);
    else return -1;
  }
  return value;
}

function appendUtf8(sink: ByteSink, codePoint: number): void {
  const out = sink.bytes;
  let length = sink.length;
  if (codePoint < 0x80) {
    out[length++] = codePoint;
  } else if (codePoint < 0x800) {
    out[length++] = 0xc0 | (codePoint >> 6);
    out[length++] = 0x80 | (codePoint & 0x3f);
  } else if (codePoint < 0x10000) {
    out[length++] = 0xe0 | (codePoint >> 12);
    out[length++] = 0x80 | ((codePoint >> 6) & 0x3f);
    out[length++] = 0x80 | (codePoint & 0x3f);
  } else {
    out[length++] = 0xf0 | (codePoint >> 18);
    out[length++] = 0x80 | ((codePoint >> 12) & 0x3f);
    out[length++] = 0x80 | ((codePoint >> 6) & 0x3f);
    out[length++] = 0x80 | (codePoint & 0x3f);
  }
  sink.length = length;
}
