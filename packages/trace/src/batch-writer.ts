/**
 * Makes record batches of an Arrow IPC stream, straight from the columns of events: a batch's body is
 * the columns' own memory, nothing is copied.
 */
import { endianness } from 'node:os';
import {
  DETAIL_BIT,
  DETAIL_FIELDS,
  KIND,
  NOT_OBSERVED,
  NO_VQ,
  fieldDefinition,
  type Storage,
  type TextColumnData,
} from '@vhostscope/model';
import { BYTES_OF } from './arrow-layout.js';
import { CHECKSUMS, checksumDigits, checksumOf } from './checksums.js';
import { encodeBatchMetadata, type BatchMetadata } from './batch-metadata.js';
import { createEventBuilder, type EventBuilder } from './event-builder.js';
import {
  batchMessage,
  createBatchShape,
  type BatchShape,
  type LinkedMessage,
} from './message-writer.js';

const NOTHING = new Uint8Array(0);
const PADDING = new Uint8Array(8);

if (endianness() !== 'LE') throw new Error('trace files are little endian, this machine is not');

/** A record batch as it goes to the file: its message, then the columns, which are the builder's memory. */
export interface BatchParts {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** What the message behind it rests on. */
  readonly link: number;
}

/**
 * The events of a builder as one record batch with metadata of its own.
 *
 * @param before link of the message before
 * @param next where the message behind it is one of another stream: what that rests on
 */
export function batchParts(
  builder: EventBuilder,
  metadata: BatchMetadata,
  before: number,
  next?: number,
): BatchParts {
  const body = createBody();
  const rows = builder.length;
  const rowValidity = validityOfRows(builder);
  addFixed(body, rows, builder.time, 8, undefined);
  addFixed(body, rows, builder.cpuColumn, 2, undefined);
  addFixed(body, rows, builder.line, 4, undefined);
  addFixed(body, rows, builder.kind, 1, undefined);
  addFixed(body, rows, builder.vq, 4, rowValidity.vq);
  addFixed(body, rows, builder.accessor, 1, rowValidity.access);
  addFixed(body, rows, builder.observed, 1, rowValidity.observed);
  addFixed(body, rows, builder.n, 4, rowValidity.access);
  const details = builder.detailCount;
  addNode(body, rows, 0);
  addBuffer(body, NOTHING, 0);
  addBuffer(body, builder.detail, 4 * (rows + 1));
  addNode(body, details, 0);
  addBuffer(body, NOTHING, 0);
  const present = presentFields(builder);
  for (const name of DETAIL_FIELDS) {
    const { storage } = fieldDefinition(name);
    const bit = DETAIL_BIT[name];
    if (((present[bit >> 5] >>> (bit & 31)) & 1) === 0) {
      addAbsent(body, details, storage);
      continue;
    }
    const validity = validityOfDetails(builder, bit);
    const column = builder.details[name];
    if (storage === 'text') addText(body, details, column as TextColumnData, validity);
    else addFixed(body, details, column as ArrayBufferView, BYTES_OF[storage], validity);
  }
  body.shape.rows = rows;
  const pairs = encodeBatchMetadata(metadata);
  pairs.set(CHECKSUMS.body, checksumDigits(checksumOf(body.parts)));
  if (next !== undefined) pairs.set(CHECKSUMS.next, checksumDigits(next));
  const message = batchMessage(body.shape, pairs, before);
  return {
    parts: [message.bytes, ...body.parts],
    bytes: message.bytes.length + body.shape.bodyBytes,
    link: next ?? message.link,
  };
}

/** The batch behind which none follows; `endOfStream` does. */
export function closingBatch(before: number): LinkedMessage {
  const metadata = { role: 'close', recording: 0, cpu: 0 } as const;
  const { parts, link } = batchParts(createEventBuilder(0), metadata, before);
  return { bytes: Buffer.concat(parts), link };
}

/** The columns of a batch, added in the order of the schema. */
interface Body {
  readonly shape: BatchShape;
  /** The memory of the buffers, with padding between. */
  readonly parts: Uint8Array[];
  nodes: number;
  buffers: number;
  /** Where the zeros lie in the body that all columns without a value share; undefined while there are none. */
  zerosAt: number | undefined;
}

/** Of one batch at a time: all of it is set anew for each. */
const reusedShape = createBatchShape();

function createBody(): Body {
  reusedShape.bodyBytes = 0;
  return { shape: reusedShape, parts: [], nodes: 0, buffers: 0, zerosAt: undefined };
}

function addNode(body: Body, rows: number, nulls: number): void {
  const at = 2 * body.nodes++;
  body.shape.nodes[at] = rows;
  body.shape.nodes[at + 1] = nulls;
}

function addBuffer(body: Body, column: ArrayBufferView, bytes: number): void {
  const { parts, shape } = body;
  placeBuffer(body, shape.bodyBytes, bytes);
  if (bytes === 0) return;
  parts.push(new Uint8Array(column.buffer, column.byteOffset, bytes));
  const pad = -bytes & 7;
  if (pad !== 0) parts.push(PADDING.subarray(0, pad));
  shape.bodyBytes += bytes + pad;
}

