/** Reads one batch of a trace file into memory that is used again, as views on the columns. */
import {
  DETAIL_BIT,
  DETAIL_FIELDS,
  EVENT_NAMES,
  KIND,
  NO_ACCESSOR,
  NOT_OBSERVED,
  REQUIRED_DETAILS,
  eventDefinition,
  fieldDefinition,
  hasDetail,
  timeAt,
  type DetailColumns,
  type DetailField,
  type EventBatch,
  type TextColumnData,
} from '@vhostscope/model';
import { crc32 } from 'node:zlib';
import { BUFFER_COUNT, PREFIX_BYTES } from './arrow-layout.js';
import { readFully, type TraceBytes } from './file-access.js';
import {
  readBatchLayout,
  readMessage,
  type BatchLayout,
  type StreamMessage,
} from './message-reader.js';
import { MAX_OBJECTS } from './recording-objects.js';
import { TraceFormatError } from './trace-header.js';
import type { BatchPlace } from './place-list.js';

/** Memory for one batch at a time. */
export interface BatchMemory {
  bytes: ArrayBuffer;
  present: Uint32Array;
  /** Offset in the body and length of every buffer. */
  readonly buffers: Float64Array;
}

export function createBatchMemory(): BatchMemory {
  return {
    bytes: new ArrayBuffer(0),
    present: new Uint32Array(0),
    buffers: new Float64Array(2 * BUFFER_COUNT),
  };
}

/** A batch of which what is in the file is not what was written: nothing of it is told. */
export class DamagedBatchError extends TraceFormatError {
  override name = 'TraceFormatError';
  readonly place: BatchPlace;

  constructor(place: BatchPlace) {
    super(`batch at byte ${place.offset} was changed (by its checksum): the file is damaged there`);
    this.place = place;
  }
}

/**
 * Reads a batch. The views are valid until the same memory is read into again.
 *
 * @throws DamagedBatchError when it is not as it was written; TraceFormatError when the columns contradict each other
 *   or hold what no event may hold
 */
export function readBatch(from: TraceBytes, place: BatchPlace, memory: BatchMemory): EventBatch {
  const { rows } = place;
  const { layout, body } = readBytes(from, place, memory);
  const columns = new ColumnCursor(memory, body, place);
  columns.skipValidity();
  const time = columns.u32(2 * rows);
  columns.skipValidity();
  columns.skip();
  columns.skipValidity();
  const line = columns.u32(rows);
  columns.skipValidity();
  const kind = columns.u8(rows);
  columns.skipValidity();
  const vq = columns.u32(rows);
  columns.skipValidity();
  const accessor = columns.u8(rows);
  columns.skipValidity();
  const observed = columns.u8(rows);
  columns.skipValidity();
  const n = columns.u32(rows);
  columns.skipValidity();
  const detail = columns.i32(rows + 1);
  columns.skipValidity();
  const batch: EventBatch = {
    length: rows,
    cpu: place.cpu,
    time,
    line,
    kind,
    vq,
    accessor,
    observed,
    n,
    detail,
    details: readDetails(columns, layout, memory),
  };
  checkBatch(batch, place, layout);
  return batch;
}

/** Time of a batch's last row, ns. @throws as `timesOf` */
export function lastTimeOf(from: TraceBytes, place: BatchPlace, memory: BatchMemory): bigint {
  return place.rows === 0 ? 0n : timeAt({ time: timesOf(from, place, memory) }, place.rows - 1);
}

/**
 * The times of a batch's rows, as its column has them. The view is valid until the same memory is read into again.
 *
 * @throws as `readBatch`, whose other columns are not looked at
 */
export function timesOf(from: TraceBytes, place: BatchPlace, memory: BatchMemory): Uint32Array {
  const { body } = readBytes(from, place, memory);
  const columns = new ColumnCursor(memory, body, place);
  columns.skipValidity();
  return columns.u32(2 * place.rows);
}

