/** Ranges under way, and what a reader is told that joins when not all are known. */
import { createEventLine, readEventLine, type EventLine } from '@vhostscope/model';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventsOf, HEADER, newFile, newPath, type PlainEvent } from '../test/trace-files.ts';
import { createImportReport } from './import-report.js';
import { createTextImporter } from './import-text.js';
import { joinTrace, leaveTrace } from './live-reader.js';
import {
  createOpenRanges,
  linesOfAll,
  noteRange,
  settleRanges,
  type OpenRanges,
} from './open-ranges.js';
import { createRingState, noteRingState } from './ring-state.js';
import { createTraceWriter, flushTrace } from './trace-writer.js';

const ENTERED = 1;
const RETURNED = 2;
const END = 0;
const END_RETURNED = 3;

const textOf = (time: number, cpu: number, what: number, blockable = 1): string =>
  `K ${time} ${cpu} 417 ${what} 7f0000000000 7f0000001000 0 ${blockable} 12 - load`;

function note(ranges: OpenRanges, text: string, from?: bigint): string | undefined {
  const line: EventLine = createEventLine();
  const bytes = Buffer.from(`${text}\n`);
  expect(readEventLine(bytes, 0, bytes.length, line)).toBe(bytes.length);
  return noteRange(ranges, line, bytes, from);
}

const timesOf = (ranges: OpenRanges): number[] =>
  linesOfAll(ranges).map(({ time }) => Number(time));

test('a range is over when the call that ends it has returned', () => {
  const ranges = createOpenRanges();
  for (const [time, what] of [ENTERED, RETURNED, END].entries())
    note(ranges, textOf(time, 0, what));
  expect(timesOf(ranges)).toEqual([0, 1, 2]);
  note(ranges, textOf(3, 0, END_RETURNED));
  expect(timesOf(ranges)).toEqual([]);
});

test('of several CPUs, when all have told what was before', () => {
  const ranges = createOpenRanges();
  note(ranges, textOf(3, 1, END));
  note(ranges, textOf(4, 1, END_RETURNED));
  note(ranges, textOf(1, 0, ENTERED));
  note(ranges, textOf(2, 0, RETURNED));
  settleRanges(ranges, 3n);
  expect(timesOf(ranges)).toEqual([1, 2, 3, 4]);
  settleRanges(ranges, 4n);
  expect(timesOf(ranges)).toEqual([]);
  expect(ranges.isPartial).toBe(false);
});

test('an end without a beginning, when that can come no more, leaves it open what there is', () => {
  const ranges = createOpenRanges();
  expect(note(ranges, textOf(3, 1, END))).toBe('waits');
  settleRanges(ranges, 3n);
  expect(ranges).toMatchObject({ isPartial: true, linesOf: new Map() });
});

test('what may not sleep does not count, and the lines of one range are bounded', () => {
  const ranges = createOpenRanges();
  expect(note(ranges, textOf(1, 0, ENTERED, 0))).toBeUndefined();
  for (let time = 1; time <= 1100; time++) note(ranges, textOf(time, 0, ENTERED));
  expect(ranges.isPartial).toBe(true);
  expect(timesOf(ranges).length).toBeLessThan(100);
});

/** What a reader gets that joins now. */
function streamOf(isPartial: boolean): readonly PlainEvent[] {
  const state = createRingState();
  state.ranges.isPartial = isPartial;
  const writer = createTraceWriter(newFile(), HEADER);
  const importer = createTextImporter(writer, createImportReport(), {
    onEvent: (line, bytes) => {
      noteRingState(state, line);
      noteRange(state.ranges, line, bytes);
    },
    onText: () => false,
    onMessage: () => undefined,
    onLoss: () => undefined,
  });
  const vq = 'ffff888000001000';
  const lines = [
    `V 1 0 ${vq} ffff888000000000 417 0 1`,
    `U 2 0 ${vq} 0 7f0000000000 4096 -`,
    'H 5 1 0 0 0 0 0 0',
    textOf(6, 0, ENTERED),
    'H 9 0 0 0 0 0 0 0',
  ];
  importer.push(Buffer.from(['# vhostscope 1', ...lines, ''].join('\n')));
  const joined = joinTrace(writer, state);
  flushTrace(writer);
  const path = newPath('.arrows');
  writeFileSync(path, Buffer.concat([joined.head, leaveTrace(writer, joined)]));
  const fd = openSync(path, 'r');
  try {
    return eventsOf(fd);
  } finally {
    closeSync(fd);
  }
}

test('a reader is told of the rings before anything can come, and of the range when it began', () => {
  const events = streamOf(false).map(({ event, time }) => `${event} ${time}`);
  expect(events).toContain('addresses 5');
  expect(events).toContain('core_range_start 6');
  expect(events.some((text) => text.startsWith('lost'))).toBe(false);
});

test('that something was lost before is told behind it', () => {
  const names = streamOf(true).map(({ event }) => event);
  expect(names.indexOf('lost')).toBeGreaterThan(names.indexOf('core_range_start'));
});
