import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  NINE,
  OPEN_BRACKET,
  ZERO,
  decodeUtf8,
} from './bytes.js';
import { type Reader, endsValue, isSpace, memberFollows } from './json-cursor.js';
import { QUIRKS } from './quirks.js';

/**
 * What stands where a value should and is none: a pointer, a string without its quotes, or nothing.
 *
 * @returns undefined when the line cannot be made to fit.
 */
export function readUnquoted(
  reader: Reader,
  inObject: boolean,
): number | bigint | string | null | undefined {
  return readHex(reader, inObject) ?? readBare(reader, inObject);
}

/** A pointer without quotes, `0xffff888012345678`. */
function readHex(reader: Reader, inObject: boolean): number | bigint | undefined {
  const start = reader.pos;
  const end = wordEnd(reader);
  const text = end - start <= 18 ? decodeUtf8(reader.bytes, start, end) : '';
  reader.pos = end;
  if (/^0x[0-9a-fA-F]{1,16}$/.test(text) && endsValue(reader, inObject)) {
    reader.sink.repairs |= QUIRKS['hex-integer'].bit;
    const value = BigInt(text);
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }
  reader.pos = start;
  return undefined;
}

/** Index after the letters and digits at the position. */
function wordEnd(reader: Reader): number {
  let pos = reader.pos;
  while (pos < reader.end && isWordByte(reader.bytes[pos])) pos++;
  return pos;
}

function isWordByte(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= ZERO && byte <= NINE) || (lower >= 0x61 && lower <= 0x7a);
}

function readBare(reader: Reader, inObject: boolean): string | null | undefined {
  const start = reader.pos;
  const end = bareEnd(reader, inObject);
  if (end < 0) return undefined;
  reader.pos = end;
  const text = decodeUtf8(reader.bytes, start, end).trim();
  reader.sink.repairs |= QUIRKS[text === '' ? 'empty-value' : 'bare-value'].bit;
  return text === '' ? null : text;
}

function bareEnd(reader: Reader, inObject: boolean): number {
  if (!inObject) return bareElementEnd(reader);
  // A count in hexadecimal: the record goes on behind its object, which a string's does not.
  const end = wordEnd(reader);
  if (end > reader.pos && reader.bytes[end] === CLOSE_BRACE) return end;
  return bareMemberEnd(reader);
}

/** A bare member ends before `, "next":`, or where just enough closers are left on the line. */
function bareMemberEnd(reader: Reader): number {
  const { bytes, end } = reader;
  for (let i = reader.pos; i < end; i++) {
    if (bytes[i] === COMMA && memberFollows(reader, i + 1)) return i;
  }
  return beforeClosers(reader);
}

/** A bare element ends at a comma, or at the bracket that closes its array. */
function bareElementEnd(reader: Reader): number {
  const { bytes, end } = reader;
  let open = 0;
  for (let i = reader.pos; i < end; i++) {
    const byte = bytes[i];
    if (byte === COMMA) return i;
    if (byte === OPEN_BRACKET) open++;
    else if (byte === CLOSE_BRACKET && open-- === 0) return i;
  }
  return -1;
}

/** Index of the closer of the innermost open container, if the rest of the line only closes. */
function beforeClosers(reader: Reader): number {
  let closers = 0;
  for (let i = reader.end - 1; i >= reader.pos; i--) {
    const byte = reader.bytes[i];
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (++closers === reader.depth) return i;
    } else if (!isSpace(byte) && !(byte === COMMA && closers === 0)) {
      return -1;
    }
  }
  return -1;
}