/** What the message behind a batch rests on; undefined where the trace has no checksums. */
export function linkOfBatch(from: TraceBytes, place: BatchPlace): number | undefined {
  const metadata = new Uint8Array(place.metadataBytes);
  readFully(from, metadata, place.offset + PREFIX_BYTES);
  const checksums = readMessage(new DataView(metadata.buffer))?.checksums;
  return checksums?.next ?? checksums?.link;
}

/** Fills the memory with a batch that is as it was written. Returns where in it the body begins. */
function readBytes(
  from: TraceBytes,
  place: BatchPlace,
  memory: BatchMemory,
): { layout: BatchLayout; body: number } {
  const { metadataBytes, bodyBytes } = place;
  // The metadata is put where the body behind it begins at a multiple of eight.
  const start = -metadataBytes & 7;
  const body = start + metadataBytes;
  const bytes = body + bodyBytes;
  if (memory.bytes.byteLength < bytes) memory.bytes = new ArrayBuffer(bytes);
  readFully(from, new Uint8Array(memory.bytes, start, bytes - start), place.offset + PREFIX_BYTES);
  const metadata = new DataView(memory.bytes, start, metadataBytes);
  const message = readMessage(metadata);
  const layout = readLayout(metadata, message, place, memory);
  const written = message?.checksums?.body;
  if (written !== undefined && written !== crc32(new Uint8Array(memory.bytes, body, bodyBytes)))
    throw new DamagedBatchError(place);
  return { layout, body };
}

function readLayout(
  metadata: DataView,
  message: StreamMessage | undefined,
  place: BatchPlace,
  memory: BatchMemory,
): BatchLayout {
  const layout =
    message?.bodyBytes === place.bodyBytes
      ? readBatchLayout(metadata, message, memory.buffers)
      : undefined;
  if (layout?.rows !== place.rows) {
    throw new TraceFormatError(
      `the batch at byte ${place.offset} is not what it was: something writes over the file`,
    );
  }
  return layout;
}

/** Walks the buffers of a batch in the order of the schema. */
class ColumnCursor {
  private readonly bytes: ArrayBuffer;
  private readonly buffers: Float64Array;
  private readonly body: number;
  private readonly place: BatchPlace;
  private next = 0;

  constructor({ bytes, buffers }: BatchMemory, body: number, place: BatchPlace) {
    this.bytes = bytes;
    this.buffers = buffers;
    this.body = body;
    this.place = place;
  }

  skip(): void {
    this.next++;
  }

  skipValidity(): void {
    this.next++;
  }

  /** The validity bits of the next column, or undefined when every value is there. */
  validity(rows: number): Uint8Array | undefined {
    if (this.buffers[2 * this.next + 1] === 0) {
      this.next++;
      return undefined;
    }
    return this.u8((rows + 7) >> 3);
  }

  u8(length: number): Uint8Array {
    return new Uint8Array(this.bytes, this.take(length), length);
  }

  i32(length: number): Int32Array {
    return new Int32Array(this.bytes, this.take(4 * length), length);
  }

  u32(length: number): Uint32Array {
    return new Uint32Array(this.bytes, this.take(4 * length), length);
  }

  text(rows: number): TextColumnData {
    const offsets = this.i32(rows + 1);
    const bytes = this.u8(this.buffers[2 * this.next + 1]);
    let before = 0;
    for (let row = 0; row <= rows; row++) {
      if (offsets[row] < before || offsets[row] > bytes.length)
        throw this.damaged('text outside its column');
      before = offsets[row];
    }
    return { offsets, bytes };
  }

  damaged(what: string): TraceFormatError {
    return new TraceFormatError(
      `batch at byte ${this.place.offset} has ${what}: the file is damaged there`,
    );
  }

  private take(bytes: number): number {
    const offset = this.buffers[2 * this.next];
    const length = this.buffers[2 * this.next + 1];
    if (this.next >= BUFFER_COUNT || length < bytes)
      throw this.damaged('a column that is too short');
    this.next++;
    return this.body + offset;
  }
}

