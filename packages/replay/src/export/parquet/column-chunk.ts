/**
 * One column of a row group: collects values, and turns them into the pages of a Parquet file. A row without a
 * value costs nothing: nulls are runs between values.
 */
import { gzipSync } from 'node:zlib';
import {
  appendByte,
  appendBytes,
  appendVarint,
  appendWord,
  createByteBuffer,
  type ByteBuffer,
} from '../byte-buffer.js';
import { CODEC, ENCODING, PAGE } from './parquet-schema.js';
import { thriftBytes } from './thrift.js';

/** 32 or 64 bits, or text. */
export type Physical = 'int32' | 'int64' | 'text';

export interface ColumnChunk {
  readonly physical: Physical;
  /** Whether rows may have no value. */
  readonly isOptional: boolean;
  /** 32 bits a value; 64 bits as two words, low first; of a text its number in the dictionary. */
  values: Uint32Array;
  count: number;
  /** Definition levels so far, as runs, and the run that is not written yet. */
  readonly levels: ByteBuffer;
  isPresent: boolean;
  run: number;
  /** Rows so far. */
  rows: number;
  /** Texts by their number. */
  readonly numbers: Map<string, number>;
  readonly dictionary: ByteBuffer;
}

export function createColumnChunk(physical: Physical, isOptional: boolean): ColumnChunk {
  return {
    physical,
    isOptional,
    values: new Uint32Array(0),
    count: 0,
    levels: createByteBuffer(16),
    isPresent: false,
    run: 0,
    rows: 0,
    numbers: new Map(),
    dictionary: createByteBuffer(16),
  };
}

/** The row of that number, from 0, has the value of this word; rows are put in rising order. HOT. */
export function putWord(chunk: ColumnChunk, row: number, value: number): void {
  place(chunk, row);
  if (chunk.count === chunk.values.length) grow(chunk);
  chunk.values[chunk.count++] = value;
}

/** Likewise, of two words. HOT. */
export function putWords(chunk: ColumnChunk, row: number, low: number, high: number): void {
  place(chunk, row);
  if (chunk.count + 2 > chunk.values.length) grow(chunk);
  chunk.values[chunk.count++] = low;
  chunk.values[chunk.count++] = high;
}

export function putText(chunk: ColumnChunk, row: number, text: string): void {
  let number = chunk.numbers.get(text);
  if (number === undefined) {
    number = chunk.numbers.size;
    chunk.numbers.set(text, number);
    const bytes = Buffer.from(text, 'utf8');
    appendWord(chunk.dictionary, bytes.length);
    appendBytes(chunk.dictionary, bytes);
  }
  putWord(chunk, row, number);
}

function grow(chunk: ColumnChunk): void {
  const larger = new Uint32Array(Math.max(1024, 2 * chunk.values.length));
  larger.set(chunk.values);
  chunk.values = larger;
}

function place(chunk: ColumnChunk, row: number): void {
  if (row > chunk.rows) extendRun(chunk, false, row - chunk.rows);
  extendRun(chunk, true, 1);
  chunk.rows = row + 1;
}

function extendRun(chunk: ColumnChunk, isPresent: boolean, rows: number): void {
  if (isPresent !== chunk.isPresent) {
    endRun(chunk);
    chunk.isPresent = isPresent;
  }
  chunk.run += rows;
}

function endRun(chunk: ColumnChunk): void {
  if (chunk.run === 0) return;
  appendVarint(chunk.levels, 2 * chunk.run);
  appendByte(chunk.levels, chunk.isPresent ? 1 : 0);
  chunk.run = 0;
}

/** Pages of a column, and what the footer says of them. */
export interface WrittenChunk {
  readonly bytes: Uint8Array;
  /** Where the data page begins in `bytes`; a dictionary stands before it when it is not 0. */
  readonly dataAt: number;
  readonly uncompressed: number;
  readonly codec: number;
  readonly encodings: readonly number[];
  readonly nulls: number;
  /** Least and greatest word, or pair of words; undefined of text, and of no value at all. */
  readonly bounds: { readonly least: Uint8Array; readonly most: Uint8Array } | undefined;
}

