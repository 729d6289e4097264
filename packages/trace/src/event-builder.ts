/**
 * Collects the events of one CPU into a batch.
 *
 * HOT: `appendLine` runs once per event of an import and allocates nothing while the batch has room.
 * Benchmark: `pnpm bench`.
 */
import {
  ACCESSORS,
  DETAIL_BIT,
  DETAIL_FIELDS,
  EVENTS,
  KIND,
  NO_ACCESSOR,
  NO_VQ,
  NOT_OBSERVED,
  SLOT,
  TIME_SLOT,
  beginDetails,
  eventDefinition,
  fieldDefinition,
  hasDetail,
  markDetail,
  type DetailColumns,
  type DetailField,
  type EventBatch,
  type EventLine,
  type EventName,
  type FieldName,
  type TextColumnData,
} from '@vhostscope/model';

/** Rows of a full batch. */
export const BATCH_ROWS = 16_384;
const FIRST_ROWS = 64;
const FIRST_DETAILS = 16;

export interface EventBuilder extends EventBatch {
  details: DetailColumns;
  /** Detail rows in use, and room for. */
  detailCount: number;
  rowCapacity: number;
  detailCapacity: number;
  cpuColumn: Uint16Array;
  /** Rows that are no accesses, the first `otherCount` places, and accesses without observation. */
  others: Uint32Array;
  otherCount: number;
  unobserved: number;
}

/**
 * An empty builder of a CPU; it grows as it is filled.
 *
 * @param rows room for rows to begin with, and for rows of details
 */
export function createEventBuilder(
  cpu: number,
  rows = FIRST_ROWS,
  details = FIRST_DETAILS,
): EventBuilder {
  return {
    length: 0,
    cpu,
    time: new Uint32Array(2 * rows),
    line: new Uint32Array(rows),
    kind: new Uint8Array(rows),
    vq: new Uint32Array(rows),
    accessor: new Uint8Array(rows),
    observed: new Uint8Array(rows),
    n: new Uint32Array(rows),
    detail: new Int32Array(rows + 1),
    details: allocateDetails(details),
    detailCount: 0,
    rowCapacity: rows,
    detailCapacity: details,
    cpuColumn: new Uint16Array(rows).fill(cpu),
    others: new Uint32Array(FIRST_DETAILS),
    otherCount: 0,
    unobserved: 0,
  };
}

function allocateDetails(capacity: number): DetailColumns {
  const columns: Partial<Record<DetailField | 'present', unknown>> = {
    present: new Uint32Array(2 * capacity),
  };
  for (const name of DETAIL_FIELDS) columns[name] = allocateColumn(name, capacity);
  return columns as DetailColumns;
}

function allocateColumn(
  name: DetailField,
  capacity: number,
): Uint8Array | Int32Array | Uint32Array | TextColumnData {
  switch (fieldDefinition(name).storage) {
    case 'u8':
      return new Uint8Array(capacity);
    case 'i32':
      return new Int32Array(capacity);
    case 'u32':
      return new Uint32Array(capacity);
    case 'u64':
      return new Uint32Array(2 * capacity);
    case 'text':
      return { offsets: new Int32Array(capacity + 1), bytes: new Uint8Array(16 * capacity) };
  }
}

function grow<Column extends Uint8Array | Uint16Array | Int32Array | Uint32Array>(
  column: Column,
  length: number,
): Column {
  const larger = new (column.constructor as new (length: number) => Column)(length);
  larger.set(column);
  return larger;
}

function growRows(builder: EventBuilder): void {
  const rows = 2 * builder.rowCapacity;
  builder.time = grow(builder.time, 2 * rows);
  builder.line = grow(builder.line, rows);
  builder.kind = grow(builder.kind, rows);
  builder.vq = grow(builder.vq, rows);
  builder.accessor = grow(builder.accessor, rows);
  builder.observed = grow(builder.observed, rows);
  builder.n = grow(builder.n, rows);
  builder.detail = grow(builder.detail, rows + 1);
  builder.cpuColumn = new Uint16Array(rows).fill(builder.cpu);
  builder.rowCapacity = rows;
}

