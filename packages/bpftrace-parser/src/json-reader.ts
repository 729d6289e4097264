import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  ZERO,
  decodeUtf8,
} from './bytes.js';
import { type ByteSink, reserve, unescapeString } from './escapes.js';
import { type Reader, endsValue, isSpace, peek } from './json-cursor.js';
import { readUnquoted } from './json-repair.js';
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
  const scalar = readInteger(reader) ?? readWord(reader);
  if (scalar !== undefined && endsValue(reader, inObject)) return scalar;
  if (!reader.lenient || reader.depth === 0) return undefined;
  reader.pos = start;
  return readUnquoted(reader, inObject);
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

/**
 * An integer. No version prints fractions or exponents: what looks like one is the text of a
 * strftime(), or a count in hexadecimal, and the business of {@link readUnquoted}.
 */
function readInteger(reader: Reader): number | bigint | undefined {
  const { bytes } = reader;
  const start = reader.pos;
  if (bytes[start] === MINUS) reader.pos++;
  const leading = bytes[reader.pos];
  const digits = readDigits(reader);
  if (digits === 0 || digits > MAX_INTEGER_DIGITS) return undefined;
  if (leading === ZERO && digits > 1) return undefined;
  return parseInteger(decodeUtf8(bytes, start, reader.pos));
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
