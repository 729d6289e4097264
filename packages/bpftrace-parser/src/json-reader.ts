import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  CR,
  DOT,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB,
  ZERO,
  decodeUtf8,
} from './bytes.js';
import { type ByteSink, reserve, unescapeString } from './escapes.js';
import { QUIRKS } from './quirks.js';

/**
 * A JSON reader for the records of bpftrace. It differs from JSON.parse in what it keeps (integers
 * of any size, members in order and twice, bytes until they are decoded) and in what it forgives:
 * when lenient, the malformations in {@link QUIRKS}. It fails by returning undefined.
 */
export type JsonValue = number | bigint | string | boolean | null | JsonArray | JsonObject;

/** A JSON array. */
export type JsonArray = readonly JsonValue[];

/** A JSON object, as printed. */
export interface JsonObject {
  readonly members: readonly JsonMember[];
  /** A blank follows the brace. bpftrace 0.12 to 0.23 print structs, and little else, so. */
  readonly padded: boolean;
}

/** A member of a JSON object. */
export interface JsonMember {
  readonly name: string;
  readonly value: JsonValue;
}

/** Narrows to an object. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && 'members' in value;
}

/** Containers within containers; bpftrace itself nests a handful deep. */
const MAX_DEPTH = 64;
/** bpftrace prints at most 64 bits; BigInt() of a whole line of digits would take seconds. */
const MAX_INTEGER_DIGITS = 39;

interface Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly lenient: boolean;
  readonly sink: ByteSink;
  pos: number;
  depth: number;
}

/**
 * Reads the records on one line: an object, or several in the array form that some tools write,
 * `[{...},`, `{...},`, `{...}]`.
 *
 * @param end - Exclusive; index of the line's LF.
 * @param sink - Scratch space; its `repairs` gain the quirks that were undone.
 * @returns The records, at least one, or undefined when the line is anything else.
 */
export function readRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  lenient: boolean,
  sink: ByteSink,
): JsonObject[] | undefined {
  sink.length = 0;
  reserve(sink, end - start);
  const reader: Reader = { bytes, end, lenient, sink, pos: start, depth: 0 };
  const records: JsonObject[] = [];
  skipArrayPunctuation(reader);
  while (reader.pos < end) {
    const value = readValue(reader, false);
    if (!isObject(value)) return undefined;
    records.push(value);
    skipArrayPunctuation(reader);
  }
  return records.length > 0 ? records : undefined;
}

function skipArrayPunctuation(reader: Reader): void {
  for (; reader.pos < reader.end; reader.pos++) {
    const byte = reader.bytes[reader.pos];
    if (byte !== COMMA && byte !== OPEN_BRACKET && byte !== CLOSE_BRACKET && !isSpace(byte)) return;
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR;
}

/** Skips blanks; returns the byte there, or -1 at the end. */
function peek(reader: Reader): number {
  while (reader.pos < reader.end && isSpace(reader.bytes[reader.pos])) reader.pos++;
  return reader.pos < reader.end ? reader.bytes[reader.pos] : -1;
}

function readValue(reader: Reader, inObject: boolean): JsonValue | undefined {
  const byte = peek(reader);
  if (byte === QUOTE) return readString(reader);
  if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
    if (reader.depth === MAX_DEPTH) return undefined;
    reader.depth++;
    const container = byte === OPEN_BRACE ? readObject(reader) : readArray(reader);
    reader.depth--;
    return container;
  }
  const start = reader.pos;
  const scalar = readNumber(reader) ?? readWord(reader);
  if (scalar !== undefined && endsValue(reader)) return scalar;
  if (!reader.lenient || reader.depth === 0) return undefined;
  reader.pos = start;
  return readBare(reader, inObject);
}

/** Whether the value before the position may end there. */
function endsValue(reader: Reader): boolean {
  const byte = peek(reader);
  return byte === -1 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET;
}

function readString(reader: Reader): string | undefined {
  const { sink } = reader;
  sink.length = 0;
  const quote = unescapeString(reader.bytes, reader.pos + 1, reader.end, sink);
  if (quote < 0) return undefined;
  reader.pos = quote + 1;
  return decodeUtf8(sink.bytes, 0, sink.length);
}

function readObject(reader: Reader): JsonObject | undefined {
  reader.pos++;
  const padded = reader.bytes[reader.pos] === SPACE;
  const members: JsonMember[] = [];
  while (peek(reader) !== CLOSE_BRACE) {
    if (members.length > 0 && !readComma(reader)) return undefined;
    if (peek(reader) !== QUOTE) return undefined;
    const name = readString(reader);
    if (name === undefined || peek(reader) !== COLON) return undefined;
    reader.pos++;
    const value = readValue(reader, true);
    if (value === undefined) return undefined;
    members.push({ name, value });
  }
  reader.pos++;
  return { members, padded };
}

