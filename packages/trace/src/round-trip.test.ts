import { readFileSync, fstatSync, writevSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import {
  DETAIL_FIELDS,
  EVENTS,
  EVENT_NAMES,
  FIELDS,
  eventDefinition,
  fieldDefinition,
  type DetailField,
  type EventName,
  type FieldName,
} from '@vhostscope/model';
import { tableFromIPC } from 'apache-arrow';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  eventAt,
  HEADER,
  importText,
  inputEventsOf,
  newFile,
  newPath,
} from '../test/trace-files.ts';
import { createBatchMemory, readBatch } from './batch-reader.js';
import { batchParts } from './batch-writer.js';
import { appendEvent, BATCH_ROWS, createEventBuilder, type EventValues } from './event-builder.js';
import { MAX_OBJECTS } from './recording-objects.js';
import { indexTrace } from './trace-index.js';
import { createTraceWriter } from './trace-writer.js';

interface GivenEvent {
  readonly event: EventName;
  readonly time: bigint;
  readonly line: number;
  readonly values: EventValues;
}

const u32 = fc.oneof(fc.nat(9), fc.integer({ min: 0, max: 0xffff_ffff }));
const u64 = fc.oneof(fc.bigInt(0n, 9n), fc.bigInt(0n, 2n ** 64n - 1n));
const time = fc.oneof(fc.bigInt(0n, 9n), fc.bigInt(0n, 2n ** 63n - 1n));
const cpu = fc.integer({ min: 0, max: 8191 });
const id = fc.integer({ min: 0, max: MAX_OBJECTS - 1 });

function valueOf(name: FieldName): fc.Arbitrary<number | bigint | string> {
  const { storage, min = 0, max = 0 } = fieldDefinition(name);
  if (name === 'vq' || name === 'dev') return id;
  switch (storage) {
    case 'u64':
      return u64;
    case 'u32':
      return u32;
    case 'text':
      return fc.string({ unit: 'grapheme', maxLength: 40 });
    case 'u8':
    case 'i32':
      return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }));
  }
}

/** Any event that the writer may make: all but `access`, which only lines of text make. */
const givenEvent: fc.Arbitrary<GivenEvent> = fc
  .constantFrom(...(Object.keys(EVENTS) as EventName[]).filter((name) => name !== 'access'))
  .chain((event) => {
    const { fields, optional = [] } = eventDefinition(event);
    const values = Object.fromEntries(fields.map((name) => [name, valueOf(name)]));
    const requiredKeys = fields.filter((name) => !optional.includes(name));
    return fc.record({
      event: fc.constant(event),
      time,
      line: u32,
      values: fc.record(values, { requiredKeys }) as fc.Arbitrary<EventValues>,
    });
  });

function writeGiven(fd: number, onCpu: number, events: readonly GivenEvent[]): void {
  const { link } = createTraceWriter(fd, HEADER);
  const builder = createEventBuilder(onCpu);
  for (const { event, time: at, line, values } of events)
    appendEvent(builder, event, at, line, values);
  const { parts } = batchParts(builder, { role: 'events', recording: 0, cpu: onCpu }, link);
  writevSync(fd, parts);
}

test('events that were appended come back the same, absent fields absent', () => {
  fc.assert(
    fc.property(cpu, fc.array(givenEvent, { minLength: 1, maxLength: 60 }), (onCpu, events) => {
      const fd = newFile();
      writeGiven(fd, onCpu, events);
      const index = indexTrace(fd, fstatSync(fd).size);
      const [place] = index.recordings[0].events.get(onCpu) ?? [];
      const batch = readBatch(fd, place, createBatchMemory());
      expect(Array.from({ length: batch.length }, (_, row) => eventAt(batch, row))).toEqual(
        events.map(({ event, time: at, line, values }) => ({
          event,
          time: at,
          cpu: onCpu,
          line,
          ...values,
        })),
      );
    }),
    { numRuns: 100 },
  );
});

