/**
 * Writes the metadata of a record batch's message (flatbuffers), the counterpart of
 * `message-reader.ts`. arrow-js makes an object of every node and buffer and copies them several times:
 * that took as long as writing the columns. Its tests read what is written here with arrow-js.
 *
 * All offsets but those of the texts at the end are known beforehand, as every batch has the same
 * columns; each table's vtable stands before it.
 */
import { BUFFER_COUNT, NODE_COUNT } from './arrow-layout.js';

/** What a batch's message says of its columns, filled anew for every batch. */
export interface BatchShape {
  rows: number;
  bodyBytes: number;
  /** Length and nulls of every node, in the order of the schema. */
  readonly nodes: Float64Array;
  /** Offset in the body and length of every buffer, in the order of the schema. */
  readonly buffers: Float64Array;
}

export function createBatchShape(): BatchShape {
  return {
    rows: 0,
    bodyBytes: 0,
    nodes: new Float64Array(2 * NODE_COUNT),
    buffers: new Float64Array(2 * BUFFER_COUNT),
  };
}

const CONTINUATION = 0xffff_ffff;
/** The continuation mark and the length of the metadata. */
const PREFIX_BYTES = 8;
const METADATA_V5 = 4;
const RECORD_BATCH = 3;

/** Offsets from the start of the metadata. 64-bit values lie at multiples of eight. */
const MESSAGE_VTABLE = 4;
const MESSAGE = 24;
const MESSAGE_FIELDS = { version: 4, headerType: 6, header: 8, pairs: 12, bodyLength: 16, end: 24 };
const BATCH_VTABLE = 48;
const BATCH = 64;
const BATCH_FIELDS = { nodes: 4, length: 8, buffers: 16, end: 20 };
const NODES = 84;
const BUFFERS = NODES + 4 + 16 * NODE_COUNT + 4;
const PAIRS = BUFFERS + 4 + 16 * BUFFER_COUNT;
/** Of a pair: its vtable of eight bytes, then the table. */
const PAIR_VTABLE_BYTES = 8;
const PAIR_FIELDS = { key: 4, value: 8, end: 12 };

const encoder = new TextEncoder();

/**
 * The message of a batch, with its prefix, padded to a multiple of eight bytes; the body follows it.
 *
 * @param metadata pairs of the message's own metadata
 */
export function encodeBatchMessage(
  { rows, bodyBytes, nodes, buffers }: BatchShape,
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  const texts = [...metadata].map((pair) => pair.map((text) => encoder.encode(text)));
  const bytes = (PREFIX_BYTES + PAIRS + bytesOfPairs(texts) + 7) & ~7;
  const message = new Uint8Array(bytes);
  const prefix = new DataView(message.buffer);
  prefix.setUint32(0, CONTINUATION, true);
  prefix.setUint32(4, bytes - PREFIX_BYTES, true);

  const view = new DataView(message.buffer, PREFIX_BYTES);
  view.setUint32(0, MESSAGE, true);
  const { version, headerType, header, pairs, bodyLength, end } = MESSAGE_FIELDS;
  setVtable(view, MESSAGE_VTABLE, MESSAGE, end, [version, headerType, header, bodyLength, pairs]);
  view.setInt16(MESSAGE + version, METADATA_V5, true);
  view.setUint8(MESSAGE + headerType, RECORD_BATCH);
  setOffset(view, MESSAGE + header, BATCH);
  setOffset(view, MESSAGE + pairs, PAIRS);
  setCount(view, MESSAGE + bodyLength, bodyBytes);

  const { length, nodes: nodesField, buffers: buffersField } = BATCH_FIELDS;
  setVtable(view, BATCH_VTABLE, BATCH, BATCH_FIELDS.end, [length, nodesField, buffersField]);
  setCount(view, BATCH + length, rows);
  setOffset(view, BATCH + nodesField, NODES);
  setOffset(view, BATCH + buffersField, BUFFERS);
  setCounts(view, NODES, nodes);
  setCounts(view, BUFFERS, buffers);
  setPairs(view, message.subarray(PREFIX_BYTES), texts);
  return message;
}

function setVtable(
  view: DataView,
  at: number,
  table: number,
  tableBytes: number,
  fields: readonly number[],
): void {
  view.setUint16(at, 4 + 2 * fields.length, true);
  view.setUint16(at + 2, tableBytes, true);
  for (const [number, offset] of fields.entries())
    view.setUint16(at + 4 + 2 * number, offset, true);
  view.setInt32(table, table - at, true);
}

/** Offsets are counted from where they stand. */
function setOffset(view: DataView, at: number, target: number): void {
  view.setUint32(at, target - at, true);
}

function setCount(view: DataView, at: number, count: number): void {
  view.setUint32(at, count >>> 0, true);
  view.setUint32(at + 4, Math.floor(count / 0x1_0000_0000), true);
}

/** A vector of structs of two 64-bit numbers each. */
function setCounts(view: DataView, at: number, counts: Float64Array): void {
  view.setUint32(at, counts.length / 2, true);
  for (let i = 0; i < counts.length; i++) setCount(view, at + 4 + 8 * i, counts[i]);
}

type Texts = readonly (readonly Uint8Array[])[];

function bytesOfPairs(pairs: Texts): number {
  let bytes = 4 + 4 * pairs.length;
  for (const pair of pairs) {
    bytes += PAIR_VTABLE_BYTES + PAIR_FIELDS.end;
    for (const text of pair) bytes += bytesOfText(text);
  }
  return bytes;
}

/** Its length, the text, a zero, padded to four. */
function bytesOfText(text: Uint8Array): number {
  return 4 + ((text.length + 1 + 3) & ~3);
}

function setPairs(view: DataView, bytes: Uint8Array, pairs: Texts): void {
  view.setUint32(PAIRS, pairs.length, true);
  let next = PAIRS + 4 + 4 * pairs.length;
  for (const [number, pair] of pairs.entries()) {
    const table = next + PAIR_VTABLE_BYTES;
    const fields = [PAIR_FIELDS.key, PAIR_FIELDS.value];
    setVtable(view, next, table, PAIR_FIELDS.end, fields);
    setOffset(view, PAIRS + 4 + 4 * number, table);
    next = table + PAIR_FIELDS.end;
    for (const [at, text] of pair.entries()) {
      setOffset(view, table + fields[at], next);
      view.setUint32(next, text.length, true);
      bytes.set(text, next + 4);
      next += bytesOfText(text);
    }
  }
}