function growDetails(builder: EventBuilder): void {
  const capacity = 2 * builder.detailCapacity;
  const larger = allocateDetails(capacity);
  larger.present.set(builder.details.present);
  for (const name of DETAIL_FIELDS) {
    const to = larger[name];
    const from = builder.details[name];
    if (to instanceof Uint8Array || to instanceof Int32Array || to instanceof Uint32Array) {
      to.set(from as Uint8Array & Int32Array & Uint32Array);
    } else {
      to.offsets.set((from as TextColumnData).offsets);
      to.bytes = grow(
        (from as TextColumnData).bytes,
        Math.max(to.bytes.length, (from as TextColumnData).bytes.length),
      );
    }
  }
  builder.details = larger;
  builder.detailCapacity = capacity;
}

/** Makes an empty builder one of another CPU. */
export function assignCpu(builder: EventBuilder, cpu: number): void {
  if (builder.cpu === cpu) return;
  builder.cpu = cpu;
  builder.cpuColumn.fill(cpu);
}

/** Forgets the rows; the memory stays for the next batch. */
export function clearBuilder(builder: EventBuilder): void {
  builder.length = 0;
  builder.detailCount = 0;
  builder.otherCount = 0;
  builder.unobserved = 0;
}

/** Notes that a row is no access. */
export function noteOther(builder: EventBuilder, row: number): void {
  const { others, otherCount } = builder;
  if (otherCount === others.length) builder.others = grow(others, 2 * otherCount);
  builder.others[builder.otherCount++] = row;
}

const U8 = 0;
const I32 = 1;
const U32 = 2;
const U64 = 3;
const TEXT = 4;
const STORAGE_CODE = { u8: U8, i32: I32, u32: U32, u64: U64, text: TEXT } as const;

interface DetailStep {
  readonly name: DetailField;
  readonly storage: number;
  /** Index of the low word in EventLine.words. */
  readonly word: number;
  /** Its bit in EventLine.absent. */
  readonly absent: number;
}

/** Per kind: the detail fields that a line of text gives it. */
const LINE_DETAILS: readonly (readonly DetailStep[])[] = (() => {
  const steps: DetailStep[][] = [];
  for (const event of Object.keys(EVENTS) as EventName[]) {
    const { code, text } = eventDefinition(event);
    steps[code] = (text?.columns ?? []).flatMap((column, index) =>
      typeof column === 'string' && isDetail(column)
        ? {
            name: column,
            storage: STORAGE_CODE[fieldDefinition(column).storage],
            word: 2 * SLOT[column],
            absent: 1 << index,
          }
        : [],
    );
  }
  return steps;
})();

function isDetail(field: FieldName): field is DetailField {
  return field in DETAIL_BIT;
}

const ACCESS_COLUMNS: readonly unknown[] = eventDefinition('access').text?.columns ?? [];
const PUT_USED = ACCESSORS.indexOf('put_used');
const VQ_WORD = 2 * SLOT.vq;
const ACCESSOR_WORD = 2 * SLOT.accessor;
const OBSERVED_WORD = 2 * SLOT.observed;
const ENTRIES_WORD = 2 * SLOT.entries;
const TIME_WORD = 2 * TIME_SLOT;
const ENTRIES_ABSENT = 1 << ACCESS_COLUMNS.indexOf('entries');

/**
 * Appends an event read from a line of text, in which `vq` and `dev` are ids already.
 *
 * @param bytes what the line was read from; holds its comm
 * @param lineNumber number of the input line, from 1
 */