function readDetails(
  columns: ColumnCursor,
  { details: rows, detailFields }: BatchLayout,
  memory: BatchMemory,
): DetailColumns {
  if (memory.present.length < 2 * rows) memory.present = new Uint32Array(2 * rows);
  const present = memory.present.subarray(0, 2 * rows).fill(0);
  const details: Partial<Record<string, unknown>> = { present };
  for (const [index, name] of DETAIL_FIELDS.entries()) {
    if (index >= detailFields) {
      // No event of an older format has it.
      details[name] = absentColumn(name);
      continue;
    }
    markPresent(present, columns.validity(rows), DETAIL_BIT[name]);
    switch (fieldDefinition(name).storage) {
      case 'u8':
        details[name] = columns.u8(rows);
        break;
      case 'i32':
        details[name] = columns.i32(rows);
        break;
      case 'u32':
        details[name] = columns.u32(rows);
        break;
      case 'u64':
        details[name] = columns.u32(2 * rows);
        break;
      case 'text':
        details[name] = columns.text(rows);
        break;
    }
  }
  return details as DetailColumns;
}

function absentColumn(name: DetailField): Uint8Array | Int32Array | Uint32Array | TextColumnData {
  switch (fieldDefinition(name).storage) {
    case 'u8':
      return new Uint8Array(0);
    case 'i32':
      return new Int32Array(0);
    case 'u32':
    case 'u64':
      return new Uint32Array(0);
    case 'text':
      return { offsets: new Int32Array(0), bytes: new Uint8Array(0) };
  }
}

/** Sets a field's bit in the rows that have it: all, unless there are validity bits. */
function markPresent(present: Uint32Array, validity: Uint8Array | undefined, bit: number): void {
  const rows = present.length >> 1;
  const word = bit >> 5;
  const mask = 1 << (bit & 31);
  for (let row = 0; row < rows;) {
    const bits = validity === undefined ? 0xff : validity[row >> 3];
    const end = Math.min(row + 8, rows);
    // Nearly all fields of nearly all rows are absent.
    if (bits === 0) row = end;
    for (; row < end; row++) if (((bits >>> (row & 7)) & 1) === 1) present[2 * row + word] |= mask;
  }
}

const UNKNOWN = 2;
/** Per kind: 1 when the event names a virtqueue, UNKNOWN when there is no such event. */
const NEEDS_VQ: Uint8Array = (() => {
  const needs = new Uint8Array(256).fill(UNKNOWN);
  for (const [code, name] of EVENT_NAMES.entries()) {
    if (name !== undefined) needs[code] = eventDefinition(name).fields.includes('vq') ? 1 : 0;
  }
  return needs;
})();

/** Per kind: 1 when the event has a row of details; an access has one only when it has entries. */
const HAS_DETAILS: Uint8Array = (() => {
  const has = new Uint8Array(256);
  for (const [code, name] of EVENT_NAMES.entries()) {
    if (name === undefined || name === 'access') continue;
    has[code] = eventDefinition(name).fields.some((field) => field in DETAIL_BIT) ? 1 : 0;
  }
  return has;
})();

const ACCESS = KIND.access;

const FOUR_ACCESSES = 0x0101_0101 * ACCESS;
const MAX_ACCESSOR = fieldDefinition('accessor').max ?? 0;
const MAX_OBSERVED = fieldDefinition('observed').max ?? 0;
/** MAX_OBJECTS is a power of two. */
const OBJECT_BITS = Math.log2(MAX_OBJECTS);