/** The next buffer in the order of the schema, which lies there in the body. */
function placeBuffer(body: Body, at: number, bytes: number): void {
  const place = 2 * body.buffers++;
  body.shape.buffers[place] = at;
  body.shape.buffers[place + 1] = bytes;
}

function addFixed(
  body: Body,
  rows: number,
  column: ArrayBufferView,
  width: number,
  validity: Validity | undefined,
): void {
  addNode(body, rows, validity?.nulls ?? 0);
  addValidity(body, validity);
  addBuffer(body, column, rows * width);
}

function addText(
  body: Body,
  rows: number,
  column: TextColumnData,
  validity: Validity | undefined,
): void {
  addNode(body, rows, validity?.nulls ?? 0);
  addValidity(body, validity);
  addBuffer(body, column.offsets, 4 * (rows + 1));
  addBuffer(body, column.bytes, rows === 0 ? 0 : column.offsets[rows]);
}

/**
 * A column of which no row has a value: most are, and they share the same zeros, as buffers of Arrow may lie over
 * one another. With zeros of its own for each a batch of rounds would be four times as large.
 */
function addAbsent(body: Body, rows: number, storage: Storage): void {
  addNode(body, rows, rows);
  const at = zerosFor(body, rows);
  placeBuffer(body, at, (rows + 7) >> 3);
  if (storage === 'text') {
    placeBuffer(body, at, 4 * (rows + 1));
    placeBuffer(body, at, 0);
  } else placeBuffer(body, at, rows * BYTES_OF[storage]);
}

let zeros = new Uint8Array(64);

/** Zeros in the body for the longest column of so many rows, put there the first time. */
function zerosFor(body: Body, rows: number): number {
  if (body.zerosAt === undefined) {
    const bytes = 8 * (rows + 1);
    if (bytes > zeros.length) zeros = new Uint8Array(2 * bytes);
    body.zerosAt = body.shape.bodyBytes;
    body.parts.push(zeros.subarray(0, bytes));
    body.shape.bodyBytes += bytes;
  }
  return body.zerosAt;
}

function addValidity(body: Body, validity: Validity | undefined): void {
  if (validity === undefined || validity.nulls === 0) addBuffer(body, NOTHING, 0);
  else addBuffer(body, validity.bits, validity.bits.length);
}

interface Validity {
  /** One bit per row, the first in the lowest bit. */
  readonly bits: Uint8Array;
  readonly nulls: number;
}

/**
 * Which rows have a virtqueue, an accessor, an observation: all but some of those that are no accesses,
 * of which a batch has few.
 */
function validityOfRows(builder: EventBuilder): {
  vq: Validity;
  access: Validity;
  observed: Validity;
} {
  const { length, vq, others, otherCount } = builder;
  const access = allValid(length);
  for (let i = 0; i < otherCount; i++) setNull(access, others[i]);
  const withVq = allValid(length);
  let withoutVq = 0;
  for (let i = 0; i < otherCount; i++) {
    if (vq[others[i]] !== NO_VQ) continue;
    setNull(withVq, others[i]);
    withoutVq++;
  }
  const accesses: Validity = { bits: access, nulls: otherCount };
  return {
    vq: { bits: withVq, nulls: withoutVq },
    access: accesses,
    observed: builder.unobserved === 0 ? accesses : validityOfObserved(builder),
  };
}

function validityOfObserved({ length, kind, observed }: EventBuilder): Validity {
  const bits = allValid(length);
  let nulls = 0;
  for (let row = 0; row < length; row++) {
    if (kind[row] === KIND.access && observed[row] !== NOT_OBSERVED) continue;
    setNull(bits, row);
    nulls++;
  }
  return { bits, nulls };
}

function allValid(rows: number): Uint8Array {
  const bits = new Uint8Array((rows + 7) >> 3).fill(0xff);
  if ((rows & 7) !== 0) bits[bits.length - 1] = (1 << (rows & 7)) - 1;
  return bits;
}

function setNull(bits: Uint8Array, row: number): void {
  bits[row >> 3] &= ~(1 << (row & 7));
}

/** Bits of the fields that any row of details has, as in `present`. */
function presentFields({ details, detailCount }: EventBuilder): readonly [number, number] {
  const { present } = details;
  let low = 0;
  let high = 0;
  for (let row = 0; row < detailCount; row++) {
    low |= present[2 * row];
    high |= present[2 * row + 1];
  }
  return [low, high];
}

function validityOfDetails({ details, detailCount }: EventBuilder, bit: number): Validity {
  const { present } = details;
  const word = bit >> 5;
  const shift = bit & 31;
  let set = 0;
  for (let row = 0; row < detailCount; row++) set += (present[2 * row + word] >>> shift) & 1;
  const bytes = (detailCount + 7) >> 3;
  const bits = new Uint8Array(bytes);
  for (let row = 0; row < detailCount; row++)
    bits[row >> 3] |= ((present[2 * row + word] >>> shift) & 1) << (row & 7);
  return { bits, nulls: detailCount - set };
}
