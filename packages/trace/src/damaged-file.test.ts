/** What happened to a trace file since it was written is noticed, whatever it was: the file is refused, or said to be damaged. */
import { ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { MAX_CPU, eventDefinition, fieldDefinition, type FieldName } from '@vhostscope/model';
import { expect, test } from 'vitest';
import {
  eventAt,
  eventsOf,
  fileOf,
  HEADER,
  importText,
  newFile,
  type PlainEvent,
} from '../test/trace-files.ts';
import { batchParts } from './batch-writer.js';
import { appendEvent, createEventBuilder } from './event-builder.js';
import type { TraceBytes } from './file-access.js';
import { visitTrace } from './merge-cpus.js';
import { openTrace } from './open-trace.js';
import { MAX_OBJECTS } from './recording-objects.js';
import { TraceFormatError } from './trace-header.js';
import { batchEnd } from './place-list.js';
import { createTraceIndexer, indexTrace } from './trace-index.js';
import { createTraceWriter } from './trace-writer.js';

const TEXT = Array.from({ length: 3 }, (_, at) =>
  [
    `N ${at} ${at % 2} ffff888100000000 1 0`,
    `A ${at} 0 ffff888100000100 8 1 3`,
    `R ${at} 1 ffff888100000000 1 7f0000000000 7f0000002000 3 1 77 ksmd`,
  ].join('\n'),
).join('\n');

const BYTES = readFileSync(importText(`${TEXT}\n`).path);

const file = newFile();

/** Reads everything; returns whether it could. Anything but a TraceFormatError fails the test. */
function isReadable(bytes: Uint8Array, seed: number | string): boolean {
  ftruncateSync(file, 0);
  writeSync(file, bytes, 0, bytes.length, 0);
  const before = process.memoryUsage().arrayBuffers;
  try {
    for (const event of eventsOf(file)) {
      for (const name of eventDefinition(event.event).fields) {
        if (!isLegal(name, event[name])) throw new Error(`${name} ${String(event[name])}`);
      }
    }
    return true;
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw new Error(`mutation ${seed}`, { cause: error });
    if (!/^[^\n]{20,200}$/.test(error.message)) expect.fail(`mutation ${seed}: ${error.message}`);
    return false;
  } finally {
    if (process.memoryUsage().arrayBuffers - before > 1e8) expect.fail(`mutation ${seed}: memory`);
  }
}

/** What the engine relies on: it indexes by ids and codes. */
function isLegal(name: FieldName, value: unknown): boolean {
  const { storage, max = 255 } = fieldDefinition(name);
  if (typeof value !== 'number') return true;
  if (name === 'vq' || name === 'dev') return value < MAX_OBJECTS;
  if (name === 'accessor') return value >= 1 && value <= max;
  return storage !== 'u8' || value <= max;
}

/** mulberry32 */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

test(
  'whatever bytes change, a file is read or refused with a sentence',
  { timeout: 60_000 },
  () => {
    let readable = 0;
    const mutations = 4000;
    for (let seed = 1; seed <= mutations; seed++) {
      const random = randomOf(seed);
      const bytes = Uint8Array.from(BYTES);
      for (let times = 1 + random(4); times > 0; times--) {
        const at = random(bytes.length);
        if (random(2) === 0) bytes[at] = random(256);
        else bytes[at] ^= 1 << random(8);
      }
      if (isReadable(bytes, seed)) readable++;
    }
    // All that is left is up to the damage: both ends must be reached, or the mutations are of the wrong kind.
    expect(readable).toBeGreaterThan(mutations / 100);
    expect(readable).toBeLessThan(mutations);
  },
);

test('no count in the metadata is believed', { timeout: 60_000 }, () => {
  const { recordings } = indexTrace(newFileOf(BYTES), BYTES.length);
  const [place] = recordings[0].events.get(0) ?? [];
  const values = [0x7fff_ffff, 0x8000_0000, 0x0100_0000];
  let tried = 0;
  let readable = 0;
  for (const first of [0, place.offset]) {
    const length = new DataView(BYTES.buffer, BYTES.byteOffset).getUint32(first + 4, true);
    for (let at = first; at < first + 8 + length; at += 4) {
      for (const value of values) {
        const bytes = Uint8Array.from(BYTES);
        new DataView(bytes.buffer).setUint32(at, value, true);
        if (isReadable(bytes, `${value} at ${at}`)) readable++;
        tried++;
      }
    }
  }
  expect(readable).toBeLessThan(tried);
});

test('a batch of a CPU that no host has is refused', () => {
  const fd = newFile();
  const { link, schema } = createTraceWriter(fd, HEADER);
  const builder = createEventBuilder(0);
  appendEvent(builder, 'lost', 1n, 0, { lost: 1n, note: 'test' });
  const metadata = { role: 'events', recording: 0, cpu: 0 } as const;
  const first = batchParts(builder, metadata, link);
  const second = batchParts(builder, { ...metadata, cpu: MAX_CPU + 1 }, first.link);
  writeSync(fd, Buffer.concat([...first.parts, ...second.parts]));
  const { damage, goodBytes } = indexTrace(fd, schema.bytes.length + first.bytes + second.bytes);
  expect(damage).toMatch(/^something other than a batch of a trace at byte \d+/);
  expect(goodBytes).toBe(schema.bytes.length + first.bytes);
});

function newFileOf(bytes: Uint8Array): number {
  const fd = newFile();
  writeSync(fd, bytes);
  return fd;
}

/** As small as a trace is. */
const SMALL = Uint8Array.from(
  readFileSync(importText('# vhost-oracle 1\nN 1 0 ffff888100000000 1 0\n').path),
);

/** What a reader makes of these bytes: that they are damaged, or, where it says nothing, their events. */
function readingOf(bytes: Uint8Array): 'told' | readonly PlainEvent[] {
  const from: TraceBytes = {
    read: (into, offset) => {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  };
  try {
    const index = indexTrace(from, bytes.length);
    // Of these three `openTrace` makes sentences.
    if (index.damage !== undefined || !index.closed || index.goodBytes < bytes.length)
      return 'told';
    const events: PlainEvent[] = [];
    visitTrace(from, index, (batch, begin, end) => {
      for (let row = begin; row < end; row++) events.push(eventAt(batch, row));
    });
    return events;
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw error;
    return 'told';
  }
}

const SAME = readingOf(SMALL);

test('the whole is read without a word', () => {
  expect(SAME).toHaveLength(3);
  expect(readingOf(BYTES)).toEqual(eventsOf(newFileOf(BYTES)));
});

/** Bits of each byte that are flipped: all of them with FLIPS=8. */
const FLIPS = Number(process.env['FLIPS'] ?? 1);

test('a bit that changes anywhere is told', { timeout: 60_000 * Math.ceil(FLIPS) }, () => {
  const silent: string[] = [];
  const bytes = Uint8Array.from(SMALL);
  for (let at = 0; at < bytes.length; at++) {
    for (let flip = 0; flip < FLIPS; flip++) {
      // Another one of each byte, so that all are among them.
      const bit = (at + (at >> 3) + flip) % 8;
      bytes[at] ^= 1 << bit;
      if (readingOf(bytes) !== 'told') silent.push(`bit ${bit} of byte ${at}`);
      bytes[at] ^= 1 << bit;
    }
  }
  // There is no byte that nothing covers.
  expect(silent).toEqual([]);
});

test.each([0, 1])(
  'whichever bit of the length of message %i changed, a reader of a file that grows waits for the next one at most',
  (number) => {
    const [begin = 0, next = 0] = bordersOf(SMALL).slice(number);
    // Of a batch, its body lies between.
    const known = number === 0 ? next + 4 : begin + (1 << 14);
    for (let bit = 0; bit < 32; bit++) {
      const bytes = new Uint8Array(Math.max(known, SMALL.length));
      bytes.set(SMALL);
      bytes[begin + 4 + (bit >> 3)] ^= 1 << (bit & 7);
      const fd = newFile();
      writeSync(fd, bytes);
      const indexer = createTraceIndexer(fd);
      expect(() => indexer.extend(known), `bit ${bit}`).toThrow(
        /(?:at byte \d+: the file is damaged there|no Arrow stream with a schema at its start)$/,
      );
    }
  },
);

/** Where its messages begin, and where it ends. */
function bordersOf(bytes: Uint8Array): number[] {
  const borders = [0];
  const fd = newFileOf(bytes);
  const { recordings } = indexTrace(fd, bytes.length);
  for (const { begin, tables, events, end } of recordings)
    for (const place of [begin, ...tables, ...[...events.values()].flatMap((all) => [...all]), end])
      if (place !== undefined) borders.push(place.offset, batchEnd(place));
  borders.push(bytes.length - 8, bytes.length);
  return [...new Set(borders)].toSorted((a, b) => a - b);
}

/** Two recordings, so that there is one that may be missing. */
const TWICE = readFileSync(importText(`# vhost-oracle 1\n${TEXT}\n`.repeat(2)).path);

test('messages that are left out, told twice or put elsewhere are told', () => {
  const borders = bordersOf(TWICE);
  const messages = borders.slice(1).map((end, at) => TWICE.subarray(borders[at], end));
  // The schema, two recordings, what closes the trace, and its end.
  expect(messages.length).toBeGreaterThan(12);
  expect(Buffer.concat(messages)).toHaveLength(TWICE.length);
  const wrong: string[] = [];
  const look = (what: string, changed: readonly Uint8Array[]): void => {
    if (readingOf(Buffer.concat(changed)) !== 'told') wrong.push(what);
  };
  for (const [a, one] of messages.entries()) {
    look(`without ${a}`, messages.toSpliced(a, 1));
    for (const [b, other] of messages.entries()) {
      if (a < b) look(`${a} and ${b} swapped`, messages.with(a, other).with(b, one));
      if (a < b) look(`all from ${a} to ${b} left out`, messages.toSpliced(a, b - a));
      // Behind the end nothing is read, which is said too.
      look(`${a} told again before ${b}`, messages.toSpliced(b, 0, one));
      if (a !== b) look(`${a} in the place of ${b}`, messages.with(b, one));
    }
    look(`${a} told again at the end`, [...messages, one]);
  }
  expect(wrong).toEqual([]);
});

test('the first part of one trace and the last of another are told, wherever they are joined', () => {
  const other = readFileSync(importText(`${TEXT.replaceAll(' 8 1 3', ' 8 1 4')}\n`).path);
  expect(other).toHaveLength(BYTES.length);
  const wrong: number[] = [];
  for (const at of bordersOf(BYTES))
    for (const place of at === 0 ? [0] : [at - 1, at, at + 1]) {
      const joined = Buffer.concat([BYTES.subarray(0, place), other.subarray(place)]);
      // What follows the last event is the same in both, and so is what comes before the first that differs.
      if (joined.equals(BYTES) || joined.equals(other)) continue;
      if (readingOf(joined) !== 'told') wrong.push(place);
    }
  expect(wrong).toEqual([]);
});

test('a trace that is cut off anywhere says so', { timeout: 60_000 }, () => {
  const wrong: number[] = [];
  // Of some more of these bytes torn-file.test.ts says what is left of it.
  for (let bytes = 0; bytes < SMALL.length; bytes += 1 + (bytes % 7))
    if (readingOf(SMALL.subarray(0, bytes)) !== 'told') wrong.push(bytes);
  expect(wrong).toEqual([]);
});

test('what is told is a sentence with its place', async () => {
  const borders = bordersOf(SMALL);
  const [, begin, events] = borders;
  const changed = async (at: number): Promise<string> => {
    const bytes = Uint8Array.from(SMALL);
    bytes[at] ^= 1;
    const trace = await openTrace(fileOf(bytes, '.arrows'));
    try {
      visitTrace(trace.fd, trace.index, () => undefined);
      return trace.damage.join('; ').replace(trace.name, 'NAME');
    } finally {
      trace.close();
    }
  };
  await expect(changed(begin - 100)).rejects.toThrow(
    /^\/.*: a header that was changed or does not belong there \(by its checksum\) at byte 0: the file is damaged there$/,
  );
  expect(await changed(events + 500)).toBe(
    `NAME: something that was changed or does not belong there (by its checksum) at byte ${events}: the file is damaged there, the last ${SMALL.length - events} bytes were left out`,
  );
  const { recordings } = indexTrace(newFileOf(SMALL), SMALL.length);
  const [place] = recordings[0].events.get(0) ?? [];
  await expect(changed(batchEnd(place) - 1)).rejects.toThrow(
    `batch at byte ${place.offset} was changed (by its checksum): the file is damaged there`,
  );
});