/** Whether the rows hold what no event may hold. HOT: once per event read; four accesses at a time. */
function hasWrongRow(batch: EventBatch): boolean {
  const { length, kind, vq, accessor, observed, detail } = batch;
  const groups = length >> 2;
  const kinds = new Int32Array(kind.buffer, kind.byteOffset, groups);
  const accessors = new Int32Array(accessor.buffer, accessor.byteOffset, groups);
  const observations = new Int32Array(observed.buffer, observed.byteOffset, groups);
  for (let group = 0; group < groups; group++) {
    const row = 4 * group;
    if (kinds[group] === FOUR_ACCESSES) {
      const before = detail[row];
      const first = detail[row + 1];
      const second = detail[row + 2];
      const third = detail[row + 3];
      const steps =
        (first - before) | (second - first) | (third - second) | (detail[row + 4] - third);
      const vqs = vq[row] | vq[row + 1] | vq[row + 2] | vq[row + 3];
      const doubts =
        (steps >>> 1) |
        (vqs >>> OBJECT_BITS) |
        aboveOrZero(accessors[group], MAX_ACCESSOR) |
        above(observations[group], MAX_OBSERVED);
      if (doubts === 0) continue;
    }
    if (isOneWrong(batch, row, row + 4)) return true;
  }
  return isOneWrong(batch, 4 * groups, length);
}

/** One call for groups and for what is left of them: a call that is not made for long is left out by the compiler. */
function isOneWrong(batch: EventBatch, from: number, to: number): boolean {
  for (let row = from; row < to; row++) if (isWrongRow(batch, row)) return true;
  return false;
}

/** Not 0 when one of four bytes is above `max`, which is below 128. */
function above(bytes: number, max: number): number {
  return ((bytes + 0x0101_0101 * (0x7f - max)) | bytes) & 0x8080_8080;
}

/** Not 0 when one of four bytes is 0 or above `max`, which is below 128. */
function aboveOrZero(bytes: number, max: number): number {
  return above(bytes, max) | ((bytes - 0x0101_0101) & 0x8080_8080);
}

function isWrongRow(batch: EventBatch, row: number): boolean {
  const { kind, vq, accessor, observed, detail, details } = batch;
  const code = kind[row];
  const has = detail[row + 1] - detail[row];
  if (has !== 0 && has !== 1) return true;
  if (code === ACCESS) {
    if (vq[row] >= MAX_OBJECTS || accessor[row] === NO_ACCESSOR || accessor[row] > MAX_ACCESSOR)
      return true;
    return observed[row] > MAX_OBSERVED && observed[row] !== NOT_OBSERVED;
  }
  // The engine takes whatever has an accessor for an access.
  if (accessor[row] !== NO_ACCESSOR) return true;
  const needs = NEEDS_VQ[code];
  if (needs !== 0 && (needs === UNKNOWN || vq[row] >= MAX_OBJECTS)) return true;
  if (HAS_DETAILS[code] === 0) return false;
  return has !== 1 || lacksRequired(details.present, 2 * detail[row], 2 * code);
}

function lacksRequired(present: Uint32Array, at: number, required: number): boolean {
  const low = REQUIRED_DETAILS[required];
  const high = REQUIRED_DETAILS[required + 1];
  return ((low & ~present[at]) | (high & ~present[at + 1])) !== 0;
}

/** Refuses what would lead the engine astray: it indexes by these values without looking. */
function checkBatch(batch: EventBatch, place: BatchPlace, layout: BatchLayout): void {
  const { length, detail, details } = batch;
  let wrong = detail[0] !== 0 || detail[length] !== layout.details || hasWrongRow(batch);
  for (const name of DETAIL_FIELDS) {
    const { max } = fieldDefinition(name);
    const column = details[name];
    if (!(column instanceof Uint8Array) || max === undefined) continue;
    for (let row = 0; row < layout.details; row++) {
      if (column[row] > max && hasDetail(details, row, name)) wrong = true;
    }
  }
  for (let row = 0; row < layout.details; row++) {
    if (details.dev[row] >= MAX_OBJECTS && hasDetail(details, row, 'dev')) wrong = true;
  }
  if (wrong) {
    throw new TraceFormatError(
      `batch at byte ${place.offset} holds impossible values: the file is damaged there`,
    );
  }
}
