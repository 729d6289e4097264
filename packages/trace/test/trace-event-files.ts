/** Texts of perf and ftrace for tests, and what becomes of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createImportReport, type ImportReport } from '../src/import-report.ts';
import { createTextImport } from '../src/text-import.ts';
import type { TextKind } from '../src/text-kind.ts';
import { headerOfText } from '../src/trace-header.ts';
import { closeTrace, createTraceWriter, type TraceWriter } from '../src/trace-writer.ts';
import { newFile, newPath } from './trace-files.ts';

/** Text of a golden file, a character per byte. */
export function golden(name: string): string {
  const bytes = readFileSync(join(import.meta.dirname, 'golden', name));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
}

export interface ImportedText {
  readonly path: string;
  readonly fd: number;
  readonly report: ImportReport;
  readonly kind: TextKind;
}

/** Imports a text of whatever kind, in chunks of `chunk` bytes. */
export function importAnyText(
  text: string | Uint8Array,
  { chunk = Infinity, keepsPointers = false } = {},
): ImportedText {
  const path = newPath('.arrows');
  const fd = newFile(path);
  const report = createImportReport();
  let begun: { writer: TraceWriter; kind: TextKind } | undefined;
  const importing = createTextImport(report, (kind) => {
    const says = { sources: ['a test'], writer: 'test', keepsPointers };
    const writer = createTraceWriter(fd, headerOfText(kind, says));
    begun = { writer, kind };
    return writer;
  });
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  for (let at = 0; at < bytes.length; at += chunk) importing.push(bytes.subarray(at, at + chunk));
  importing.end();
  if (begun === undefined) throw new Error('nothing was begun');
  closeTrace(begun.writer);
  return { path, fd, report, kind: begun.kind };
}
