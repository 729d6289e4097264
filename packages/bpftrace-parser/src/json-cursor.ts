import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  CR,
  QUOTE,
  SPACE,
  TAB,
} from './bytes.js';
import type { ByteSink } from './escapes.js';

/** Where the JSON reader is on its line. */
export interface Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly lenient: boolean;
  readonly sink: ByteSink;
  pos: number;
  depth: number;
}

/** Whether JSON has it between its tokens; a LF ends the line. */
export function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR;
}

/** Skips blanks; returns the byte there, or -1 at the end. */
export function peek(reader: Reader): number {
  while (reader.pos < reader.end && isSpace(reader.bytes[reader.pos])) reader.pos++;
  return reader.pos < reader.end ? reader.bytes[reader.pos] : -1;
}

/**
 * Whether the value before the position may end there. When lenient, a comma ends a member only
 * where another one follows: an unquoted `27, Nov` is one value.
 */
export function endsValue(reader: Reader, inObject: boolean): boolean {
  const byte = peek(reader);
  if (byte === COMMA && inObject && reader.lenient) {
    return memberFollows(reader, reader.pos + 1);
  }
  return byte === -1 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET;
}

/** Whether blanks and `"name":` stand there. */
export function memberFollows({ bytes, end }: Reader, pos: number): boolean {
  let open = pos;
  while (open < end && isSpace(bytes[open])) open++;
  if (bytes[open] !== QUOTE) return false;
  let close = open + 1;
  while (close < end && bytes[close] !== QUOTE) close += bytes[close] === BACKSLASH ? 2 : 1;
  return close < end && bytes[close + 1] === COLON;
}