export function appendLine(
  builder: EventBuilder,
  line: EventLine,
  bytes: Uint8Array,
  lineNumber: number,
): void {
  const row = builder.length;
  if (row === builder.rowCapacity) growRows(builder);
  const { words, kind } = line;
  builder.time[2 * row] = words[TIME_WORD];
  builder.time[2 * row + 1] = words[TIME_WORD + 1];
  builder.line[row] = lineNumber;
  builder.kind[row] = kind;
  builder.detail[row] = builder.detailCount;
  builder.length = row + 1;
  if (kind === KIND.access) {
    builder.vq[row] = words[VQ_WORD];
    builder.accessor[row] = words[ACCESSOR_WORD];
    builder.observed[row] = words[OBSERVED_WORD];
    builder.n[row] = 1;
    if (builder.observed[row] === NOT_OBSERVED) builder.unobserved++;
    // Only put_used moves more than one entry; the others' 1 says nothing.
    if (words[ACCESSOR_WORD] === PUT_USED && (line.absent & ENTRIES_ABSENT) === 0) {
      const detail = beginDetail(builder);
      markDetail(builder.details, detail, 'entries');
      builder.details.entries[detail] = words[ENTRIES_WORD];
    }
  } else {
    noteOther(builder, row);
    builder.vq[row] = HAS_VQ[kind] === 1 ? words[VQ_WORD] : NO_VQ;
    builder.accessor[row] = NO_ACCESSOR;
    builder.observed[row] = NOT_OBSERVED;
    builder.n[row] = 0;
    if (LINE_DETAILS[kind].length > 0) appendDetails(builder, line, bytes);
  }
  builder.detail[row + 1] = builder.detailCount;
}

const HAS_VQ: Uint8Array = (() => {
  const has = new Uint8Array(256);
  for (const event of Object.keys(EVENTS) as EventName[]) {
    const { code, fields } = eventDefinition(event);
    has[code] = fields.includes('vq') ? 1 : 0;
  }
  return has;
})();

function appendDetails(builder: EventBuilder, line: EventLine, bytes: Uint8Array): void {
  const steps = LINE_DETAILS[line.kind];
  const detail = beginDetail(builder);
  const { details } = builder;
  const { words } = line;
  for (let i = 0; i < steps.length; i++) {
    const { name, storage, word, absent } = steps[i];
    if ((line.absent & absent) !== 0) continue;
    markDetail(details, detail, name);
    if (storage === U64) {
      const column = details[name] as Uint32Array;
      column[2 * detail] = words[word];
      column[2 * detail + 1] = words[word + 1];
    } else if (storage === TEXT) {
      appendText(details[name] as TextColumnData, detail, bytes, line.restStart, line.restEnd);
    } else {
      (details[name] as Uint8Array | Int32Array | Uint32Array)[detail] = words[word];
    }
  }
}

/** A new detail row, all of whose fields are absent. */
function beginDetail(builder: EventBuilder): number {
  const detail = builder.detailCount;
  if (detail === builder.detailCapacity) growDetails(builder);
  builder.detailCount = detail + 1;
  beginDetails(builder.details, detail);
  return detail;
}

function appendText(
  column: TextColumnData,
  detail: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  let at = detail === 0 ? 0 : column.offsets[detail];
  if (at + to - from > column.bytes.length) {
    column.bytes = grow(column.bytes, Math.max(2 * column.bytes.length, at + to - from));
  }
  for (let i = from; i < to; i++) column.bytes[at++] = bytes[i];
  column.offsets[detail + 1] = at;
}

/** Per kind: the detail fields that an event of it may have. */
const DETAILS_OF: readonly (readonly DetailField[] | undefined)[] = (() => {
  const fields: DetailField[][] = [];
  for (const event of Object.keys(EVENTS) as EventName[]) {
    const definition = eventDefinition(event);
    fields[definition.code] = definition.fields.filter(isDetail);
  }
  return fields;
})();

/**
 * Appends a copy of an event of another batch, under a line of its own.
 *
 * HOT: once per event of a merge.
 */
