/** Events as plain objects, put into the columns that the engine reads. */
import {
  DETAIL_BIT,
  DETAIL_FIELDS,
  NO_ACCESSOR,
  NO_VQ,
  NOT_OBSERVED,
  markDetail,
  type DetailColumns,
  type DetailField,
  type EventBatch,
  type TextColumnData,
} from '../src/event-batch.ts';
import { fieldDefinition } from '../src/event-fields.ts';
import { KIND } from '../src/events.ts';
import { numberOf, type EventRecord } from './event-record.ts';

/** Events `from` to `to` (exclusive) of a batch. */
export interface BatchRun {
  readonly batch: EventBatch;
  readonly from: number;
  readonly to: number;
}

/** Runs of events of one CPU, in the order of the list; `line` is the place in it, from 1. */
export function batchesOf(events: readonly EventRecord[]): BatchRun[] {
  const columns = columnsOf(events);
  const runs: BatchRun[] = [];
  let from = 0;
  for (let i = 1; i <= events.length; i++) {
    if (i < events.length && events[i].cpu === events[from].cpu) continue;
    runs.push({ batch: { ...columns, cpu: events[from].cpu }, from, to: i });
    from = i;
  }
  return runs;
}

/** All events as columns, whatever their CPU. */
function columnsOf(events: readonly EventRecord[]): Omit<EventBatch, 'cpu'> {
  const { length } = events;
  const details: EventRecord[] = [];
  const detail = new Int32Array(length + 1);
  const columns = {
    length,
    time: new Uint32Array(2 * length),
    line: new Uint32Array(length),
    kind: new Uint8Array(length),
    vq: new Uint32Array(length),
    accessor: new Uint8Array(length),
    observed: new Uint8Array(length),
    n: new Uint32Array(length),
    detail,
  };
  for (const [i, event] of events.entries()) {
    setWords(columns.time, i, event.time);
    columns.line[i] = i + 1;
    columns.kind[i] = KIND[event.event];
    columns.vq[i] = Number(event.vq ?? NO_VQ);
    columns.accessor[i] = Number(event.accessor ?? NO_ACCESSOR);
    columns.observed[i] = Number(event.observed ?? NOT_OBSERVED);
    columns.n[i] = event.event === 'access' ? numberOf(event, 'n') : 0;
    if (hasDetails(event)) details.push(event);
    detail[i + 1] = details.length;
  }
  return { ...columns, details: detailColumns(details) };
}

function hasDetails(event: EventRecord): boolean {
  for (const field in event) {
    if (field in DETAIL_BIT && event[field as DetailField] !== undefined) return true;
  }
  return false;
}

/** The 64-bit value `i` of a column of words. */
function setWords(column: Uint32Array, i: number, value: number | bigint | string): void {
  const bits = BigInt(value);
  column[2 * i] = Number(bits & 0xffff_ffffn);
  column[2 * i + 1] = Number((bits >> 32n) & 0xffff_ffffn);
}

function detailColumns(rows: readonly EventRecord[]): DetailColumns {
  const columns: Record<string, unknown> = { present: new Uint32Array(2 * rows.length) };
  for (const field of DETAIL_FIELDS) {
    const { storage } = fieldDefinition(field);
    columns[field] =
      storage === 'text'
        ? textColumn(field, rows)
        : new COLUMN[storage](WORDS[storage] * rows.length);
  }
  const details = columns as unknown as DetailColumns;
  // A row has few of the many fields.
  for (const [at, row] of rows.entries()) {
    for (const field in row) {
      const value = row[field as DetailField];
      if (value === undefined || !(field in DETAIL_BIT)) continue;
      markDetail(details, at, field as DetailField);
      const { storage } = fieldDefinition(field as DetailField);
      if (storage === 'u64') setWords(columns[field] as Uint32Array, at, value);
      else if (storage !== 'text') (columns[field] as Uint32Array)[at] = Number(value);
    }
  }
  return details;
}

const COLUMN = { u8: Uint8Array, i32: Int32Array, u32: Uint32Array, u64: Uint32Array } as const;
const WORDS = { u8: 1, i32: 1, u32: 1, u64: 2 } as const;

/** An empty text where a row lacks the field. */
function textColumn(field: DetailField, rows: readonly EventRecord[]): TextColumnData {
  const offsets = new Int32Array(rows.length + 1);
  const texts: Uint8Array[] = [];
  for (const [at, row] of rows.entries()) {
    offsets[at + 1] = offsets[at];
    if (row[field] === undefined) continue;
    const text = Buffer.from(String(row[field]));
    offsets[at + 1] += text.length;
    texts.push(text);
  }
  return { offsets, bytes: new Uint8Array(Buffer.concat(texts)) };
}