function readArray(reader: Reader): JsonArray | undefined {
  reader.pos++;
  const elements: JsonValue[] = [];
  while (peek(reader) !== CLOSE_BRACKET) {
    if (elements.length > 0 && !readComma(reader)) return undefined;
    const value = readValue(reader, false);
    if (value === undefined) return undefined;
    elements.push(value);
  }
  reader.pos++;
  return elements;
}

/** bpftrace 0.24 prints no comma between the points of a tseries: `[{...}{...}]`. */
function readComma(reader: Reader): boolean {
  const byte = peek(reader);
  if (byte === COMMA) {
    reader.pos++;
    return true;
  }
  if (!reader.lenient || byte !== OPEN_BRACE) return false;
  reader.sink.repairs |= QUIRKS['missing-comma'].bit;
  return true;
}

function readDigits(reader: Reader): number {
  const start = reader.pos;
  while (reader.pos < reader.end) {
    const byte = reader.bytes[reader.pos];
    if (byte < ZERO || byte > NINE) break;
    reader.pos++;
  }
  return reader.pos - start;
}

/** A number, from its text: an integer that a double cannot hold exactly is a bigint. */
function readNumber(reader: Reader): number | bigint | undefined {
  const { bytes } = reader;
  const start = reader.pos;
  if (bytes[start] === MINUS) reader.pos++;
  const leading = bytes[reader.pos];
  const digits = readDigits(reader);
  if (digits === 0 || digits > MAX_INTEGER_DIGITS) return undefined;
  if (leading === ZERO && digits > 1) return undefined;
  let integer = true;
  if (reader.pos < reader.end && bytes[reader.pos] === DOT) {
    integer = false;
    reader.pos++;
    if (readDigits(reader) === 0) return undefined;
  }
  if (reader.pos < reader.end && (bytes[reader.pos] | 0x20) === 0x65 /* e */) {
    integer = false;
    reader.pos++;
    const sign = bytes[reader.pos];
    if (sign === MINUS || sign === 0x2b /* + */) reader.pos++;
    if (readDigits(reader) === 0) return undefined;
  }
  const text = decodeUtf8(bytes, start, reader.pos);
  return integer ? parseInteger(text) : Number(text);
}

/** A decimal integer, exactly: a number where that is possible, else a bigint. */
export function parseInteger(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

const WORDS: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

function readWord(reader: Reader): boolean | null | undefined {
  for (const [word, value] of WORDS) {
    const end = reader.pos + word.length;
    if (end <= reader.end && decodeUtf8(reader.bytes, reader.pos, end) === word) {
      reader.pos = end;
      return value;
    }
  }
  return undefined;
}

/** What stands where a value should and is none: a string without its quotes, or nothing. */
function readBare(reader: Reader, inObject: boolean): JsonValue | undefined {
  const start = reader.pos;
  const end = inObject ? bareMemberEnd(reader) : bareElementEnd(reader);
  if (end < 0) return undefined;
  reader.pos = end;
  const text = decodeUtf8(reader.bytes, start, end).trim();
  if (text === '') {
    reader.sink.repairs |= QUIRKS['empty-value'].bit;
    return null;
  }
  if (/^0x[0-9a-fA-F]{1,16}$/.test(text)) {
    reader.sink.repairs |= QUIRKS['hex-integer'].bit;
    const value = BigInt(text);
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }
  reader.sink.repairs |= QUIRKS['bare-value'].bit;
  return text;
}

/** A bare member ends before `, "next":`, or where just enough closers are left on the line. */
function bareMemberEnd(reader: Reader): number {
  const { bytes, end } = reader;
  for (let i = reader.pos; i < end; i++) {
    if (bytes[i] !== COMMA) continue;
    let open = i + 1;
    while (open < end && bytes[open] === SPACE) open++;
    if (bytes[open] !== QUOTE) continue;
    let close = open + 1;
    while (close < end && bytes[close] !== QUOTE) close += bytes[close] === BACKSLASH ? 2 : 1;
    if (close < end && bytes[close + 1] === COLON) return i;
    i = open;
  }
  return beforeClosers(reader);
}

function bareElementEnd(reader: Reader): number {
  const comma = reader.bytes.indexOf(COMMA, reader.pos);
  return comma >= 0 && comma < reader.end ? comma : beforeClosers(reader);
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
