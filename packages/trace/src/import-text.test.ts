import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  eventsOf,
  HEADER,
  importText,
  inputEventsOf,
  newFile,
  type Imported,
} from '../test/trace-files.ts';
import { createImportReport } from './import-report.js';
import { createTextImporter } from './import-text.js';
import { recordingCountsSchema } from './recording-counts-schema.js';
import type { RecordingCounts } from './recording-counts.js';
import { closeTrace, createTraceWriter } from './trace-writer.js';

const VQ = 'ffff888100000100';
const HEAD = '# vhost-oracle 1';

const importLines = (...lines: string[]): Imported => importText(`${lines.join('\n')}\n`);

/** Counts of every recording. */
function countsOf(fd: number): RecordingCounts[] {
  return eventsOf(fd)
    .filter(({ event }) => event === 'recording_end')
    .map(({ note }) => recordingCountsSchema.parse(JSON.parse(String(note))));
}

const shape = (fd: number): string[] =>
  eventsOf(fd)
    .filter(({ event }) => event !== 'virtqueue' && event !== 'recording_end')
    .map(({ event, time, cpu, line }) => `${event} ${time} ${cpu} ${line}`);

test('a header line begins a recording', () => {
  const { fd, report } = importLines(HEAD, `M 5 0 ${VQ}`, HEAD, `M 3 1 ${VQ}`);
  expect(report).toMatchObject({ lines: 4, events: 2, rejected: 0, other: 0 });
  expect(shape(fd)).toEqual(['recording 5 0 0', 'round 5 0 2', 'recording 3 0 0', 'round 3 1 4']);
  expect(countsOf(fd)).toEqual([
    { events: { round: 1 }, first: '5', last: '5', backward: 0, lost: {}, complete: null },
    { events: { round: 1 }, first: '3', last: '3', backward: 0, lost: {}, complete: null },
  ]);
});

test('events without a header line are a recording too, and say so', () => {
  const { fd } = importLines(`M 5 0 ${VQ}`);
  expect(eventsOf(fd)[0]).toMatchObject({ event: 'recording', note: 'no header line' });
  expect(eventsOf(importLines(HEAD, `M 5 0 ${VQ}`).fd)[0]).toMatchObject({ note: HEAD });
});

test('headers without events leave no recordings behind', () => {
  const headers = `${HEAD}\n`.repeat(100_000);
  const { fd, report } = importText(`${headers}M 5 0 ${VQ}\n${headers}`);
  expect(report.events).toBe(1);
  expect(shape(fd)).toEqual(['recording 5 0 0', 'round 5 0 100001']);
});

test('several inputs make one trace, each a recording of its own', () => {
  const fd = newFile();
  const writer = createTraceWriter(fd, HEADER);
  const report = createImportReport();
  for (const text of [`M 9 0 ${VQ}\nM 1`, `M 2 0 ${VQ}\n`]) {
    const importer = createTextImporter(writer, report);
    importer.push(Buffer.from(text));
    importer.end();
  }
  closeTrace(writer);
  expect(report).toMatchObject({ lines: 3, events: 2, rejected: 1 });
  expect(shape(fd)).toEqual([
    'recording 9 0 0',
    'round 9 0 1',
    'lost 9 0 2',
    'recording 2 0 0',
    'round 2 0 1',
  ]);
});

test('a line that is no event is rejected with its place and a reason, and counts as a loss', () => {
  const lines = [
    HEAD,
    `M 5 0 ${VQ}`,
    `A 6 0 ${VQ} 11 1 1`,
    `R 7 9999 ff00 1 0 0 0 0 0 x`,
    'some junk',
    `A 8 0 ${VQ} 1 1`,
    `R 9 0 ff00 1 0 0 0 0 1 caf\xe9`,
    `M 10 0 ${VQ}`,
  ];
  const { fd, report } = importLines(...lines);
  const offset = (line: number): number => lines.slice(0, line - 1).join('\n').length + 1;
  expect(report).toMatchObject({ lines: 8, events: 2, rejected: 4, other: 1 });
  expect(report.rejectedFirst).toEqual([
    { line: 3, offset: offset(3), reason: 'A: accessor is out of range or not a number' },
    { line: 4, offset: offset(4), reason: 'R: cpu is out of range or not a number' },
    { line: 6, offset: offset(6), reason: 'A: entries is missing' },
  ]);
  expect(report.otherFirst).toEqual([{ line: 5, offset: offset(5), reason: 'not an event' }]);
  expect(shape(fd)).toEqual([
    'recording 5 0 0',
    'round 5 0 2',
    'lost 5 0 3',
    'lost 5 0 4',
    'lost 5 0 6',
    'lost 5 0 7',
    'round 10 0 8',
  ]);
  expect(countsOf(fd)).toMatchObject([{ lost: { 'unreadable input': '4' }, complete: false }]);
});

test('what bpftrace says it lost is in the trace, in text and in JSON', () => {
  const text = importLines(`M 5 1 ${VQ}`, 'Lost 79 events', `M 6 1 ${VQ}`);
  const json = importLines(
    `{"type": "printf", "data": "M 5 1 ${VQ}\\n"}`,
    '{"type": "lost_events", "data": {"events": 79}}',
    `{"type": "printf", "data": "M 6 1 ${VQ}\\n"}`,
  );
  for (const { fd, report } of [text, json]) {
    expect(report).toMatchObject({ events: 2, rejected: 0, other: 0, lostEvents: 79n });
    expect(inputEventsOf(fd)[1]).toMatchObject({
      event: 'lost',
      time: 5n,
      cpu: 1,
      line: 2,
      lost: 79n,
      note: 'bpftrace',
    });
    expect(countsOf(fd)).toMatchObject([{ lost: { bpftrace: '79' }, complete: false }]);
  }
});

