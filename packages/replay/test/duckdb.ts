/** Asks DuckDB, which reads Parquet by code of its own. */
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** 64-bit values are decimal strings, as in NDJSON. */
export type Row = Readonly<Record<string, unknown>>;

let connection: Promise<DuckDBConnection> | undefined;

export async function query(sql: string): Promise<Row[]> {
  connection ??= connect();
  const reader = await (await connection).runAndReadAll(sql);
  return reader.getRowObjectsJson();
}

/** Tests write other files under a name that was read before: none is remembered. */
async function connect(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:');
  const made = await instance.connect();
  await made.run('set enable_external_file_cache = false');
  return made;
}
