/**
 * Reads the metadata of an Arrow stream's messages (flatbuffers), as far as a trace needs it.
 *
 * arrow-js trusts every count in it: on a damaged file it loops or allocates without end. Here nothing
 * is followed that does not lie in the metadata, and no count is believed before it is checked.
 */
import { bufferCount, detailFieldCount, LEAST_NODE_COUNT, NODE_COUNT } from './arrow-layout.js';
import { CHECKSUMS, linkOf, parseChecksum } from './checksums.js';

export interface StreamMessage {
  readonly kind: 'schema' | 'batch' | 'other';
  /** Key-value metadata: of the schema, or of the message itself. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly bodyBytes: number;
  /** Where the header's table lies in the metadata. */
  readonly header: number;
  /** What it says of its checksums; undefined in formats that had none. */
  readonly checksums: MessageChecksums | undefined;
}

export interface MessageChecksums {
  /** Undefined where the digits are none. */
  readonly link: number | undefined;
  readonly digitsAt: number;
  readonly body: number | undefined;
  /** What the next message rests on, where that is not the link. */
  readonly next: number | undefined;
}

export interface BatchLayout {
  readonly rows: number;
  readonly details: number;
  /** Fields of a row of details: the first so many of those that this version knows. */
  readonly detailFields: number;
}

const HEADER_TYPE = { schema: 1, batch: 3 } as const;

/** Numbers of the fields in their flatbuffers tables. */
const MESSAGE = { headerType: 1, header: 2, bodyLength: 3, metadata: 4 } as const;
const SCHEMA = { metadata: 2 } as const;
const BATCH = { length: 0, nodes: 1, buffers: 2, compression: 3 } as const;
const PAIR = { key: 0, value: 1 } as const;

/** A batch has five or six pairs, a schema five and one. */
const MAX_PAIRS = 64;

/** The message in `view`; undefined when it is none. */
export function readMessage(view: DataView): StreamMessage | undefined {
  return readChecked(() => {
    const message = view.getUint32(0, true);
    const type = field(view, message, MESSAGE.headerType);
    const body = field(view, message, MESSAGE.bodyLength);
    const header = follow(view, field(view, message, MESSAGE.header));
    const headerType = type === 0 ? 0 : view.getUint8(type);
    const isSchema = headerType === HEADER_TYPE.schema;
    const own = pairsAt(view, field(view, message, MESSAGE.metadata));
    const pairs = isSchema ? pairsAt(view, field(view, header, SCHEMA.metadata)) : own;
    return {
      kind: isSchema ? 'schema' : headerType === HEADER_TYPE.batch ? 'batch' : 'other',
      metadata: new Map([...pairs].map(([key, { value }]) => [key, value])),
      bodyBytes: body === 0 ? 0 : readCount(view, body),
      header,
      checksums: checksumsIn(own),
    };
  });
}

/**
 * What the message behind one rests on.
 *
 * @param before what this one rests on
 * @returns undefined when it is not as it was written, or does not follow the one before
 */
export function linkBehind(
  view: DataView,
  { checksums }: StreamMessage,
  before: number,
): number | undefined {
  if (checksums?.link === undefined) return undefined;
  const { link, digitsAt, next } = checksums;
  const metadata = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return linkOf(metadata, digitsAt, before) === link ? (next ?? link) : undefined;
}

function checksumsIn(own: ReadonlyMap<string, Pair>): MessageChecksums | undefined {
  const link = own.get(CHECKSUMS.link);
  if (link === undefined) return undefined;
  return {
    link: parseChecksum(link.value),
    digitsAt: link.at,
    body: parseChecksum(own.get(CHECKSUMS.body)?.value),
    next: parseChecksum(own.get(CHECKSUMS.next)?.value),
  };
}

/**
 * Where the columns of a batch lie in its body.
 *
 * @param buffers gets offset and length of every buffer, in the order of the schema
 * @returns undefined when they are not the columns of a trace, or lie outside the body
 */
