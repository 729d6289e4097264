/** Events as plain objects, put into the columns that the engine reads. */
import {
  DETAIL_BIT,
  DETAIL_FIELDS,
  NO_ACCESSOR,
  NO_VQ,
  NOT_OBSERVED,
  type DetailColumns,
  type DetailField,
  type EventBatch,
  type TextColumnData,
} from '../src/event-batch.ts';
import { KIND, fieldDefinition } from '../src/events.ts';
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
  const details: EventRecord[] = [];
  const detail = [0];
  for (const event of events) {
    if (DETAIL_FIELDS.some((field) => event[field] !== undefined)) details.push(event);
    detail.push(details.length);
  }
  return {
    length: events.length,
    time: Uint32Array.from(events.flatMap(({ time }) => words(time))),
    line: Uint32Array.from(events, (_, index) => index + 1),
    kind: Uint8Array.from(events, ({ event }) => KIND[event]),
    vq: Uint32Array.from(events, ({ vq }) => Number(vq ?? NO_VQ)),
    accessor: Uint8Array.from(events, ({ accessor }) => Number(accessor ?? NO_ACCESSOR)),
    observed: Uint8Array.from(events, ({ observed }) => Number(observed ?? NOT_OBSERVED)),
    n: Uint32Array.from(events, (event) => (event.event === 'access' ? numberOf(event, 'n') : 0)),
    detail: Int32Array.from(detail),
    details: detailColumns(details),
  };
}

function words(value: bigint): [low: number, high: number] {
  return [Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn)];
}

function detailColumns(rows: readonly EventRecord[]): DetailColumns {
  const columns: Record<string, unknown> = {
    present: Uint32Array.from(
      rows.flatMap((row) =>
        words(DETAIL_FIELDS.reduce((bits, field) => bits | bitOf(row, field), 0n)),
      ),
    ),
  };
  for (const field of DETAIL_FIELDS) columns[field] = detailColumn(field, rows);
  return columns as unknown as DetailColumns;
}

function bitOf(row: EventRecord, field: DetailField): bigint {
  return row[field] === undefined ? 0n : 1n << BigInt(DETAIL_BIT[field]);
}

function detailColumn(
  field: DetailField,
  rows: readonly EventRecord[],
): Uint8Array | Int32Array | Uint32Array | TextColumnData {
  const values = rows.map((row) => row[field] ?? 0);
  switch (fieldDefinition(field).storage) {
    case 'u8':
      return Uint8Array.from(values, Number);
    case 'i32':
      return Int32Array.from(values, Number);
    case 'u32':
      return Uint32Array.from(values, Number);
    case 'u64':
      return Uint32Array.from(values.flatMap((value) => words(BigInt(value))));
    case 'text': {
      const texts = rows.map((row) => Buffer.from(String(row[field] ?? '')));
      const offsets = [0];
      for (const text of texts) offsets.push(offsets.at(-1)! + text.length);
      return { offsets: Int32Array.from(offsets), bytes: new Uint8Array(Buffer.concat(texts)) };
    }
  }
}
