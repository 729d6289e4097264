/** Reads the fields of events by the one table of events, with words for what is a code there. */
import {
  ACCESSORS,
  AREAS,
  EVENT_NAMES,
  eventDefinition,
  fieldDefinition,
  FIELDS,
  HANDLERS,
  hasDetail,
  INVALIDATION_CAUSES,
  INVALIDATION_CLASSES,
  NOT_OBSERVED,
  ROW_FIELDS,
  type DetailField,
  type EventBatch,
  type FieldName,
  type RowField,
  type Storage,
} from '@vhostscope/model';

/** 64-bit values are bigints, codes are words. */
export type FieldValue = number | bigint | string;

export interface EventField {
  readonly name: FieldName;
  readonly storage: Storage;
  /** Words of a code, by code; undefined for what is no code. */
  readonly words: readonly string[] | undefined;
  /** The value in event `i`, which has the field by its kind; undefined where it is not known. */
  read(batch: EventBatch, i: number): FieldValue | undefined;
}

/** What the kernel decided, by `observed`. */
export const OBSERVED_WORDS = ['fallback', 'hit', 'iotlb'] as const;

const WORDS: Partial<Record<FieldName, readonly string[]>> = {
  accessor: ACCESSORS,
  observed: OBSERVED_WORDS,
  area: AREAS,
  cause: INVALIDATION_CAUSES,
  handler: HANDLERS,
  class: INVALIDATION_CLASSES,
};

/** All fields, in the order of the table. */
export const EVENT_FIELDS: readonly EventField[] = (Object.keys(FIELDS) as FieldName[]).map(
  (name) => {
    const { storage } = fieldDefinition(name);
    const words = WORDS[name];
    const isRow = (ROW_FIELDS as readonly string[]).includes(name);
    return {
      name,
      storage,
      words,
      read: isRow ? rowReader(name as RowField, words) : detailReader(name as DetailField, words),
    };
  },
);

/** The fields of an event by its code. */
export const FIELDS_OF_KIND: readonly (readonly EventField[])[] = EVENT_NAMES.map((kind) =>
  kind === undefined
    ? []
    : eventDefinition(kind).fields.flatMap(
        (name) => EVENT_FIELDS.find((field) => field.name === name) ?? [],
      ),
);

function rowReader(name: RowField, words: readonly string[] | undefined): EventField['read'] {
  return (batch, i) => {
    const value = batch[name][i] ?? 0;
    if (name === 'observed' && value === NOT_OBSERVED) return undefined;
    return words === undefined ? value : (words[value] ?? String(value));
  };
}

function detailReader(name: DetailField, words: readonly string[] | undefined): EventField['read'] {
  const { storage } = fieldDefinition(name);
  return ({ detail, details }, i) => {
    const at = detail[i] ?? 0;
    // An event without any such field has no row there.
    if (detail[i + 1] === at || !hasDetail(details, at, name)) return undefined;
    const column = details[name];
    if (!ArrayBuffer.isView(column)) return textOf(column, at, name === 'comm');
    if (storage === 'u64')
      return (BigInt(column[2 * at + 1] ?? 0) << 32n) | BigInt(column[2 * at] ?? 0);
    const value = column[at] ?? 0;
    return words === undefined ? value : (words[value] ?? String(value));
  };
}

/** How the dialect writes a zero byte: what stands behind the end of a name is no part of it. */
const NAME_END = '\\x00';

function textOf(
  { offsets, bytes }: { readonly offsets: Int32Array; readonly bytes: Uint8Array },
  at: number,
  isName: boolean,
): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'latin1',
    offsets[at] ?? 0,
    offsets[at + 1] ?? 0,
  );
  const end = isName ? text.indexOf(NAME_END) : -1;
  return end < 0 ? text : text.slice(0, end);
}
