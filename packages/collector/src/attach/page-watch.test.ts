import { createEventLine, readEventLine, type EventLine } from '@vhostscope/model';
import type { EventValues } from '@vhostscope/trace';
import { beforeEach, expect, test } from 'vitest';
import { createPageWatch, type PageWatch } from './page-watch.js';

/** Reads a line; its pointers are taken for ids. */
function lineOf(text: string): EventLine {
  const line = createEventLine();
  const bytes = Buffer.from(`${text}\n`);
  expect(readEventLine(bytes, 0, bytes.length, line)).toBe(bytes.length);
  return line;
}

let told: EventValues[];
/** Goes on by one when it is asked. */
let clock: bigint;
let times: bigint[];
let read: string[];
let watch: PageWatch;

const watchBut = (leftOut: readonly number[]): void => {
  told = [];
  clock = 0n;
  times = [];
  read = [];
  watch = createPageWatch(
    () => ++clock,
    (time, values) => {
      times.push(time);
      told.push(values);
    },
    leftOut,
    (pid, address, size) => {
      read.push(`${pid} ${address.toString(16)} ${size}`);
      clock += 10n;
      return pid === 99 ? undefined : { wanted: 2, present: 1, contiguous: false, huge: 0 };
    },
  );
};

beforeEach(() => watchBut([0, 0, 0]));

function hear(...lines: string[]): void {
  for (const text of lines) watch.hear(lineOf(text));
  watch.look();
}

/** vq 5 of device 1 and process 42, with a desc area at 0x1000 and a used area at 0x3000. */
const RING = ['U 1 0 5 0 1000 4096 0', 'U 1 0 5 2 3000 512 0', 'V 1 0 5 1 42 0 -'];

test('a new ring is looked at once its owner is known', () => {
  hear('U 1 0 5 0 1000 4096 0');
  expect(read).toEqual([]);
  hear('V 1 0 5 1 42 0 -');
  expect(read).toEqual(['42 1000 4096']);
  expect(told).toEqual([
    { vq: 5, area: 0, pagesGot: 1, pagesWanted: 2, contiguous: 0, hugePages: 0 },
  ]);
  expect(times, 'before it was looked').toEqual([1n]);
  hear('V 2 0 5 1 42 0 -');
  expect(read).toHaveLength(1);
});

test.each([
  ['before it', 'K 2 0 42 0 0 1000 0 1 7 - x', []],
  ['its first byte', 'K 2 0 42 0 0 1001 0 1 7 - x', ['42 1000 4096']],
  ['its last byte', 'K 2 0 42 0 1fff 3000 0 1 7 - x', ['42 1000 4096']],
  ['both areas', 'K 2 0 42 0 1000 4000 0 1 7 - x', ['42 1000 4096', '42 3000 512']],
  ['everything', 'K 2 0 42 0 0 ffffffffffffffff 0 1 7 - x', ['42 1000 4096', '42 3000 512']],
  ['a flush of the TLB', 'F 2 0 42 1000 2000 7 - x', ['42 1000 4096']],
  ['a flush of all of it', 'F 2 0 42 0 ffffffffffffffff 7 - x', ['42 1000 4096', '42 3000 512']],
  ['in another process', 'K 2 0 43 0 0 ffffffffffffffff 0 1 7 - x', []],
  ['not over yet', 'K 2 0 42 1 0 ffffffffffffffff 0 1 7 - x', []],
  ["of vhost's own callback", 'R 2 0 1 0 3000 4000 0 1 7 x', ['42 3000 512']],
  ['of another device', 'R 2 0 2 0 3000 4000 0 1 7 x', []],
])('an invalidation %s', (_what, line, expected) => {
  hear(...RING);
  read = [];
  hear(line);
  expect(read).toEqual(expected);
  watch.look();
  expect(read).toEqual(expected);
});

test('a ring that is reset, or set up elsewhere, is not looked at where it was', () => {
  hear(...RING);
  read = [];
  hear('U 2 0 5 0 8000 4096 0', 'K 2 0 42 0 0 ffffffffffffffff 0 1 7 - x');
  expect(read).toEqual(['42 8000 4096', '42 3000 512']);
  read = [];
  hear('U 3 0 5 0 0 0 0', 'K 3 0 42 0 0 ffffffffffffffff 0 1 7 - x');
  expect(read).toEqual(['42 3000 512']);
  read = [];
  hear('Z 4 0 5', 'K 4 0 42 0 0 ffffffffffffffff 0 1 7 - x');
  expect(read).toEqual([]);
});

test('a process that is gone has no pages', () => {
  hear('U 1 0 5 0 1000 4096 0', 'V 1 0 5 1 99 0 -');
  expect(read).toEqual(['99 1000 4096']);
  expect(told).toEqual([]);
});

test('areas that the recording program looks at are left to it', () => {
  watchBut([2, 2, 2]);
  hear(...RING);
  hear('U 1 0 5 1 8000 8193 0');
  expect(read).toEqual(['42 8000 8193']);
});
