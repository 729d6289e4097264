/** Writes Thrift's compact protocol, in which Parquet tells what stands where. */
import {
  appendByte,
  appendBytes,
  appendVarint,
  createByteBuffer,
  type ByteBuffer,
} from '../byte-buffer.js';

export type ThriftValue =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly text: string | Uint8Array }
  | { readonly list: 'i32' | 'text' | 'struct'; readonly items: readonly ThriftValue[] }
  /** Structs that were written before. */
  | { readonly structs: Uint8Array; readonly count: number }
  | { readonly struct: ThriftStruct };

/** Values by field number, in rising order. */
export type ThriftStruct = readonly (readonly [number, ThriftValue | undefined])[];

const TYPES = { i32: 5, i64: 6, text: 8, list: 9, struct: 12 } as const;

export function thriftBytes(struct: ThriftStruct): Uint8Array {
  const buffer = createByteBuffer();
  appendStruct(buffer, struct);
  return buffer.bytes.slice(0, buffer.length);
}

/** A struct; fields without a value are left out. */
export function appendStruct(buffer: ByteBuffer, struct: ThriftStruct): void {
  let last = 0;
  for (const [field, value] of struct) {
    if (value === undefined) continue;
    appendByte(buffer, ((field - last) << 4) | typeOf(value));
    last = field;
    appendValue(buffer, value);
  }
  appendByte(buffer, 0);
}

function typeOf(value: ThriftValue): number {
  if ('i32' in value) return TYPES.i32;
  if ('i64' in value) return TYPES.i64;
  if ('text' in value) return TYPES.text;
  return 'struct' in value ? TYPES.struct : TYPES.list;
}

function appendValue(buffer: ByteBuffer, value: ThriftValue): void {
  if ('i32' in value) appendZigzag(buffer, value.i32);
  else if ('i64' in value) appendZigzag(buffer, value.i64);
  else if ('text' in value) appendBinary(buffer, value.text);
  else if ('struct' in value) appendStruct(buffer, value.struct);
  else if ('structs' in value) {
    appendListHead(buffer, 'struct', value.count);
    appendBytes(buffer, value.structs);
  } else {
    appendListHead(buffer, value.list, value.items.length);
    for (const item of value.items) appendValue(buffer, item);
  }
}

function appendListHead(buffer: ByteBuffer, type: 'i32' | 'text' | 'struct', items: number): void {
  const short = Math.min(items, 15);
  appendByte(buffer, (short << 4) | TYPES[type]);
  if (short === 15) appendVarint(buffer, items);
}

/** Numbers here are counts, sizes and codes: none is below zero. */
function appendZigzag(buffer: ByteBuffer, value: number): void {
  appendVarint(buffer, 2 * value);
}

function appendBinary(buffer: ByteBuffer, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  appendVarint(buffer, bytes.length);
  appendBytes(buffer, bytes);
}