test('a plain Arrow reader sees the same values, and null where there is none', () => {
  fc.assert(
    fc.property(cpu, fc.array(givenEvent, { minLength: 1, maxLength: 60 }), (onCpu, events) => {
      const path = newPath('.arrows');
      writeGiven(newFile(path), onCpu, events);
      const table = tableFromIPC(readFileSync(path));
      expect(table.numRows).toBe(events.length);
      for (const [row, { event, time: at, line, values }] of events.entries()) {
        const got = table.get(row)?.toJSON() ?? {};
        expect(got).toMatchObject({
          time: at,
          cpu: onCpu,
          line,
          kind: EVENTS[event].code,
          vq: values.vq ?? null,
          accessor: null,
          observed: null,
          n: null,
        });
        const [detail] = [...got['details']];
        expect(detail.toJSON()).toEqual(
          Object.fromEntries(DETAIL_FIELDS.map((name) => [name, values[name] ?? null])),
        );
      }
    }),
    { numRuns: 100 },
  );
});

test('the schema says what the codes mean and what the fields are', () => {
  const { path } = importText('A 5 3 ffff888012345678 8 1 7\nM 6 3 ffff888012345678\n');
  const table = tableFromIPC(readFileSync(path));
  const { metadata, fields } = table.schema;
  expect(metadata.get('format')).toBe('vhostscope');
  expect(metadata.get('format_version')).toBe('3');
  expect(JSON.parse(metadata.get('kinds') ?? '')).toEqual(
    // JSON has no undefined.
    Array.from(EVENT_NAMES, (name) => name ?? null),
  );
  expect(Object.keys(JSON.parse(metadata.get('fields') ?? ''))).toEqual([
    'time',
    'cpu',
    'line',
    ...Object.keys(FIELDS),
  ]);
  expect(fields.map(({ name, type, nullable }) => `${name} ${type} ${nullable}`)).toEqual([
    'time Int64 false',
    'cpu Uint16 false',
    'line Uint32 false',
    'kind Uint8 false',
    'vq Uint32 true',
    'accessor Uint8 true',
    'observed Uint8 true',
    'n Uint32 true',
    expect.stringMatching(/^details List<Struct<\{.*\}>> false$/) as string,
  ]);
  const access = table.toArray().find(({ kind }) => kind === EVENTS.access.code);
  expect(access?.toJSON()).toMatchObject({
    time: 5n,
    cpu: 3,
    line: 1,
    vq: 0,
    accessor: 8,
    observed: 1,
    n: 1,
  });
  expect([...access!.details].map((detail) => detail.entries)).toEqual([7]);
  const round = table.toArray().find(({ kind }) => kind === EVENTS.round.code);
  expect([...round!.details]).toEqual([]);
});

interface GivenLine {
  readonly text: string;
  readonly expected: Readonly<Record<string, number | bigint | string>>;
}

const TAGGED = (Object.keys(EVENTS) as EventName[]).filter(
  (name) => eventDefinition(name).text !== undefined,
);
/** A comm as the program prints it: 16 bytes, what is unprintable as \xNN. */
const comm = fc
  .uint8Array({ maxLength: 16 })
  .map((bytes) =>
    [...bytes]
      .map((byte) =>
        byte >= 0x20 && byte < 0x7f && byte !== 0x5c
          ? String.fromCharCode(byte)
          : `\\x${byte.toString(16).padStart(2, '0')}`,
      )
      .join(''),
  );

const givenLine: fc.Arbitrary<GivenLine> = fc.constantFrom(...TAGGED).chain((event) => {
  const { text, optional = [] } = eventDefinition(event);
  const columns = text?.columns ?? [];
  const names = columns.filter((column): column is FieldName => typeof column === 'string');
  const values = Object.fromEntries(
    names.map((name) => [
      name,
      name === 'comm'
        ? comm
        : name === 'vq' || name === 'dev'
          ? fc.constant(0)
          : // The dialect's decimals are int64.
            fieldDefinition(name).text === 'decimal' && fieldDefinition(name).storage === 'u64'
            ? time
            : valueOf(name),
    ]),
  );
  // `dev` of a virtqueue and `entries` of accesses are always known to whoever prints a line.
  const absences = fc.subarray(names.filter((name) => optional.includes(name) && name !== 'dev'));
  return fc.tuple(time, cpu, fc.record(values), absences).map(([at, onCpu, given, absent]) => {
    const words = columns.map((column) => {
      if (typeof column !== 'string') return String(column.is);
      if (absent.includes(column)) return '-';
      const value = given[column];
      const { text: form } = fieldDefinition(column);
      if (form === 'pointer') return 'ffff888101234500';
      return form === 'hex' ? value.toString(16) : String(value);
    });
    const expected: Record<string, number | bigint | string> = { event, time: at, cpu: onCpu };
    Object.assign(expected, given);
    if (event === 'access') {
      expected['n'] = 1;
      if (given['accessor'] !== 8) delete expected['entries'];
    }
    for (const column of absent) delete expected[column];
    return { text: [text?.tag, at, onCpu, ...words].join(' '), expected };
  });
});

