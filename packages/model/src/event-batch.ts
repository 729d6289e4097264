/**
 * A batch of events as columns: the form in which events travel between bytes, file and model.
 *
 * Every event has the row columns; fields that few events have live in `details`, one row per event
 * that has any of them: the detail rows of event i are `detail[i] .. detail[i + 1]` (none or one).
 * Which fields an event has follows from its kind (EVENTS) and, for optional ones, from
 * `details.present`. Columns may be longer than the batch; only the first `length` rows count.
 */
import { FIELDS, type FieldName } from './event-fields.js';
import { EVENTS, eventDefinition, type EventName } from './events.js';

/** Fields with a row column of their own: those of `access`, which is nearly all of a trace. */
export const ROW_FIELDS = [
  'vq',
  'accessor',
  'observed',
  'n',
] as const satisfies readonly FieldName[];

export type RowField = (typeof ROW_FIELDS)[number];
export type DetailField = Exclude<FieldName, RowField>;

export const DETAIL_FIELDS: readonly DetailField[] = (Object.keys(FIELDS) as FieldName[]).filter(
  (name): name is DetailField => !(ROW_FIELDS as readonly string[]).includes(name),
);

/** Stands in a row column where the event has no such value. */
export const NO_VQ = 0xffff_ffff;
export const NO_ACCESSOR = 0;
export const NOT_OBSERVED = 255;

/** 64-bit values are pairs of 32-bit words, low word first: index 2 * i and 2 * i + 1. */
export type Words = Uint32Array;

/** Strings of one column: the bytes of value i are `bytes[offsets[i] .. offsets[i + 1]]`. */
export interface TextColumnData {
  offsets: Int32Array;
  bytes: Uint8Array;
}

type DetailColumn<Name extends DetailField> = (typeof FIELDS)[Name]['storage'] extends 'u8'
  ? Uint8Array
  : (typeof FIELDS)[Name]['storage'] extends 'i32'
    ? Int32Array
    : (typeof FIELDS)[Name]['storage'] extends 'text'
      ? TextColumnData
      : Uint32Array;

export type DetailColumns = { [Name in DetailField]: DetailColumn<Name> } & {
  /** Two words per detail row: bit DETAIL_BIT[field] is set where it has that field. */
  present: Words;
};

export interface EventBatch {
  length: number;
  /** The one CPU whose events these are. */
  cpu: number;
  /** ns, CLOCK_BOOTTIME, as int64 words. */
  time: Words;
  /** Number of the input line (or arrival), from 1; breaks ties of time between CPUs. */
  line: Uint32Array;
  kind: Uint8Array;
  vq: Uint32Array;
  /** NO_ACCESSOR for all that is no access. */
  accessor: Uint8Array;
  observed: Uint8Array;
  n: Uint32Array;
  detail: Int32Array;
  details: DetailColumns;
}

if (DETAIL_FIELDS.length > 64) throw new Error('`present` has room for 64 detail fields');

/** Bit of a detail field in the two words of `present`. */
export const DETAIL_BIT = Object.fromEntries(DETAIL_FIELDS.map((name, index) => [name, index])) as {
  readonly [Name in DetailField]: number;
};

/** For each event kind, two words: the bits of the detail fields that it always has. */
export const REQUIRED_DETAILS: Words = (() => {
  const masks = new Uint32Array(2 * 256);
  for (const name of Object.keys(EVENTS) as EventName[]) {
    const definition = eventDefinition(name);
    for (const field of definition.fields) {
      if (field in DETAIL_BIT && !definition.optional?.includes(field)) {
        const bit = DETAIL_BIT[field as DetailField];
        masks[2 * definition.code + (bit >> 5)] |= 1 << (bit & 31);
      }
    }
  }
  return masks;
})();

/** Whether the row `detail` of details has a field. */
export function hasDetail({ present }: DetailColumns, detail: number, field: DetailField): boolean {
  const bit = DETAIL_BIT[field];
  return ((present[2 * detail + (bit >> 5)] >>> (bit & 31)) & 1) === 1;
}

/** Notes that the row `detail` of details has a field; its value is the caller's. */
export function markDetail({ present }: DetailColumns, detail: number, field: DetailField): void {
  const bit = DETAIL_BIT[field];
  present[2 * detail + (bit >> 5)] |= 1 << (bit & 31);
}

/** Begins the row `detail` of details, for which there is room: all fields are absent. */
export function beginDetails(details: DetailColumns, detail: number): void {
  details.present[2 * detail] = 0;
  details.present[2 * detail + 1] = 0;
  // A text column has an offset for every row, an empty text where the field is absent.
  details.comm.offsets[detail + 1] = detail === 0 ? 0 : details.comm.offsets[detail];
  details.note.offsets[detail + 1] = detail === 0 ? 0 : details.note.offsets[detail];
}

/** How the dialect writes a zero byte: what follows is left over from a longer name. */
const NAME_END = '\\x00';

/** The name of a thread in a row of details, up to its end. */
export function commAt(
  { offsets, bytes }: { readonly offsets: Int32Array; readonly bytes: Uint8Array },
  row: number,
): string {
  let recorded = '';
  // Letter by letter: of so short a text that is five times as fast as all of them at once.
  for (let at = offsets[row]; at < offsets[row + 1]; at++)
    recorded += String.fromCharCode(bytes[at]);
  const end = recorded.indexOf(NAME_END);
  return end < 0 ? recorded : recorded.slice(0, end);
}

/** ns. In the file they are signed, whatever a clock tells. */
export function timeAt({ time }: Pick<EventBatch, 'time'>, row: number): bigint {
  return (BigInt(time[2 * row + 1] | 0) << 32n) | BigInt(time[2 * row]);
}

/** A 64-bit value of a column. */
export function wordsAt(words: Uint32Array, row: number): bigint {
  return (BigInt(words[2 * row + 1]) << 32n) | BigInt(words[2 * row]);
}
