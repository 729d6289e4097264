import { readFileSync, fstatSync, ftruncateSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  eventsOf,
  fileOf,
  HEADER,
  importText,
  newFile,
  type PlainEvent,
} from '../test/trace-files.ts';
import { InputError } from './file-errors.js';
import { schemaMessage } from './message-writer.js';
import { openTrace } from './open-trace.js';
import { headerMetadata, TraceFormatError } from './trace-header.js';
import type { BatchPlace } from './place-list.js';
import { indexTrace, type RecordingIndex } from './trace-index.js';

const TEXT = [
  '# vhost-oracle 1',
  'N 10 0 ffff888100000000 1 0',
  'U 11 0 ffff888100000100 0 7f0000001000 4096 0',
  'M 12 1 ffff888100000100',
  'P 13 1 ffff888100000100 0 0 1 1',
  'A 14 1 ffff888100000100 8 1 3',
  'R 15 0 ffff888100000000 1 7f0000000000 7f0000002000 3 1 77 ksmd',
  'IS 16 0 ffff888100000100 0 1 1',
  '# vhost-oracle 1',
  'A 3 0 ffff888100000100 1 0 1',
  '',
].join('\n');

const whole = importText(TEXT);
const BYTES = readFileSync(whole.path);
const EVENTS = eventsOf(whole.fd);

/** How many events a cut file has, all of which the whole file has too. */
function countEvents(events: readonly PlainEvent[]): number {
  for (const event of events) expect(EVENTS).toContainEqual(event);
  return events.length;
}

test(
  'a file cut at any byte gives its whole batches, and says what was left out',
  { timeout: 120_000 },
  async () => {
    // Where a batch ends, from the message prefixes alone: an independent walk over the file.
    const ends: number[] = [];
    const view = new DataView(BYTES.buffer, BYTES.byteOffset, BYTES.length);
    const index = indexTrace(whole.fd, BYTES.length);
    const places = placesOf(index.recordings).toSorted((a, b) => a.offset - b.offset);
    for (const { offset, metadataBytes, bodyBytes } of places) {
      expect(view.getUint32(offset, true)).toBe(0xffff_ffff);
      expect(view.getUint32(offset + 4, true)).toBe(metadataBytes);
      ends.push(offset + 8 + metadataBytes + bodyBytes);
    }
    // What closes the trace, which is no part of a recording.
    const closing = ends.at(-1) ?? 0;
    expect(view.getUint32(closing, true)).toBe(0xffff_ffff);
    ends.push(BYTES.length - 8);
    expect(closing).toBeLessThan(BYTES.length - 3000);
    const schemaEnd = places[0].offset;
    const rowsUpTo = (bytes: number): number =>
      places.reduce((sum, { rows }, at) => sum + (ends[at] <= bytes ? rows : 0), 0);

    const fd = newFile();
    writeSync(fd, BYTES);
    const wrong: string[] = [];
    for (let bytes = BYTES.length; bytes >= 0; bytes--) {
      ftruncateSync(fd, bytes);
      const good = Math.max(schemaEnd, ...ends.filter((end) => end <= bytes));
      const expected =
        bytes < schemaEnd
          ? `the file is cut off at byte ${bytes}, within its header, and holds no event`
          : bytes === BYTES.length
            ? `closed, good to ${bytes}, ${rowsUpTo(bytes)} rows`
            : `open, good to ${good}, ${rowsUpTo(bytes)} rows`;
      if (outcome(fd, bytes) !== expected) wrong.push(`${bytes}: not ${expected}`);
      if (ends.includes(bytes)) expect(countEvents(eventsOf(fd))).toBe(rowsUpTo(bytes));
    }
    expect(wrong).toEqual([]);

    for (const bytes of [schemaEnd, ends[1], ends[1] + 1, BYTES.length - 1]) {
      const trace = await openTrace(fileOf(BYTES.subarray(0, bytes), '.arrows'));
      const torn = bytes - trace.index.goodBytes;
      expect(trace.damage).toEqual([
        torn === 0
          ? `${trace.name}: the trace was not closed, its writer was stopped or is still running`
          : `${trace.name}: the last ${torn} bytes, from byte ${bytes - torn}, are an unfinished batch and were left out`,
      ]);
      trace.close();
    }
  },
);

function outcome(fd: number, bytes: number): string {
  try {
    const { recordings, goodBytes, closed } = indexTrace(fd, bytes);
    const rows = placesOf(recordings).reduce((sum, place) => sum + place.rows, 0);
    return `${closed ? 'closed' : 'open'}, good to ${goodBytes}, ${rows} rows`;
  } catch (error) {
    if (error instanceof TraceFormatError) return error.message;
    throw error;
  }
}

