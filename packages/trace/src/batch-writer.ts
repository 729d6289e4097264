/**
 * Writes batches of events as record batches of an Arrow IPC stream, straight from the columns: the
 * message's metadata is made with arrow-js, the body is the columns' own memory, nothing is copied.
 */
import { writeSync, writevSync } from 'node:fs';
import { endianness } from 'node:os';
import {
  Message,
  RecordBatch as BatchHeader,
  BufferRegion,
  FieldNode,
} from 'apache-arrow/ipc/metadata/message';
import { MessageHeader, MetadataVersion, type Schema } from 'apache-arrow';
import {
  DETAIL_BIT,
  DETAIL_FIELDS,
  NOT_OBSERVED,
  NO_VQ,
  KIND,
  fieldDefinition,
  type TextColumnData,
} from '@vhostscope/model';
import { BYTES_OF } from './arrow-layout.js';
import type { EventBuilder } from './event-builder.js';

const CONTINUATION = 0xffff_ffff;
const NOTHING = new Uint8Array(0);
const PADDING = new Uint8Array(8);

if (endianness() !== 'LE') throw new Error('trace files are little endian, this machine is not');

/** Writes the stream's schema message. Returns the bytes written. */
export function writeSchema(fd: number, schema: Schema): number {
  return writeMessage(fd, Message.encode(Message.from(schema)), [], 0);
}

/** Writes the end-of-stream mark. */
export function writeEndOfStream(fd: number): number {
  const mark = new Uint8Array(8);
  new DataView(mark.buffer).setUint32(0, CONTINUATION, true);
  return writeAll(fd, [mark], mark.length);
}

/** Writes the events of a builder as one record batch with metadata of its own. Returns the bytes written. */
export function writeBatch(
  fd: number,
  builder: EventBuilder,
  metadata: Map<string, string>,
): number {
  const body = new BodyBuilder();
  const rows = builder.length;
  const validity = rowValidity(builder);
  body.fixed(rows, builder.time, 8, undefined);
  body.fixed(rows, builder.cpuColumn, 2, undefined);
  body.fixed(rows, builder.line, 4, undefined);
  body.fixed(rows, builder.kind, 1, undefined);
  body.fixed(rows, builder.vq, 4, validity.vq);
  body.fixed(rows, builder.accessor, 1, validity.access);
  body.fixed(rows, builder.observed, 1, validity.observed);
  body.fixed(rows, builder.n, 4, validity.access);
  const details = builder.detailCount;
  body.node(rows, 0);
  body.buffer(NOTHING, 0);
  body.buffer(builder.detail, 4 * (rows + 1));
  body.node(details, 0);
  body.buffer(NOTHING, 0);
  for (const name of DETAIL_FIELDS) {
    const present = detailValidity(builder, DETAIL_BIT[name]);
    const { storage } = fieldDefinition(name);
    const column = builder.details[name];
    if (storage === 'text') body.text(details, column as TextColumnData, present);
    else body.fixed(details, column as ArrayBufferView, BYTES_OF[storage], present);
  }
  const header = new BatchHeader(rows, body.nodes, body.buffers, null);
  const message = new Message(
    body.length,
    MetadataVersion.V5,
    MessageHeader.RecordBatch,
    header,
    metadata,
  );
  return writeMessage(fd, Message.encode(message), body.parts, body.length);
}

interface Validity {
  readonly bits: Uint8Array;
  readonly nulls: number;
}

/** Collects the nodes, the buffers and their memory, in the order of the schema. */
class BodyBuilder {
  readonly nodes: FieldNode[] = [];
  readonly buffers: BufferRegion[] = [];
  readonly parts: Uint8Array[] = [];
  length = 0;

  node(rows: number, nulls: number): void {
    this.nodes.push(new FieldNode(rows, nulls));
  }

  buffer(column: ArrayBufferView, bytes: number): void {
    this.buffers.push(new BufferRegion(this.length, bytes));
    if (bytes === 0) return;
    this.parts.push(new Uint8Array(column.buffer, column.byteOffset, bytes));
    const pad = -bytes & 7;
    if (pad !== 0) this.parts.push(PADDING.subarray(0, pad));
    this.length += bytes + pad;
  }