test('lines of text come back as the events that they say', () => {
  fc.assert(
    fc.property(fc.array(givenLine, { minLength: 1, maxLength: 60 }), (lines) => {
      const { fd, report } = importText(lines.map(({ text }) => `${text}\n`).join(''));
      expect(report).toMatchObject({ events: lines.length, rejected: 0, other: 0 });
      const byLine = inputEventsOf(fd).toSorted((a, b) => a.line - b.line);
      expect(byLine).toEqual(lines.map(({ expected }, at) => ({ ...expected, line: at + 1 })));
    }),
    { numRuns: 100 },
  );
});

test('batches larger than their first memory, and more than one of a CPU', () => {
  const rows = 6 * BATCH_ROWS;
  const lines = Array.from({ length: rows }, (_, at) =>
    at % 3 === 0
      ? `R ${at} 1 ff00 1 ${at.toString(16)} ${(at + 9).toString(16)} 3 1 ${at} comm ${at}`
      : `A ${at} 1 ff80 ${1 + (at % 10)} ${at % 3} ${at}`,
  );
  const { fd } = importText(`${lines.join('\n')}\n`);
  const index = indexTrace(fd, fstatSync(fd).size);
  const sizes = [...(index.recordings[0].events.get(1) ?? [])].map((place) => place.rows);
  expect(Math.max(...sizes)).toBe(BATCH_ROWS);
  const events = inputEventsOf(fd);
  expect(events).toHaveLength(rows);
  for (const [at, event] of events.entries()) {
    const names: DetailField[] = ['start', 'pid', 'comm'];
    const got = [event.time, ...names.map((name) => event[name])];
    const wanted =
      at % 3 === 0
        ? [BigInt(at), BigInt(at), at, `comm ${at}`]
        : [BigInt(at), ...names.map(() => undefined)];
    if (got.some((value, i) => value !== wanted[i])) expect(got).toEqual(wanted);
  }
});

test('the checksums are those that the reference describes, message by message', () => {
  const { path } = importText(
    '# vhost-oracle 1\nN 1 0 ffff888100000000 1 0\nM 2 1 ffff888100000100\n',
  );
  const bytes = readFileSync(path);
  let link = 0;
  let messages = 0;
  for (let at = 0; at < bytes.length - 8; messages++) {
    const body = at + 8 + bytes.readUInt32LE(at + 4);
    const metadata = bytes.toString('latin1', at + 8, body);
    const digits = [...metadata.matchAll(/\b[0-9a-f]{8}\b/g)].map((found) => ({
      value: found[0],
      at: at + 8 + found.index,
    }));
    const own = digits.at(-1) ?? { value: '', at: 0 };
    link = crc32(bytes.subarray(at + 4, own.at), link);
    link = crc32(bytes.subarray(own.at + 8, body), link);
    expect(own.value).toBe(link.toString(16).padStart(8, '0'));
    at = body;
    // The next message, or the end: a mark, and the length of its metadata.
    const isNext = (): boolean =>
      bytes.readUInt32LE(at) === 0xffff_ffff &&
      (at === bytes.length - 8 || (bytes[at + 7] === 0 && bytes.readUInt32LE(at + 4) > 1000));
    while (!isNext()) at += 8;
    if (messages > 0)
      expect(digits.at(-2)?.value).toBe(
        crc32(bytes.subarray(body, at)).toString(16).padStart(8, '0'),
      );
  }
  // Schema, begin, two tables, two CPUs, end, and what closes it.
  expect(messages).toBe(8);
});
