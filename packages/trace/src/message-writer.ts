/**
 * Writes the messages of an Arrow stream: its schema, and what stands before the columns of a record
 * batch. The counterpart of `message-reader.ts`; tests read both with arrow-js.
 *
 * Not with arrow-js, as it makes an object of every node and buffer of every batch, and takes longer to
 * load than a short import lasts.
 */
import {
  BUFFER_COUNT,
  CONTINUATION,
  DETAIL_COLUMNS,
  NODE_COUNT,
  PREFIX_BYTES,
  ROW_COLUMNS,
  type Column,
} from './arrow-layout.js';
import { CHECKSUM_DIGITS, CHECKSUMS, checksumDigits, FIRST_LINK, linkOf } from './checksums.js';
import {
  addCountPairs,
  addOffsets,
  addTable,
  addText,
  clearFlatbuffer,
  createFlatbuffer,
  finishedBytes,
  ROOT,
  type Flatbuffer,
  type TableField,
} from './flatbuffer-writer.js';

/** What a batch's message says of its columns. */
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

// Numbers of Arrow's own: versions, header types, types, fields of tables.
const METADATA_V5 = 4;
const SCHEMA_HEADER = 1;
const BATCH_HEADER = 3;
const INT = 2;
const UTF8 = 5;
const LIST = 12;
const STRUCT = 13;

/** One message is made at a time; its bytes are copied out. */
const memory = createFlatbuffer();

/** A message, with its prefix, padded to a multiple of eight bytes, and its link. */
export interface LinkedMessage {
  readonly bytes: Uint8Array;
  readonly link: number;
}

/** The stream's first message. */
export function schemaMessage(metadata: ReadonlyMap<string, string>): LinkedMessage {
  const flat = memory;
  clearFlatbuffer(flat);
  const [header, ownPairs] = addTable(flat, ROOT, [
    [2, 'offset', 0],
    [4, 'offset', 0],
    ...messageFields(SCHEMA_HEADER, 0),
  ]);
  const [fields, pairs] = addTable(flat, header, [
    [1, 'offset', 0],
    [2, 'offset', 0],
  ]);
  const positions = addOffsets(flat, fields, ROW_COLUMNS.length + 1);
  for (const [at, column] of ROW_COLUMNS.entries()) addColumn(flat, positions[at], column);
  addDetails(flat, positions[ROW_COLUMNS.length]);
  addPairs(flat, pairs, metadata);
  return linked(flat, ownPairs, new Map(), FIRST_LINK);
}

/**
 * The message of a batch; the body follows it.
 *
 * @param metadata pairs of the message's own metadata
 * @param before link of the message before
 */
export function batchMessage(
  { rows, bodyBytes, nodes, buffers }: BatchShape,
  metadata: ReadonlyMap<string, string>,
  before: number,
): LinkedMessage {
  const flat = memory;
  clearFlatbuffer(flat);
  const [header, pairs] = addTable(flat, ROOT, [
    [2, 'offset', 0],
    [4, 'offset', 0],
    ...messageFields(BATCH_HEADER, bodyBytes),
  ]);
  const [nodesAt, buffersAt] = addTable(flat, header, [
    [1, 'offset', 0],
    [2, 'offset', 0],
    [0, 'i64', rows],
  ]);
  addCountPairs(flat, nodesAt, nodes);
  addCountPairs(flat, buffersAt, buffers);
  return linked(flat, pairs, metadata, before);
}

/** What ends the stream: a message without metadata. */
export function endOfStream(): Uint8Array {
  const mark = new Uint8Array(PREFIX_BYTES);
  new DataView(mark.buffer).setUint32(0, CONTINUATION, true);
  return mark;
}

/** What every message says beside its header. */
function messageFields(headerType: number, bodyBytes: number): TableField[] {
  return [
    [0, 'i16', METADATA_V5],
    [1, 'u8', headerType],
    [3, 'i64', bodyBytes],
  ];
}

function addColumn(flat: Flatbuffer, at: number, { name, type, nullable }: Column): void {
  if (type === 'text') {
    addField(flat, at, name, nullable, UTF8, []);
    return;
  }
  const bits = Number(type.slice(1));
  addField(flat, at, name, nullable, INT, [
    [0, 'i32', bits],
    [1, 'u8', type.startsWith('i') ? 1 : 0],
  ]);
}

/** The list of structs of the fields that few events have. */
function addDetails(flat: Flatbuffer, at: number): void {
  const [item] = addField(flat, at, 'details', false, LIST, [], 1);
  const columns = addField(flat, item, 'item', false, STRUCT, [], DETAIL_COLUMNS.length);
  for (const [child, column] of DETAIL_COLUMNS.entries()) addColumn(flat, columns[child], column);
}

/** Returns the positions of its children. */
function addField(
  flat: Flatbuffer,
  at: number,
  name: string,
  nullable: boolean,
  type: number,
  typeFields: readonly TableField[],
  children = 0,
): number[] {
  const [nameAt, typeAt, childrenAt] = addTable(flat, at, [
    [0, 'offset', 0],
    [3, 'offset', 0],
    [5, 'offset', 0],
    [1, 'u8', nullable ? 1 : 0],
    [2, 'u8', type],
  ]);
  addText(flat, nameAt, name);
  addTable(flat, typeAt, typeFields);
  return addOffsets(flat, childrenAt, children);
}

/** Returns where the last value stands. */
function addPairs(flat: Flatbuffer, at: number, pairs: ReadonlyMap<string, string>): number {
  const positions = addOffsets(flat, at, pairs.size);
  let last = 0;
  for (const [i, [key, value]] of [...pairs].entries()) {
    const [keyAt, valueAt] = addTable(flat, positions[i], [
      [0, 'offset', 0],
      [1, 'offset', 0],
    ]);
    addText(flat, keyAt, key);
    last = addText(flat, valueAt, value);
  }
  return last;
}

/** Adds the message's own pairs, the last of them its link. */
function linked(
  flat: Flatbuffer,
  at: number,
  pairs: ReadonlyMap<string, string>,
  before: number,
): LinkedMessage {
  const digitsAt = addPairs(flat, at, new Map([...pairs, [CHECKSUMS.link, UNKNOWN_LINK]]));
  const metadata = finishedBytes(flat);
  const link = linkOf(metadata, digitsAt, before);
  metadata.set(encoder.encode(checksumDigits(link)), digitsAt);
  return { bytes: withPrefix(metadata), link };
}

const encoder = new TextEncoder();
const UNKNOWN_LINK = '0'.repeat(CHECKSUM_DIGITS);

function withPrefix(metadata: Uint8Array): Uint8Array {
  const message = new Uint8Array(PREFIX_BYTES + metadata.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, CONTINUATION, true);
  view.setUint32(4, metadata.length, true);
  message.set(metadata, PREFIX_BYTES);
  return message;
}