  fixed(
    rows: number,
    column: ArrayBufferView,
    width: number,
    validity: Validity | undefined,
  ): void {
    this.node(rows, validity?.nulls ?? 0);
    this.validity(validity);
    this.buffer(column, rows * width);
  }

  text(rows: number, column: TextColumnData, validity: Validity | undefined): void {
    this.node(rows, validity?.nulls ?? 0);
    this.validity(validity);
    this.buffer(column.offsets, 4 * (rows + 1));
    this.buffer(column.bytes, rows === 0 ? 0 : column.offsets[rows]);
  }

  private validity(validity: Validity | undefined): void {
    if (validity === undefined || validity.nulls === 0) this.buffer(NOTHING, 0);
    else this.buffer(validity.bits, validity.bits.length);
  }
}

/** Which rows have a virtqueue, an accessor, an observation. HOT: once per event written. */
function rowValidity(builder: EventBuilder): {
  vq: Validity;
  access: Validity;
  observed: Validity;
} {
  const { length, kind, vq, observed } = builder;
  const bytes = (length + 7) >> 3;
  const vqBits = new Uint8Array(bytes);
  const accessBits = new Uint8Array(bytes);
  const observedBits = new Uint8Array(bytes);
  let vqs = 0;
  let accesses = 0;
  let observations = 0;
  for (let byte = 0; byte < bytes; byte++) {
    const first = 8 * byte;
    const rows = Math.min(8, length - first);
    let hasVq = 0;
    let isAccess = 0;
    let isObserved = 0;
    for (let bit = 0; bit < rows; bit++) {
      const row = first + bit;
      hasVq |= (vq[row] === NO_VQ ? 0 : 1) << bit;
      isAccess |= (kind[row] === KIND.access ? 1 : 0) << bit;
      isObserved |= (observed[row] === NOT_OBSERVED ? 0 : 1) << bit;
    }
    vqBits[byte] = hasVq;
    accessBits[byte] = isAccess;
    observedBits[byte] = isObserved;
    vqs += BITS_SET[hasVq];
    accesses += BITS_SET[isAccess];
    observations += BITS_SET[isObserved];
  }
  return {
    vq: { bits: vqBits, nulls: length - vqs },
    access: { bits: accessBits, nulls: length - accesses },
    observed: { bits: observedBits, nulls: length - observations },
  };
}

const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0;
  for (let rest = byte; rest !== 0; rest >>= 1) bits += rest & 1;
  return bits;
});

function detailValidity(builder: EventBuilder, bit: number): Validity {
  const rows = builder.detailCount;
  const bits = new Uint8Array((rows + 7) >> 3);
  const { present } = builder.details;
  let set = 0;
  for (let row = 0; row < rows; row++) {
    const has = (present[row] >>> bit) & 1;
    bits[row >> 3] |= has << (row & 7);
    set += has;
  }
  return { bits, nulls: rows - set };
}

/** Encapsulated message: continuation, length of the metadata, metadata padded to 8, body. */
function writeMessage(
  fd: number,
  metadata: Uint8Array,
  body: readonly Uint8Array[],
  bodyLength: number,
): number {
  const padded = (metadata.length + 7) & ~7;
  const prefix = new Uint8Array(8 + padded);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, CONTINUATION, true);
  view.setInt32(4, padded, true);
  prefix.set(metadata, 8);
  return writeAll(fd, [prefix, ...body], prefix.length + bodyLength);
}

/** Writes all parts, however many calls it takes. */
function writeAll(fd: number, parts: Uint8Array[], total: number): number {
  let written = writevSync(fd, parts);
  if (written === total) return total;
  // A pipe or a full disk takes less than it is given; go on where it stopped.
  const rest = Buffer.concat(parts);
  while (written < total) written += writeSync(fd, rest, written, total - written);
  return total;
}
