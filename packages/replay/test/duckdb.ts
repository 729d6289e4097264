/** Asks DuckDB, which reads Parquet by code of its own. */
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** 64-bit values are decimal strings, as in NDJSON. */
export type Row = Readonly<Record<string, unknown>>;

let connection: Promise<DuckDBConnection> | undefined;

export async function query(sql: string): Promise<Row[]> {
  connection ??= DuckDBInstance.create(':memory:').then((instance) => instance.connect());
  const reader = await (await connection).runAndReadAll(sql);
  return reader.getRowObjectsJson();
}
