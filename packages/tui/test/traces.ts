/** Real recordings, and traces that are made of texts. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  flushTrace,
} from '@vhostscope/trace';
import { afterAll } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../../..');

export const TRACES = {
  s3: join(REPOSITORY, 'examples/s3-resetup-under-storm.txt.gz'),
  /** More than is played at once. */
  f1: join(REPOSITORY, 'packages/replay/test/golden/f1-fixes-resetup-storm.txt.gz'),
  u1: join(REPOSITORY, 'packages/replay/test/golden/u1-mixed-q256.txt.gz'),
  stock: join(REPOSITORY, 'packages/replay/test/golden/stock/storm-q256.arrows.gz'),
} as const;

export function textOf(path: string): string {
  return gunzipSync(readFileSync(path)).toString('latin1');
}

/** A folder for the tests of a file; it is removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tui test '));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Names in a folder that were not given before. */
export function freshPaths(folder: string): () => string {
  let given = 0;
  return () => join(folder, `${given++}`);
}

/** Makes a trace file of a text; its bytes, and where each flush of it ended. */
export function writeTrace(
  path: string,
  text: string,
  flushes: number,
): { bytes: Uint8Array; ends: number[] } {
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['test'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  const importer = createTextImporter(writer, createImportReport());
  const lines = text.split(/(?<=\n)/);
  const ends: number[] = [];
  const part = Math.ceil(lines.length / flushes);
  for (let at = 0; at < lines.length; at += part) {
    importer.push(Buffer.from(lines.slice(at, at + part).join(''), 'latin1'));
    flushTrace(writer);
    ends.push(writer.bytes);
  }
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return { bytes: readFileSync(path), ends };
}