test('the total that bpftrace prints at its end counts as far as it is news', () => {
  const total = 'WARNING: Total lost event count: 80';
  const { report, fd } = importLines(`M 5 1 ${VQ}`, 'Lost 79 events', total);
  expect(report.lostEvents).toBe(80n);
  expect(countsOf(fd)).toMatchObject([{ lost: { bpftrace: '80' } }]);
  expect(importLines(`M 5 1 ${VQ}`, 'Lost 80 events', total).report.lostEvents).toBe(80n);
});

test('a loss takes its place in time where it was told, also right after a full batch', () => {
  // CPU 1 is far ahead in time; CPU 0 fills a batch, then loses events, then goes on.
  const lines = [`M 1000000 1 ${VQ}`];
  for (let at = 0; at < 16_384; at++) lines.push(`M ${at} 0 ${VQ}`);
  lines.push('Lost 3 events', `M 20000 0 ${VQ}`);
  const { fd } = importLines(...lines);
  expect(shape(fd).slice(-3)).toEqual([
    'lost 16383 0 16386',
    'round 20000 0 16387',
    'round 1000000 1 1',
  ]);
  expect(countsOf(fd)).toMatchObject([{ backward: 0, first: '0', last: '1000000' }]);
});

test('a loss before the first event does not make the recording begin at 0', () => {
  const { fd } = importLines('Lost 3 events', `M 500 2 ${VQ}`, `M 600 2 ${VQ}`);
  expect(countsOf(fd)).toMatchObject([{ first: '500', last: '600', backward: 0 }]);
});

test('a clock that goes back is counted, between batches too', () => {
  const lines: string[] = [];
  for (let at = 0; at < 16_384; at++) lines.push(`M ${1000 + at} 0 ${VQ}`);
  lines.push(`M 7 0 ${VQ}`, `M 9 0 ${VQ}`, `M 8 0 ${VQ}`);
  expect(countsOf(importLines(...lines).fd)).toMatchObject([
    { backward: 2, first: '7', last: '17383' },
  ]);
});

test('a cut last line counts as a loss', () => {
  const { report, fd } = importText(`M 5 0 ${VQ}\nM 6 0 ${VQ.slice(0, 5)}`);
  expect(report).toMatchObject({ lines: 2, events: 1, rejected: 1 });
  expect(report.rejectedFirst).toEqual([
    { line: 2, offset: 23, reason: 'the input ends within this line' },
  ]);
  expect(countsOf(fd)).toMatchObject([{ lost: { 'unreadable input': '1' }, complete: false }]);
});

test('other output of the program is counted, that of bpftrace itself is not', () => {
  const { report } = importLines(
    'Attaching 7 probes...',
    `M 5 0 ${VQ}`,
    'hello',
    '{"type": "time", "data": "12:00"}',
    '{"type": "value", "data": 7}',
    '',
    '@maps[1]: 7',
  );
  expect(report).toMatchObject({ events: 1, rejected: 0, other: 3 });
  expect(report.otherFirst.map(({ line }) => line)).toEqual([3, 4, 5]);
});

test('lines that end in CR LF are refused, and said to be', () => {
  const { report } = importText(`${HEAD}\r\nM 5 0 ${VQ}\r\nLost 9 events\r\nhello\r\n`);
  expect(report).toMatchObject({ lines: 4, events: 0, rejected: 4, other: 0 });
  expect(report.rejectedFirst[0]?.reason).toMatch(/^the line ends in CR LF and not in LF/);
});

test('a comm holds whatever the kernel allows, and nothing in it is taken for a line', () => {
  const names = [
    '',
    ' ',
    'a b',
    '\\x0aA 1 0 ff80 1 1 1',
    '# vhost-oracle 1',
    '\\xff\\x00',
    'Lost 79 events',
    '{"type": "printf"',
  ];
  const { fd, report } = importLines(
    ...names.map((comm, at) => `R ${at} 0 ff00 1 0 1 0 0 1 ${comm}`),
  );
  expect(report).toMatchObject({ events: names.length, rejected: 0, other: 0 });
  expect(inputEventsOf(fd).map(({ comm }) => comm)).toEqual(names);
  // What is not escaped is refused, whichever byte it is; LF alone ends the line.
  for (let byte = 0; byte < 256; byte++) {
    if (byte === 0x0a) continue;
    const { report: one } = importLines(`R 1 0 ff00 1 0 1 0 0 1 c${String.fromCharCode(byte)}`);
    const printable = byte >= 0x20 && byte < 0x7f;
    expect([byte, one.events, one.rejected]).toEqual(printable ? [byte, 1, 0] : [byte, 0, 1]);
  }
});

test('where the input is cut into chunks does not matter', () => {
  const given = fc.array(
    fc.oneof(
      fc.constantFrom(
        HEAD,
        `M 5 0 ${VQ}`,
        `A 6 1 ${VQ} 8 1 3`,
        `{"type": "printf", "data": "M 7 1 ${VQ}\\n"}`,
        `{"type": "printf", "data": "M 8 1 "}`,
        `{"type": "printf", "data": "${VQ}\\n"}`,
        'Lost 9 events',
        '{"type": "lost_events", "data": {"events": 1}}',
        'R 9 0 ff00 1 0 1 0 0 1 a b',
        'A 1 2 3',
        '@x: 5',
        '',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(given, fc.constantFrom('', '\n'), (lines, last) => {
      const text = Buffer.from(lines.join('\n') + last);
      const whole = importText(text);
      for (const chunk of [1, 7, 4096]) {
        const cut = importText(text, { chunk });
        expect(cut.report).toEqual(whole.report);
        expect(eventsOf(cut.fd)).toEqual(eventsOf(whole.fd));
      }
    }),
    { numRuns: 100 },
  );
});
