/** Any table, as DuckDB reads it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { putText, putWord, putWords } from '../src/export/parquet/column-chunk.ts';
import { createParquetFile, type ColumnDefinition } from '../src/export/parquet/parquet-file.ts';
import { query } from './duckdb.ts';
import { temporaryFolder } from './traces.ts';

const folder = temporaryFolder();
let written = 0;
const TYPES = ['u8', 'u16', 'u32', 'i32', 'u64', 'i64', 'utf8'] as const;
type Type = (typeof TYPES)[number];

const BITS: Readonly<Record<Exclude<Type, 'utf8'>, number>> = {
  u8: 8,
  u16: 16,
  u32: 32,
  i32: 32,
  u64: 64,
  i64: 64,
};

type Value = bigint | string | null;

const valueOf = (type: Type): fc.Arbitrary<Value> => {
  if (type === 'utf8') return fc.string({ unit: 'grapheme' });
  const bits = BigInt(BITS[type]);
  return type.startsWith('i')
    ? fc.bigInt(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n)
    : fc.bigInt(0n, 2n ** bits - 1n);
};

interface Table {
  readonly definitions: readonly ColumnDefinition[];
  readonly rows: readonly (readonly Value[])[];
}

const table: fc.Arbitrary<Table> = fc
  .array(fc.record({ type: fc.constantFrom(...TYPES), isOptional: fc.boolean() }), {
    minLength: 1,
    maxLength: 9,
  })
  .chain((types) =>
    fc.record({
      definitions: fc.constant(types.map((of, number) => ({ name: `c${number}`, ...of }))),
      rows: fc.array(
        fc.tuple(
          ...types.map(({ type, isOptional }) =>
            isOptional ? fc.option(valueOf(type), { freq: 1 }) : valueOf(type),
          ),
        ),
        { maxLength: 60 },
      ),
    }),
  );

function write({ definitions, rows }: Table, groupRows: number): string {
  const pieces: Uint8Array[] = [];
  const file = createParquetFile((bytes) => pieces.push(bytes), definitions, { a: 'b' }, groupRows);
  for (const row of rows) {
    for (const [number, chunk] of file.columns.entries()) {
      const value = row[number];
      if (value === undefined || value === null) continue;
      if (typeof value === 'string') putText(chunk, file.row, value);
      else if (chunk.physical === 'int32') putWord(chunk, file.row, Number(value));
      else
        putWords(
          chunk,
          file.row,
          Number(value & 0xffff_ffffn),
          Number((value >> 32n) & 0xffff_ffffn),
        );
    }
    file.endRow();
  }
  file.finish();
  // DuckDB may remember a file by its name.
  const path = join(folder, `table${written++}.parquet`);
  writeFileSync(path, Buffer.concat(pieces));
  return path;
}

it('is read as it was meant: all types, nulls, any number of row groups', async () => {
  await fc.assert(
    fc.asyncProperty(table, fc.integer({ min: 1, max: 70 }), async (of, groupRows) => {
      const path = write(of, groupRows);
      const columns = of.definitions.map(({ name }) => `${name}::varchar ${name}`);
      const found = await query(`select ${columns.join(', ')} from '${path}'`);
      expect(found.map((row) => of.definitions.map(({ name }) => row[name]))).toEqual(
        of.rows.map((row) => row.map((value) => (value === null ? null : String(value)))),
      );
      // Bounds that were wrong would leave row groups out.
      for (const [number, { name, type }] of of.definitions.entries()) {
        const [value] = of.rows.flatMap((row) => row[number] ?? []);
        if (value === undefined || type === 'utf8') continue;
        const expected = of.rows.filter((row) => (row[number] ?? NaN) >= value).length;
        const [counted] = await query(`select count(*) n from '${path}' where ${name} >= ${value}`);
        expect(counted).toEqual({ n: String(expected) });
      }
    }),
    { numRuns: 60 },
  );
});

it.each([0, 1, 255, 256, 257, 65_536, 65_537])('a dictionary of %i texts', async (texts) => {
  const rows = Array.from({ length: texts }, (_, i) => [`text ${i}`]);
  const path = write(
    { definitions: [{ name: 'c0', type: 'utf8', isOptional: false }], rows: [...rows, ...rows] },
    1 << 18,
  );
  const [found] = await query(
    `select count(*) n, count(distinct c0) d, count(nullif(c0 like 'text %', false)) t from '${path}'`,
  );
  expect(found).toEqual({ n: String(2 * texts), d: String(texts), t: String(2 * texts) });
});

it('has its words in the footer', async () => {
  const path = write(
    { definitions: [{ name: 'c0', type: 'u8', isOptional: true }], rows: [[1n]] },
    9,
  );
  const [found] = await query(
    `select decode(key) k, decode(value) v from parquet_kv_metadata('${path}')`,
  );
  expect(found).toEqual({ k: 'a', v: 'b' });
});
