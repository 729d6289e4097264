/** Writes a Parquet file, row group by row group: memory does not depend on how many there are. */
import { appendBytes, appendWord, contentOf, createByteBuffer } from '../byte-buffer.js';
import { createColumnChunk, writeChunk, type ColumnChunk, type Physical } from './column-chunk.js';
import { CONVERTED, MAGIC, REPETITION, TYPE } from './parquet-schema.js';
import { appendStruct, type ThriftStruct, type ThriftValue } from './thrift.js';

export interface ColumnDefinition {
  readonly name: string;
  /** What its bits mean. */
  readonly type: keyof typeof CONVERTED;
  readonly isOptional: boolean;
}

export interface ParquetFile {
  /** In the order of the definitions. */
  readonly columns: readonly ColumnChunk[];
  /** Number of the row that is being put, within its row group. */
  readonly row: number;
  endRow(): void;
  /** What was put, and the footer. */
  finish(): void;
}

/** The longest that is worth it: readers work through row groups side by side. */
const GROUP_ROWS = 1 << 17;

/**
 * @param write takes bytes over
 * @param about what the footer says of the file, by name
 */
export function createParquetFile(
  write: (bytes: Uint8Array) => void,
  definitions: readonly ColumnDefinition[],
  about: Readonly<Record<string, string>>,
  groupRows: number = GROUP_ROWS,
): ParquetFile {
  const columns = definitions.map(({ type, isOptional }) =>
    createColumnChunk(physicalOf(type), isOptional),
  );
  // The footer tells of each group; that much has to be kept until the end.
  const groups = createByteBuffer();
  let groupCount = 0;
  let allRows = 0;
  let offset = 0;
  let row = 0;
  const append = (bytes: Uint8Array): void => {
    write(bytes);
    offset += bytes.length;
  };
  const endGroup = (): void => {
    if (row === 0) return;
    const from = offset;
    let uncompressed = 0;
    const items: ThriftValue[] = [];
    for (const [number, definition] of definitions.entries()) {
      const chunk = columns[number];
      if (chunk === undefined) continue;
      const { type, name } = definition;
      const written = writeChunk(chunk, row, type.startsWith('i'));
      const at = offset;
      append(written.bytes);
      uncompressed += written.uncompressed;
      const { bounds } = written;
      const metadata: ThriftStruct = [
        [1, { i32: TYPE[physicalOf(type)] }],
        [2, { list: 'i32', items: written.encodings.map((encoding) => ({ i32: encoding })) }],
        [3, { list: 'text', items: [{ text: name }] }],
        [4, { i32: written.codec }],
        [5, { i64: row }],
        [6, { i64: written.uncompressed }],
        [7, { i64: written.bytes.length }],
        [9, { i64: at + written.dataAt }],
        [11, written.dataAt === 0 ? undefined : { i64: at }],
        [
          12,
          {
            struct: [
              [3, { i64: written.nulls }],
              [5, bounds && { text: bounds.most }],
              [6, bounds && { text: bounds.least }],
            ],
          },
        ],
      ];
      items.push({
        struct: [
          [2, { i64: at }],
          [3, { struct: metadata }],
        ],
      });
    }
    appendStruct(groups, [
      [1, { list: 'struct', items }],
      [2, { i64: uncompressed }],
      [3, { i64: row }],
      [6, { i64: offset - from }],
    ]);
    groupCount++;
    allRows += row;
    row = 0;
  };
  append(Buffer.from(MAGIC, 'latin1'));
  return {
    columns,
    get row() {
      return row;
    },
    endRow: () => {
      if (++row === groupRows) endGroup();
    },
    finish: () => {
      endGroup();
      const footer = createByteBuffer();
      appendStruct(footer, [
        [1, { i32: 1 }],
        [2, { list: 'struct', items: schemaOf(definitions) }],
        [3, { i64: allRows }],
        [4, { structs: contentOf(groups), count: groupCount }],
        [5, { list: 'struct', items: aboutItems(about) }],
        [6, { text: 'vhostscope' }],
        // The bounds are in the order of the types.
        [7, { list: 'struct', items: definitions.map(() => ({ struct: [[1, { struct: [] }]] })) }],
      ]);
      const { length } = footer;
      appendWord(footer, length);
      appendBytes(footer, Buffer.from(MAGIC, 'latin1'));
      append(contentOf(footer));
    },
  };
}

function physicalOf(type: ColumnDefinition['type']): Physical {
  if (type === 'utf8') return 'text';
  return type === 'u64' || type === 'i64' ? 'int64' : 'int32';
}

function schemaOf(definitions: readonly ColumnDefinition[]): ThriftValue[] {
  const root: ThriftValue = {
    struct: [
      [4, { text: 'events' }],
      [5, { i32: definitions.length }],
    ],
  };
  return [
    root,
    ...definitions.map(({ name, type, isOptional }): ThriftValue => ({
      struct: [
        [1, { i32: TYPE[physicalOf(type)] }],
        [3, { i32: isOptional ? REPETITION.optional : REPETITION.required }],
        [4, { text: name }],
        [6, { i32: CONVERTED[type] }],
      ],
    })),
  ];
}

function aboutItems(about: Readonly<Record<string, string>>): ThriftValue[] {
  return Object.entries(about).map(([key, value]): ThriftValue => ({
    struct: [
      [1, { text: key }],
      [2, { text: value }],
    ],
  }));
}