export function appendCopy(
  builder: EventBuilder,
  batch: EventBatch,
  from: number,
  lineNumber: number,
): void {
  const row = builder.length;
  if (row === builder.rowCapacity) growRows(builder);
  const kind = batch.kind[from];
  builder.time[2 * row] = batch.time[2 * from];
  builder.time[2 * row + 1] = batch.time[2 * from + 1];
  builder.line[row] = lineNumber;
  builder.kind[row] = kind;
  builder.vq[row] = HAS_VQ[kind] === 1 ? batch.vq[from] : NO_VQ;
  builder.detail[row] = builder.detailCount;
  builder.length = row + 1;
  if (kind === KIND.access) {
    builder.accessor[row] = batch.accessor[from];
    builder.observed[row] = batch.observed[from];
    builder.n[row] = batch.n[from];
    if (builder.observed[row] === NOT_OBSERVED) builder.unobserved++;
  } else {
    noteOther(builder, row);
    builder.accessor[row] = NO_ACCESSOR;
    builder.observed[row] = NOT_OBSERVED;
    builder.n[row] = 0;
  }
  if (batch.detail[from + 1] > batch.detail[from]) copyDetails(builder, batch, from);
  builder.detail[row + 1] = builder.detailCount;
}

function copyDetails(builder: EventBuilder, batch: EventBatch, from: number): void {
  const at = batch.detail[from];
  const detail = beginDetail(builder);
  const { details } = builder;
  for (const name of DETAILS_OF[batch.kind[from]] ?? []) {
    if (!hasDetail(batch.details, at, name)) continue;
    markDetail(details, detail, name);
    const column = batch.details[name];
    if ('offsets' in column) {
      const { offsets, bytes } = column;
      appendText(details[name] as TextColumnData, detail, bytes, offsets[at], offsets[at + 1]);
    } else if (fieldDefinition(name).storage === 'u64') {
      const to = details[name] as Uint32Array;
      to[2 * detail] = column[2 * at];
      to[2 * detail + 1] = column[2 * at + 1];
    } else {
      (details[name] as Uint8Array | Int32Array | Uint32Array)[detail] = column[at];
    }
  }
}

/** Values of an event that is not a line of text; see EVENTS for what belongs to which. */
export type EventValues = Partial<Record<DetailField, number | bigint | string>> & {
  readonly vq?: number;
};

/** Appends an event given by name: the rare ones that the writer itself makes. */
export function appendEvent(
  builder: EventBuilder,
  event: EventName,
  time: bigint,
  lineNumber: number,
  values: EventValues,
): void {
  const row = builder.length;
  if (row === builder.rowCapacity) growRows(builder);
  builder.time[2 * row] = Number(time & 0xffff_ffffn);
  builder.time[2 * row + 1] = Number((time >> 32n) & 0xffff_ffffn);
  builder.line[row] = lineNumber;
  builder.kind[row] = EVENTS[event].code;
  noteOther(builder, row);
  builder.vq[row] = values.vq ?? NO_VQ;
  builder.accessor[row] = NO_ACCESSOR;
  builder.observed[row] = NOT_OBSERVED;
  builder.n[row] = 0;
  builder.detail[row] = builder.detailCount;
  builder.length = row + 1;
  const detail = beginDetail(builder);
  const { details } = builder;
  for (const name of DETAIL_FIELDS) {
    const value = values[name];
    if (value === undefined) continue;
    markDetail(details, detail, name);
    const storage = STORAGE_CODE[fieldDefinition(name).storage];
    if (storage === TEXT) {
      const text = Buffer.from(String(value), 'utf8');
      appendText(details[name] as TextColumnData, detail, text, 0, text.length);
    } else if (storage === U64) {
      const column = details[name] as Uint32Array;
      column[2 * detail] = Number(BigInt(value) & 0xffff_ffffn);
      column[2 * detail + 1] = Number((BigInt(value) >> 32n) & 0xffff_ffffn);
    } else {
      (details[name] as Uint8Array | Int32Array | Uint32Array)[detail] = Number(value);
    }
  }
  builder.detail[row + 1] = builder.detailCount;
}
