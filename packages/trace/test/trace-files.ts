/** Trace files for tests: made from text or events in a folder of their own, and read back as plain objects. */
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DETAIL_FIELDS,
  EVENT_NAMES,
  KIND,
  NO_VQ,
  NOT_OBSERVED,
  fieldDefinition,
  hasDetail,
  type EventBatch,
  type EventName,
  type TextColumnData,
} from '@vhostscope/model';
import { afterAll, vi } from 'vitest';
import { createImportReport, type ImportReport } from '../src/import-report.ts';
import { createTextImporter } from '../src/import-text.ts';
import { visitTrace } from '../src/merge-cpus.ts';
import type { TraceHeader } from '../src/trace-header.ts';
import { indexTrace } from '../src/trace-index.ts';
import { closeTrace, createTraceWriter } from '../src/trace-writer.ts';

// Properties take a second or two, and longer on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'trace test '));
const open: number[] = [];
let files = 0;

afterAll(() => {
  for (const fd of open) closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** A path that nothing has yet. */
export function newPath(ending = ''): string {
  return join(folder, `${files++}${ending}`);
}

/** A new file of these bytes. */
export function fileOf(bytes: Uint8Array | string, ending = ''): string {
  const path = newPath(ending);
  writeFileSync(path, bytes);
  return path;
}

/** An open new file; closed after the tests. */
export function newFile(path = newPath('.arrows')): number {
  const fd = openSync(path, 'w+');
  open.push(fd);
  return fd;
}

export const HEADER: TraceHeader = {
  sources: ['a test'],
  writer: 'test',
  clock: 'CLOCK_BOOTTIME',
  keepsPointers: false,
};

export interface Imported {
  readonly path: string;
  readonly fd: number;
  readonly report: ImportReport;
}

/** Imports text in chunks of `chunk` bytes. */
export function importText(
  text: string | Uint8Array,
  { chunk = Infinity, keepsPointers = false } = {},
): Imported {
  const path = newPath('.arrows');
  const fd = newFile(path);
  const report = createImportReport();
  const writer = createTraceWriter(fd, { ...HEADER, keepsPointers });
  const importer = createTextImporter(writer, report);
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  for (let at = 0; at < bytes.length; at += chunk) importer.push(bytes.subarray(at, at + chunk));
  importer.end();
  closeTrace(writer);
  return { path, fd, report };
}

/** An event with the fields that it has. */
export type PlainEvent = {
  readonly event: EventName;
  readonly time: bigint;
  readonly cpu: number;
  readonly line: number;
} & Readonly<Record<string, number | bigint | string>>;

/** One row of a batch. */
export function eventAt(batch: EventBatch, row: number): PlainEvent {
  const values: Record<string, number | bigint | string> = {};
  if (batch.vq[row] !== NO_VQ) values['vq'] = batch.vq[row];
  if (batch.kind[row] === KIND.access) {
    values['accessor'] = batch.accessor[row];
    if (batch.observed[row] !== NOT_OBSERVED) values['observed'] = batch.observed[row];
    values['n'] = batch.n[row];
  }
  for (let detail = batch.detail[row]; detail < batch.detail[row + 1]; detail++) {
    for (const name of DETAIL_FIELDS) {
      if (!hasDetail(batch.details, detail, name)) continue;
      const column = batch.details[name];
      values[name] =
        'offsets' in column
          ? textAt(column, detail)
          : fieldDefinition(name).storage === 'u64'
            ? wordsAt(column, detail)
            : column[detail];
    }
  }
  return {
    event: EVENT_NAMES[batch.kind[row]] ?? 'recording',
    time: BigInt.asIntN(64, wordsAt(batch.time, row)),
    cpu: batch.cpu,
    line: batch.line[row],
    ...values,
  };
}

function wordsAt(column: Uint32Array, row: number): bigint {
  return (BigInt(column[2 * row + 1]) << 32n) | BigInt(column[2 * row]);
}

function textAt({ offsets, bytes }: TextColumnData, row: number): string {
  return Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString('utf8');
}

/** All events of an open trace file, merged. */
export function eventsOf(fd: number): PlainEvent[] {
  const events: PlainEvent[] = [];
  visitTrace(fd, indexTrace(fd, fstatSync(fd).size), (batch, from, to) => {
    for (let row = from; row < to; row++) events.push(eventAt(batch, row));
  });
  return events;
}

/** Those of them that came from the input: not what the writer says about recordings. */
export function inputEventsOf(fd: number): PlainEvent[] {
  return eventsOf(fd).filter(
    // What the writer itself has to say of virtqueues stands on no line.
    ({ event, line }) => line > 0 || !['recording', 'virtqueue', 'recording_end'].includes(event),
  );
}
