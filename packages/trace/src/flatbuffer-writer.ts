/**
 * Writes flatbuffers from front to back, as far as an Arrow stream's messages need it: tables, each
 * behind its vtable, vectors and texts. What an offset leads to is written after it.
 */

export interface Flatbuffer {
  bytes: Uint8Array;
  view: DataView;
  length: number;
}

/** A field of a table: its number, its kind and its value, which is 0 for an offset. */
export type TableField = readonly [number: number, kind: FieldKind, value: number];

type FieldKind = 'u8' | 'i16' | 'i32' | 'offset' | 'i64';

const BYTES_OF_KIND: Readonly<Record<FieldKind, number>> = {
  u8: 1,
  i16: 2,
  i32: 4,
  offset: 4,
  i64: 8,
};
const TWO_32 = 0x1_0000_0000;
const FIRST_BYTES = 4096;

const encoder = new TextEncoder();

/** Where the offset to the root table stands. */
export const ROOT = 0;

/** An empty flatbuffer. */
export function createFlatbuffer(): Flatbuffer {
  const bytes = new Uint8Array(FIRST_BYTES);
  return { bytes, view: new DataView(bytes.buffer), length: 4 };
}

/** Forgets what was written; the memory stays. */
export function clearFlatbuffer(flat: Flatbuffer): void {
  flat.bytes.fill(0, 0, flat.length);
  flat.length = 4;
}

/** The bytes, padded to a multiple of eight. Valid until more is written. */
export function finishedBytes(flat: Flatbuffer): Uint8Array {
  reserve(flat, -flat.length & 7, 1);
  return flat.bytes.subarray(0, flat.length);
}

/**
 * Adds a table where the offset at `from` leads to. Returns the positions of its fields, as given;
 * offsets among them lead nowhere yet.
 */
export function addTable(flat: Flatbuffer, from: number, fields: readonly TableField[]): number[] {
  const vtableBytes = 4 + 2 * (1 + Math.max(-1, ...fields.map(([number]) => number)));
  const offsets: number[] = [];
  let tableBytes = 4;
  for (const [, kind] of fields) {
    const width = BYTES_OF_KIND[kind];
    tableBytes += -tableBytes & (width - 1);
    offsets.push(tableBytes);
    tableBytes += width;
  }
  const vtable = reserve(flat, vtableBytes, 2);
  // 64-bit fields lie at multiples of eight when the table does.
  const table = reserve(flat, tableBytes, 8);
  const { view } = flat;
  view.setUint32(from, table - from, true);
  view.setUint16(vtable, vtableBytes, true);
  view.setUint16(vtable + 2, tableBytes, true);
  view.setInt32(table, table - vtable, true);
  for (const [at, [number, kind, value]] of fields.entries()) {
    view.setUint16(vtable + 4 + 2 * number, offsets[at], true);
    setValue(view, table + offsets[at], kind, value);
  }
  return offsets.map((offset) => table + offset);
}

function setValue(view: DataView, at: number, kind: FieldKind, value: number): void {
  if (kind === 'u8') view.setUint8(at, value);
  else if (kind === 'i16') view.setInt16(at, value, true);
  else if (kind === 'i32') view.setInt32(at, value, true);
  else if (kind === 'i64') setCount(view, at, value);
}

/** Adds a text where the offset at `from` leads to. Returns where its first byte stands. */
export function addText(flat: Flatbuffer, from: number, text: string): number {
  const encoded = encoder.encode(text);
  // A zero ends it.
  const at = reserve(flat, 4 + encoded.length + 1, 4);
  flat.view.setUint32(from, at - from, true);
  flat.view.setUint32(at, encoded.length, true);
  flat.bytes.set(encoded, at + 4);
  return at + 4;
}

/** Adds a vector of offsets where the offset at `from` leads to. Returns the positions of its elements. */
export function addOffsets(flat: Flatbuffer, from: number, count: number): number[] {
  const at = reserve(flat, 4 + 4 * count, 4);
  flat.view.setUint32(from, at - from, true);
  flat.view.setUint32(at, count, true);
  return Array.from({ length: count }, (_, i) => at + 4 + 4 * i);
}

/** Adds a vector of structs of two 64-bit counts each where the offset at `from` leads to. */
export function addCountPairs(flat: Flatbuffer, from: number, counts: Float64Array): void {
  // The elements lie at multiples of eight, their number before them.
  reserve(flat, (4 - flat.length) & 7, 1);
  const at = reserve(flat, 4 + 8 * counts.length, 4);
  const { view } = flat;
  view.setUint32(from, at - from, true);
  view.setUint32(at, counts.length / 2, true);
  for (let i = 0; i < counts.length; i++) setCount(view, at + 4 + 8 * i, counts[i]);
}

function setCount(view: DataView, at: number, count: number): void {
  view.setUint32(at, count >>> 0, true);
  view.setUint32(at + 4, Math.floor(count / TWO_32), true);
}

/** Makes room for zeros at a multiple of `align`. Returns where they begin. */
function reserve(flat: Flatbuffer, count: number, align: number): number {
  const at = flat.length + (-flat.length & (align - 1));
  flat.length = at + count;
  if (flat.length > flat.bytes.length) {
    const larger = new Uint8Array(2 * flat.length);
    larger.set(flat.bytes);
    flat.bytes = larger;
    flat.view = new DataView(larger.buffer);
  }
  return at;
}