function placesOf(recordings: readonly RecordingIndex[]): BatchPlace[] {
  return recordings
    .flatMap(({ begin, tables, events, end }) => [
      begin,
      ...tables,
      ...[...events.values()].flatMap((places) => [...places]),
      end,
    ])
    .filter((place) => place !== undefined);
}

test.each([
  ['a CPU of few events', (at: number) => (at % 50 === 0 ? 1 : 0)],
  ['four CPUs alike', (at: number) => at % 4],
  ['a CPU that falls silent', (at: number) => (at < 300 ? 1 : 0)],
])('a file cut anywhere holds most of what came until then: %s', (_, cpuOf) => {
  const lines = Array.from(
    { length: 60_000 },
    (_event, at) => `M ${at} ${cpuOf(at)} ffff888100000100`,
  );
  const { fd } = importText(`${lines.join('\n')}\n`);
  const places = placesOf(indexTrace(fd, fstatSync(fd).size).recordings)
    .filter(({ role }) => role === 'events')
    .toSorted((a, b) => a.offset - b.offset);
  const found = eventsOf(fd).filter(({ event }) => event === 'round');
  const linesOf = new Map(
    [0, 1, 2, 3].map((cpu) => [
      cpu,
      found.filter((event) => event.cpu === cpu).map(({ line }) => line),
    ]),
  );
  const kept = new Set<number>();
  for (const { cpu, rows } of places) {
    // Cut here: this batch and all behind it are gone.
    const last = mostOf(kept);
    let firstGap = 1;
    while (kept.has(firstGap)) firstGap++;
    if (last > 8192) expect(firstGap).toBeGreaterThan(last / 2);
    for (const line of linesOf.get(cpu)?.splice(0, rows) ?? []) kept.add(line);
  }
  expect(kept.size).toBe(lines.length);
  // However early it is cut, not all is lost.
  expect(places[0].rows).toBeLessThanOrEqual(512);
});

function mostOf(numbers: ReadonlySet<number>): number {
  let most = 0;
  for (const number of numbers) most = Math.max(most, number);
  return most;
}

test('too short a beginning is refused with a sentence by whatever reads it', async () => {
  for (let bytes = 0; bytes < 300; bytes += 7) {
    const path = fileOf(BYTES.subarray(0, bytes), '.arrows');
    await expect(openTrace(path)).rejects.toSatisfy(
      (error) =>
        (error instanceof TraceFormatError || error instanceof InputError) &&
        error.message.includes(path) &&
        error.message.length > path.length + 8,
    );
  }
});

test('what follows the end of a trace is left out, and said', async () => {
  const trace = await openTrace(fileOf(Buffer.concat([BYTES, BYTES]), '.arrows'));
  expect(trace.damage).toEqual([
    `${trace.name}: ${BYTES.length} bytes after the trace's end, from byte ${BYTES.length}, were left out (trace files cannot be joined by cat; their texts can)`,
  ]);
  expect(eventsOf(trace.fd)).toEqual(EVENTS);
  trace.close();
});

test('a schema of something else, or of a later version, is refused', () => {
  const replaced = (from: string, to: string): number => {
    const bytes = Buffer.from(BYTES.toString('latin1').replace(from, to), 'latin1');
    const fd = newFile();
    writeSync(fd, bytes);
    return fd;
  };
  const read = (fd: number) => () => indexTrace(fd, fstatSync(fd).size);
  expect(read(replaced('vhostscope', 'vhostscopE'))).toThrow(
    new TraceFormatError('an Arrow stream, but not a vhostscope trace'),
  );
  const version = BYTES.indexOf('format_version');
  const at = BYTES.indexOf('3', version - 24);
  expect(BYTES.subarray(at, at + 1).toString()).toBe('3');
  const newer = Buffer.from(BYTES);
  newer[at] = 0x39;
  const fd = newFile();
  writeSync(fd, newer);
  expect(read(fd)).toThrow(new TraceFormatError('trace format 9; this program reads up to 3'));
  // As another program may write it, with the checksum that belongs to it.
  const withHeader = (from: string, to: string): number => {
    const metadata = headerMetadata(HEADER);
    metadata.set('header', (metadata.get('header') ?? '').replace(from, to));
    const other = newFile();
    writeSync(other, schemaMessage(metadata).bytes);
    return other;
  };
  expect(read(withHeader('"clock":"CLOCK', '"clock":"CLICK'))).toThrow(
    /^unreadable trace header at clock: /,
  );
  expect(read(withHeader('{"sources"', '["sources"'))).toThrow(/^unreadable trace header: /);
});
