/**
 * Mutated lines of every format: nothing is thrown, nothing hangs, every line is counted, memory stays flat.
 *
 * FUZZ_LINES is how many lines of each format (default 20,000; a million is the long mode).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { golden } from '../../test/trace-event-files.ts';
import { createImportReport, type ImportReport } from '../import-report.js';
import type { TextKind } from '../text-kind.js';
import type { TraceOutput } from '../trace-output.js';
import { closeTrace, createTraceWriter } from '../trace-writer.js';
import { createTraceEventImport } from './import-trace-events.js';

const LINES = Number(process.env['FUZZ_LINES'] ?? 20_000);
const BLOCK_LINES = 2000;
const MEBIBYTE = 2 ** 20;

const NOWHERE: TraceOutput = {
  append: (_parts, _bytes, fate) => fate?.onWritten?.(),
  keepPace: () => undefined,
  settle: async () => Promise.resolve(),
  abandon: async () => Promise.resolve(),
  cutBack: () => {},
};

/** xorshift32: the same lines in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const SCRAPS = [
  ' ',
  '  ',
  '[000]',
  '[99999]',
  '[8192] ',
  '-',
  '/',
  ':',
  '=',
  '"',
  '="a b"',
  ' vq=',
  '0x',
  '0xffffffffffffffff',
  '18446744073709551615',
  '18446744073709551616',
  '-1',
  '9223372036.000000000:',
  '1.5:',
  '\r',
  '\t',
  '\0',
  '\x1b[2J',
  '\xff\xfe',
  'vho:access:',
  'access:',
  'PERF_RECORD_LOST lost 9',
  'PERF_RECORD_LOST lost x',
  '# ',
  '(',
  ')',
  '<- ',
  '\n',
  '\n\n',
  'CPU:0 [LOST 7 EVENTS]',
  'start_end=2',
  'count=4294967296',
  'M 5 0 1010',
  'a'.repeat(300),
];

function mutate(line: string, other: string, random: (below: number) => number): string {
  let text = line;
  for (let times = random(4); times > 0; times--) {
    const at = random(text.length + 1);
    const scrap = SCRAPS[random(SCRAPS.length)] ?? '';
    switch (random(8)) {
      case 0:
        text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
        break;
      case 1:
        text = text.slice(0, at) + scrap + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + scrap + text.slice(at + random(20));
        break;
      case 3:
        text = text.slice(0, at);
        break;
      case 4:
        text = text.slice(at);
        break;
      case 5:
        text = text.slice(0, at) + other.slice(random(other.length + 1));
        break;
      case 6:
        text = text.replace(/\d+(?=\D*$)/, String(random(2 ** 31)));
        break;
      default: {
        const words = text.split(' ');
        const from = random(words.length);
        words.splice(random(words.length), 0, ...words.splice(from, 1));
        text = words.join(' ');
      }
    }
  }
  return text;
}

const FORMATS: readonly (readonly [
  format: string,
  kind: TextKind,
  file: string,
  change: (line: string) => string,
])[] = [
  [
    'perf script',
    { format: 'perf script', clock: 'unknown', joint: 'blank', timeStep: 1 },
    'perf-script-default.txt.gz',
    (line) => line,
  ],
  [
    'perf script -F',
    { format: 'perf script', clock: 'unknown', joint: 'blank', timeStep: 1000 },
    'perf-script-F.txt.gz',
    (line) => line.replace(/(\.\d{6})\d{3}:/, '$1:'),
  ],
  [
    'perf script with call chains',
    { format: 'perf script', clock: 'unknown', joint: 'blank', timeStep: 1 },
    'perf-script-callchain.txt.gz',
    (line) => line,
  ],
  [
    'ftrace',
    { format: 'ftrace', clock: 'unknown', joint: 'dash', timeStep: 1000 },
    'ftrace.txt.gz',
    (line) => line,
  ],
  [
    'trace-cmd report',
    { format: 'trace-cmd report', clock: 'unknown', joint: 'dash', timeStep: 1 },
    'ftrace.txt.gz',
    (line) =>
      line.replace(
        / \S{5} ( *\d+\.\d{6}): (\w+): \(\S+ \[vhost\]\)/,
        ' $1123: $2:                (ffffffffc04df650)',
      ),
  ],
];

test.each(FORMATS)(
  '%s',
  (_format, kind, file, change) => {
    const lines = golden(file).split('\n').slice(0, -1).map(change);
    const random = createRandom(1 + file.length);
    const report = createImportReport();
    const writer = createTraceWriter(NOWHERE, {
      sources: ['fuzz'],
      writer: 'test',
      clock: 'unknown',
      keepsPointers: false,
    });
    const importing = createTraceEventImport(writer, report, kind);
    let fed = 0;
    let warm = 0;
    const block = (): Buffer => {
      const mutated: string[] = [];
      for (let i = 0; i < BLOCK_LINES; i++) {
        const line = lines[random(lines.length)] ?? '';
        // Runs of lines that are whole reach the reader of usual lines, too.
        mutated.push(
          random(3) === 0 ? mutate(line, lines[random(lines.length)] ?? '', random) : line,
        );
      }
      return Buffer.from(`${mutated.join('\n')}\n`, 'latin1');
    };
    for (let done = 0; done < LINES; done += BLOCK_LINES) {
      const bytes = block();
      for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0x0a) fed++;
      for (let at = 0; at < bytes.length;) {
        const length = 1 + random(random(4) === 0 ? 100 : 60_000);
        importing.push(bytes.subarray(at, at + length));
        at += length;
      }
      if (done === BLOCK_LINES * Math.floor(LINES / BLOCK_LINES / 4)) warm = memoryInUse();
    }
    const grown = memoryInUse() - warm;
    importing.end();
    closeTrace(writer);
    expect(report.lines).toBe(fed);
    expect(report.bytes).toBeGreaterThan(fed);
    expect(accountedFor(report)).toBe(fed);
    expect(report.events).toBeGreaterThan(fed / 20);
    expect(grown).toBeLessThan(8 * MEBIBYTE);
  },
  Math.max(60_000, 2 * LINES),
);

/** Lines that are events, or were told to be none, or tell something else, or are parts of names. */
function accountedFor({ events, rejected, other, understood }: ImportReport): number {
  return events + rejected + other + understood;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memoryInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