export function readBatchLayout(
  view: DataView,
  { header, bodyBytes }: StreamMessage,
  buffers: Float64Array,
): BatchLayout | undefined {
  return readChecked(() => {
    // Compressed columns are not written by any version of the format.
    if (field(view, header, BATCH.compression) !== 0) return undefined;
    const length = field(view, header, BATCH.length);
    const rows = length === 0 ? 0 : readCount(view, length);
    const nodes = follow(view, field(view, header, BATCH.nodes));
    const nodeCount = view.getUint32(nodes, true);
    if (nodeCount < LEAST_NODE_COUNT || nodeCount > NODE_COUNT) return undefined;
    const details = readCount(view, nodes + 4 + 16 * FIRST_DETAIL_NODE);
    for (let node = 0; node < nodeCount; node++) {
      const expected = node < FIRST_DETAIL_NODE ? rows : details;
      if (readCount(view, nodes + 4 + 16 * node) !== expected) return undefined;
    }
    // Every row has a time of eight bytes and at most one row of details.
    if (8 * rows > bodyBytes || details > rows) return undefined;
    const regions = follow(view, field(view, header, BATCH.buffers));
    const detailFields = detailFieldCount(nodeCount);
    const bufferTotal = BUFFER_COUNTS[detailFields];
    if (view.getUint32(regions, true) !== bufferTotal) return undefined;
    for (let i = 0; i < bufferTotal; i++) {
      const at = readCount(view, regions + 4 + 16 * i);
      const bytes = readCount(view, regions + 12 + 16 * i);
      if (at % 8 !== 0 || at + bytes > bodyBytes) return undefined;
      buffers[2 * i] = at;
      buffers[2 * i + 1] = bytes;
    }
    return { rows, details, detailFields };
  });
}

/** Buffers of a batch by its number of fields of details. */
const BUFFER_COUNTS = Array.from({ length: detailFieldCount(NODE_COUNT) + 1 }, (_, fields) =>
  bufferCount(fields),
);

/** The struct in the list of details: after the eight row columns and the list. */
const FIRST_DETAIL_NODE = 9;

/** DataView refuses to read outside its bytes with a RangeError, and so do the checks below. */
function readChecked<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Position of a field of a table; 0 when the table does not have it. */
function field(view: DataView, table: number, number: number): number {
  const fields = table - view.getInt32(table, true);
  const entry = 4 + 2 * number;
  if (entry + 2 > view.getUint16(fields, true)) return 0;
  const offset = view.getUint16(fields + entry, true);
  return offset === 0 ? 0 : table + offset;
}

/** Where the offset at a position leads. */
function follow(view: DataView, at: number): number {
  if (at === 0) throw new RangeError('a field is missing');
  return at + view.getUint32(at, true);
}

/** A 64-bit number that counts something. */
function readCount(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  if (high >= 0x20_0000) throw new RangeError('not a count');
  return high * 0x1_0000_0000 + view.getUint32(at, true);
}

/** A value, and where it stands in the metadata. */
interface Pair {
  readonly value: string;
  readonly at: number;
}

/** The pairs to which the offset at a position leads; none where there is no such position. */
function pairsAt(view: DataView, at: number): Map<string, Pair> {
  const pairs = new Map<string, Pair>();
  if (at === 0) return pairs;
  const vector = follow(view, at);
  const count = view.getUint32(vector, true);
  if (count > MAX_PAIRS) throw new RangeError('too many pairs');
  for (let i = 0; i < count; i++) {
    const pair = follow(view, vector + 4 + 4 * i);
    pairs.set(readText(view, pair, PAIR.key).value, readText(view, pair, PAIR.value));
  }
  return pairs;
}

const UTF8 = new TextDecoder();

function readText(view: DataView, table: number, number: number): Pair {
  const from = field(view, table, number);
  if (from === 0) return { value: '', at: 0 };
  const text = follow(view, from);
  const at = text + 4;
  const bytes = checked(view, at, view.getUint32(text, true));
  return { value: UTF8.decode(new Uint8Array(view.buffer, view.byteOffset + at, bytes)), at };
}

function checked(view: DataView, at: number, bytes: number): number {
  if (at + bytes > view.byteLength) throw new RangeError('text outside the metadata');
  return bytes;
}
