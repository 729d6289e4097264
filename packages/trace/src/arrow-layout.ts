/**
 * How a batch of events lies in Arrow: the schema and its fields in the order of their physical
 * buffers. Both follow from the table of events; writer and reader walk the same order.
 *
 * Row columns, then one column `details: list<struct<…>>` with no or one element per row for the
 * fields that few events have: one flat row of all fields would be several times as large.
 */
import {
  Field,
  Int32,
  Int64,
  List,
  Schema,
  Struct,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  type DataType,
} from 'apache-arrow';
import { DETAIL_FIELDS, fieldDefinition, type Storage } from '@vhostscope/model';

const TYPE_OF: Readonly<Record<Storage, () => DataType>> = {
  u8: () => new Uint8(),
  i32: () => new Int32(),
  u32: () => new Uint32(),
  u64: () => new Uint64(),
  text: () => new Utf8(),
};

/** Bytes per value of a fixed-width storage. */
export const BYTES_OF: Readonly<Record<Exclude<Storage, 'text'>, number>> = {
  u8: 1,
  i32: 4,
  u32: 4,
  u64: 8,
};

const DETAIL_TYPE = new Struct(
  DETAIL_FIELDS.map((name) => new Field(name, TYPE_OF[fieldDefinition(name).storage](), true)),
);

/**
 * Columns of a row before `details`, in file order. The kinds that a code stands for, and the unit of
 * every field, are in the schema's metadata.
 */
const ROW_COLUMNS: readonly Field[] = [
  new Field('time', new Int64(), false),
  new Field('cpu', new Uint16(), false),
  new Field('line', new Uint32(), false),
  new Field('kind', new Uint8(), false),
  new Field('vq', new Uint32(), true),
  new Field('accessor', new Uint8(), true),
  new Field('observed', new Uint8(), true),
  new Field('n', new Uint32(), true),
];

/** The schema of a trace file, with its header as metadata. */
export function traceSchema(metadata: ReadonlyMap<string, string>): Schema {
  const details = new Field('details', new List(new Field('item', DETAIL_TYPE, false)), false);
  return new Schema([...ROW_COLUMNS, details], new Map(metadata));
}

/** Nodes of a record batch: one per field, nested ones included. */
export const NODE_COUNT: number = ROW_COLUMNS.length + 2 + DETAIL_FIELDS.length;

/** Buffers of a record batch: two per fixed-width field, three per text, one for the struct. */
export const BUFFER_COUNT: number =
  2 * ROW_COLUMNS.length +
  2 +
  1 +
  DETAIL_FIELDS.reduce((sum, name) => sum + (fieldDefinition(name).storage === 'text' ? 3 : 2), 0);
