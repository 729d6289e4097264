/**
 * Printable bytes that are to be found again, of the hot paths: eight at once, as doubles, of which the last may overlap
 * the one before. Such bytes are never those of a NaN or a zero, so that two are equal when all their bytes are.
 */

export interface Literal {
  length: number;
  readonly doubles: Float64Array;
}

/** The same of 4 to 8 bytes, as two words that overlap, or of 8 to 16, as two doubles that do. */
export interface ShortLiteral {
  length: number;
  firstWord: number;
  lastWord: number;
  firstDouble: number;
  lastDouble: number;
}

/** Bytes of the longest and of the shortest literal. */
export const MAX_LITERAL_BYTES = 128;
const MIN_LITERAL_BYTES = 8;
export const MAX_SHORT_BYTES = 16;
export const MIN_SHORT_BYTES = 4;

export function emptyLiteral(): Literal {
  return { length: 0, doubles: new Float64Array(MAX_LITERAL_BYTES / 8) };
}

export function emptyShort(): ShortLiteral {
  return { length: 0, firstWord: 0, lastWord: 0, firstDouble: 0, lastDouble: 0 };
}

/** Whether these bytes can be a literal. */
export function isPlain(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < MIN_LITERAL_BYTES || length > MAX_LITERAL_BYTES) return false;
  return arePrintable(bytes, start, end);
}

export function arePrintable(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] < 0x20 || bytes[at] > 0x7e) return false;
  return true;
}

export function keepLiteral(literal: Literal, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  literal.length = length;
  const last = (length - 1) >> 3;
  for (let i = 0; i < last; i++) literal.doubles[i] = view.getFloat64(8 * i, true);
  literal.doubles[last] = view.getFloat64(length - 8, true);
}

export function keepShort(
  literal: ShortLiteral,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const length = end - start;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  literal.length = length;
  literal.firstWord = view.getInt32(0, true);
  literal.lastWord = view.getInt32(length - 4, true);
  literal.firstDouble = length < 8 ? 0 : view.getFloat64(0, true);
  literal.lastDouble = length < 8 ? 0 : view.getFloat64(length - 8, true);
}

export function isLiteral(view: DataView, at: number, { length, doubles }: Literal): boolean {
  const last = (length - 1) >> 3;
  for (let i = 0; i < last; i++) if (view.getFloat64(at + 8 * i, true) !== doubles[i]) return false;
  return view.getFloat64(at + length - 8, true) === doubles[last];
}

export function isShort(view: DataView, at: number, literal: ShortLiteral): boolean {
  const { length } = literal;
  return length < 8
    ? view.getInt32(at, true) === literal.firstWord &&
        view.getInt32(at + length - 4, true) === literal.lastWord
    : view.getFloat64(at, true) === literal.firstDouble &&
        view.getFloat64(at + length - 8, true) === literal.lastDouble;
}
