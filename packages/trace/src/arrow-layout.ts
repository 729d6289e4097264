/**
 * How a batch of events lies in Arrow: the schema and its fields in the order of their physical
 * buffers. Both follow from the table of events; writer and reader walk the same order.
 *
 * Row columns, then one column `details: list<struct<…>>` with no or one element per row for the
 * fields that few events have: one flat row of all fields would be several times as large.
 *
 * Later formats have more fields at the end: the columns of a file are the first of those below.
 */
import { DETAIL_FIELDS, fieldDefinition, type Storage } from '@vhostscope/model';

/** Before every message of the stream: this mark, and the length of its metadata as 32 bits. */
export const CONTINUATION = 0xffff_ffff;
export const PREFIX_BYTES = 8;

/** A column: its name, the type of its values (unsigned, signed, text), and whether some may be null. */
export interface Column {
  readonly name: string;
  readonly type: Storage | 'u16' | 'i64';
  readonly nullable: boolean;
}

/** Bytes per value of a fixed-width storage. */
export const BYTES_OF: Readonly<Record<Exclude<Storage, 'text'>, number>> = {
  u8: 1,
  i32: 4,
  u32: 4,
  u64: 8,
};

/**
 * Columns of a row before `details`, in file order. The kinds that a code stands for, and the unit of
 * every field, are in the schema's metadata.
 */
export const ROW_COLUMNS: readonly Column[] = [
  { name: 'time', type: 'i64', nullable: false },
  { name: 'cpu', type: 'u16', nullable: false },
  { name: 'line', type: 'u32', nullable: false },
  { name: 'kind', type: 'u8', nullable: false },
  { name: 'vq', type: 'u32', nullable: true },
  { name: 'accessor', type: 'u8', nullable: true },
  { name: 'observed', type: 'u8', nullable: true },
  { name: 'n', type: 'u32', nullable: true },
];

/** Columns of a row of details. */
export const DETAIL_COLUMNS: readonly Column[] = DETAIL_FIELDS.map((name) => ({
  name,
  type: fieldDefinition(name).storage,
  nullable: true,
}));

/** Fields of details in format 1. */
const FIRST_DETAIL_FIELDS = 24;

/** Nodes of a record batch: one per field, nested ones included. */
export const NODE_COUNT: number = nodeCount(DETAIL_FIELDS.length);
/** Nodes of a batch of the first format. */
export const LEAST_NODE_COUNT: number = nodeCount(FIRST_DETAIL_FIELDS);

function nodeCount(detailFields: number): number {
  return ROW_COLUMNS.length + 2 + detailFields;
}

/** Fields of details in a batch that has so many nodes. */
export function detailFieldCount(nodes: number): number {
  return nodes - nodeCount(0);
}

/** Buffers of a record batch with so many fields of details: two per fixed-width field, three per text, one for the struct. */
export function bufferCount(detailFields: number): number {
  return DETAIL_FIELDS.slice(0, detailFields).reduce(
    (sum, name) => sum + (fieldDefinition(name).storage === 'text' ? 3 : 2),
    2 * ROW_COLUMNS.length + 2 + 1,
  );
}

export const BUFFER_COUNT: number = bufferCount(DETAIL_FIELDS.length);
