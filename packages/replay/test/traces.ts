/** The real recordings that tests read, and trace files made of them. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
} from '@vhostscope/trace';
import { afterAll } from 'vitest';

const EXAMPLES = join(import.meta.dirname, '../../../examples');
const GOLDEN = join(import.meta.dirname, 'golden');

export interface GoldenTrace {
  readonly name: string;
  readonly path: string;
  /** The design that the recording kernel ran. */
  readonly design: string;
  readonly preempt: 'voluntary' | 'full';
}

export const TRACES: readonly GoldenTrace[] = [
  golden(EXAMPLES, 'd1-dpdk-virtio-user'),
  golden(EXAMPLES, 's3-resetup-under-storm'),
  golden(EXAMPLES, 'u5-json-q256'),
  golden(GOLDEN, 'f1-fixes-resetup-storm', { design: 'fixes-v5' }),
  golden(GOLDEN, 'p1-preempt-full', { preempt: 'full' }),
  golden(GOLDEN, 's1-bg-q256'),
  golden(GOLDEN, 's2-storm-q256'),
  golden(GOLDEN, 's4-numa-thp-q1024'),
  golden(GOLDEN, 'u1-mixed-q256'),
  golden(GOLDEN, 'u2-spread-q1024'),
  golden(GOLDEN, 'u3-evidx-thp-q1024'),
  golden(GOLDEN, 'u4-resetup-q256'),
];

function golden(folder: string, name: string, other: Partial<GoldenTrace> = {}): GoldenTrace {
  const path = join(folder, `${name}.txt.gz`);
  return { name, path, design: 'merged', preempt: 'voluntary', ...other };
}

/** The trace whose name begins so. */
export function trace(prefix: string): GoldenTrace {
  const found = TRACES.find(({ name }) => name.startsWith(prefix));
  if (found === undefined) throw new Error(`no trace ${prefix}`);
  return found;
}

/** Its text, decompressed. */
export function textOf(prefix: string): string {
  return gunzipSync(readFileSync(trace(prefix).path)).toString('latin1');
}

/** Tallies of a file, counted from its text by other means. */
export interface Expected {
  readonly accesses: number;
  readonly hits: number;
  readonly fallbacks: number;
  readonly iotlb: number;
  readonly rounds: number;
  readonly prefetch: Readonly<Record<string, number>>;
  readonly ranges: { readonly start: number; readonly end: number; readonly nonblockable: number };
  readonly effects: { readonly start: number; readonly end: number };
  readonly vqs: Readonly<
    Record<string, Readonly<Record<string, { readonly accesses: number; readonly hits: number }>>>
  >;
}

export function expectedOf(name: string): Expected {
  const all = JSON.parse(readFileSync(join(GOLDEN, 'expected.json'), 'utf8')) as Readonly<
    Record<string, Expected>
  >;
  const found = all[name];
  if (found === undefined) throw new Error(`nothing is expected of ${name}`);
  return found;
}

/** Text as `bpftrace -f json` would have printed it. */
export function asJsonLines(text: string): string {
  return text.replace(/^.*\n/gm, (line) => `{"type": "printf", "data": ${JSON.stringify(line)}}\n`);
}

/** A folder for the tests of a file; it is removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'replay test '));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Makes a trace file of texts, each an input of its own. */
export function writeTrace(path: string, texts: readonly (string | Uint8Array)[]): void {
  const fd = openSync(path, 'w');
  try {
    const writer = createTraceWriter(fd, {
      sources: ['test'],
      writer: 'test',
      clock: 'CLOCK_BOOTTIME',
      keepsPointers: false,
    });
    for (const text of texts) {
      const importer = createTextImporter(writer, createImportReport());
      importer.push(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
      importer.end();
    }
    closeTrace(writer);
  } finally {
    closeSync(fd);
  }
}