/** Ends the column after so many rows, and empties it for the next row group. */
export function writeChunk(chunk: ColumnChunk, rows: number, isSigned: boolean): WrittenChunk {
  if (rows > chunk.rows) extendRun(chunk, false, rows - chunk.rows);
  endRun(chunk);
  const { physical, count, numbers, dictionary } = chunk;
  const values = physical === 'int64' ? count / 2 : count;
  const codec = count > 0 ? CODEC.gzip : CODEC.uncompressed;
  const isIndexed = numbers.size > 0;
  const out = createByteBuffer(1 << 12);
  let uncompressed = 0;
  if (isIndexed) {
    const content = dictionary.bytes.subarray(0, dictionary.length);
    uncompressed += appendPage(out, PAGE.dictionary, content, codec, numbers.size);
  }
  const dataAt = out.length;
  const content = dataOf(chunk, isIndexed);
  uncompressed += appendPage(out, PAGE.data, content, codec, rows, isIndexed);
  const written: WrittenChunk = {
    bytes: out.bytes.subarray(0, out.length),
    dataAt,
    uncompressed,
    codec,
    encodings: isIndexed
      ? [ENCODING.plain, ENCODING.rle, ENCODING.dictionary]
      : [ENCODING.plain, ENCODING.rle],
    nulls: rows - values,
    bounds: boundsOf(chunk, isSigned),
  };
  chunk.count = 0;
  chunk.rows = 0;
  chunk.levels.length = 0;
  chunk.isPresent = false;
  numbers.clear();
  dictionary.length = 0;
  return written;
}

/** Definition levels, if any, and values. */
function dataOf(
  { isOptional, levels, values, count, numbers }: ColumnChunk,
  isIndexed: boolean,
): Uint8Array {
  const content = createByteBuffer(levels.length + 4 * count + 64);
  if (isOptional) {
    appendWord(content, levels.length);
    appendBytes(content, levels.bytes.subarray(0, levels.length));
  }
  if (isIndexed) appendNumbers(content, values.subarray(0, count), numbers.size);
  // Machines on which Node runs are little-endian, as the file is.
  else appendBytes(content, new Uint8Array(values.buffer, 0, 4 * count));
  return content.bytes.subarray(0, content.length);
}

/** Numbers of a dictionary as one bit-packed run; of 8, 16 or 32 bits, so that packing is copying. */
function appendNumbers(content: ByteBuffer, numbers: Uint32Array, size: number): void {
  const packed =
    size <= 1 << 8
      ? Uint8Array.from(numbers)
      : size <= 1 << 16
        ? Uint16Array.from(numbers)
        : numbers;
  const groups = Math.ceil(numbers.length / 8);
  appendByte(content, 8 * packed.BYTES_PER_ELEMENT);
  appendVarint(content, 2 * groups + 1);
  appendBytes(content, new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength));
  for (let missing = 8 * groups - numbers.length; missing > 0; missing--)
    for (let byte = 0; byte < packed.BYTES_PER_ELEMENT; byte++) appendByte(content, 0);
}

/** Returns the bytes that it would have without compression. */
function appendPage(
  out: ByteBuffer,
  page: number,
  content: Uint8Array,
  codec: number,
  values: number,
  isIndexed = false,
): number {
  const body = codec === CODEC.gzip ? gzipSync(content, { level: 1 }) : content;
  const header = thriftBytes([
    [1, { i32: page }],
    [2, { i32: content.length }],
    [3, { i32: body.length }],
    [
      5,
      page === PAGE.data
        ? {
            struct: [
              [1, { i32: values }],
              [2, { i32: isIndexed ? ENCODING.dictionary : ENCODING.plain }],
              [3, { i32: ENCODING.rle }],
              [4, { i32: ENCODING.rle }],
            ],
          }
        : undefined,
    ],
    [
      7,
      page === PAGE.dictionary
        ? {
            struct: [
              [1, { i32: values }],
              [2, { i32: ENCODING.plain }],
            ],
          }
        : undefined,
    ],
  ]);
  appendBytes(out, header);
  appendBytes(out, body);
  return header.length + content.length;
}

function boundsOf(
  { physical, values, count }: ColumnChunk,
  isSigned: boolean,
): WrittenChunk['bounds'] {
  if (physical === 'text' || count === 0) return undefined;
  const words = physical === 'int64' ? 2 : 1;
  let least = 0;
  let most = 0;
  for (let at = words; at < count; at += words) {
    if (isBelow(values, at, least, words, isSigned)) least = at;
    if (isBelow(values, most, at, words, isSigned)) most = at;
  }
  const bytesAt = (at: number): Uint8Array => new Uint8Array(values.slice(at, at + words).buffer);
  return { least: bytesAt(least), most: bytesAt(most) };
}

function isBelow(
  values: Uint32Array,
  a: number,
  b: number,
  words: number,
  isSigned: boolean,
): boolean {
  const highA = values[a + words - 1] ?? 0;
  const highB = values[b + words - 1] ?? 0;
  if (highA !== highB) return isSigned ? (highA | 0) < (highB | 0) : highA < highB;
  return words === 2 && (values[a] ?? 0) < (values[b] ?? 0);
}
