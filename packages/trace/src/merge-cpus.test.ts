import { fstatSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOf, importText, inputEventsOf, type PlainEvent } from '../test/trace-files.ts';
import { BATCH_ROWS } from './event-builder.js';
import { indexTrace } from './trace-index.js';

const VQ = 'ffff888100000100';
const round = (time: bigint | number, cpu: number): string => `M ${time} ${cpu} ${VQ}`;

interface Row {
  readonly time: bigint;
  readonly cpu: number;
  readonly line: number;
}

/**
 * The order that a merge must give: by time, then by line, where an event whose clock went back comes
 * right after those that stand before it on its CPU.
 */
function oracle(rows: readonly Row[]): Row[] {
  const latest = new Map<number, Row>();
  const keyed = rows.map((row) => {
    const before = latest.get(row.cpu);
    const key = before === undefined || compare(before, row) < 0 ? row : before;
    latest.set(row.cpu, key);
    return { row, key };
  });
  return keyed
    .toSorted((a, b) => compare(a.key, b.key) || a.row.line - b.row.line)
    .map(({ row }) => row);
}

function compare(a: Row, b: Row): number {
  return a.time < b.time ? -1 : a.time > b.time ? 1 : a.line - b.line;
}

const plain = ({ time, cpu, line }: Row | PlainEvent): string => `${time} ${cpu} ${line}`;

function merged(rows: readonly Row[]): string[] {
  const { fd } = importText(rows.map(({ time, cpu }) => `${round(time, cpu)}\n`).join(''));
  return inputEventsOf(fd).map(plain);
}

const someTime = fc.oneof(
  fc.bigInt(0n, 20n),
  fc.bigInt(2n ** 32n - 3n, 2n ** 32n + 3n),
  fc.bigInt(0n, 2n ** 63n - 1n),
);

test('CPUs in time order, written in any order, come back in time order', () => {
  const given = fc.array(fc.tuple(someTime, fc.nat(5)), { maxLength: 120 }).map((pairs) => {
    const queues = new Map<number, bigint[]>();
    for (const [time, cpu] of pairs) queues.set(cpu, [...(queues.get(cpu) ?? []), time]);
    for (const queue of queues.values()) queue.sort((a, b) => (a < b ? -1 : 1));
    // The CPUs take turns as they did in `pairs`, each in the order of its clock.
    return pairs.map(([, cpu], at) => ({ time: queues.get(cpu)!.shift()!, cpu, line: at + 1 }));
  });
  fc.assert(
    fc.property(given, (rows) => {
      expect(merged(rows)).toEqual(rows.toSorted(compare).map(plain));
      expect(oracle(rows)).toEqual(rows.toSorted(compare));
    }),
    { numRuns: 100 },
  );
});

test('the order within a CPU is kept even when its clock goes back', () => {
  const given = fc
    .array(fc.tuple(someTime, fc.nat(3)), { maxLength: 80 })
    .map((pairs) => pairs.map(([time, cpu], at) => ({ time, cpu, line: at + 1 })));
  fc.assert(
    fc.property(given, (rows) => {
      const got = merged(rows);
      expect(got).toEqual(oracle(rows).map(plain));
      for (const cpu of [0, 1, 2, 3]) {
        const own = rows.filter((row) => row.cpu === cpu).map(plain);
        expect(got.filter((row) => row.split(' ')[1] === String(cpu))).toEqual(own);
      }
    }),
    { numRuns: 100 },
  );
});

test('a CPU that stands 40,000 lines and minutes late', () => {
  const rows: Row[] = [];
  const push = (time: number, cpu: number): void => {
    rows.push({ time: BigInt(time) * 10_000_000n, cpu, line: rows.length + 1 });
  };
  for (let at = 0; at < 40_000; at++) push(2 * at, 0);
  for (let at = 0; at < 3000; at++) push(26 * at + 1, 1);
  for (let at = 40_000; at < 41_000; at++) push(2 * at, 0);
  expect(merged(rows)).toEqual(rows.toSorted(compare).map(plain));
});

test('batches of one CPU follow one another, whatever the others do', () => {
  const rows: Row[] = [];
  for (let at = 0; at < 3 * BATCH_ROWS; at++)
    rows.push({ time: BigInt(at >> 1), cpu: at % 7 === 0 ? 1 : 0, line: at + 1 });
  expect(merged(rows)).toEqual(rows.toSorted(compare).map(plain));
});

test('recordings come one after the other, times jumping back or not', () => {
  const { fd } = importText(
    [
      '# vhost-oracle 1',
      round(100, 0),
      round(50, 1),
      '# vhost-oracle 1',
      round(7, 0),
      round(3, 1),
      '',
    ].join('\n'),
  );
  expect(
    eventsOf(fd)
      .filter(({ event }) => event !== 'virtqueue')
      .map(({ event, time, cpu }) => `${event} ${time} ${cpu}`),
  ).toEqual([
    'recording 100 0',
    'round 50 1',
    'round 100 0',
    'recording_end 100 0',
    'recording 7 0',
    'round 3 1',
    'round 7 0',
    'recording_end 7 0',
  ]);
});

test('what is known of virtqueues comes before the events, whenever it was found out', () => {
  const lines: string[] = [];
  for (let at = 0; at < 2 * BATCH_ROWS; at++) lines.push(round(at, at & 1));
  lines.push('N 99999 0 ffff888100000000 1 0', `M 100000 1 ffff888100000200`);
  const { fd } = importText(`${lines.join('\n')}\n`);
  const events = eventsOf(fd).map(({ event }) => event);
  expect(events[0]).toBe('recording');
  expect(events.at(-1)).toBe('recording_end');
  const tables = events.lastIndexOf('virtqueue');
  expect(events.slice(1, tables + 1).every((event) => event === 'virtqueue')).toBe(true);
  expect(tables).toBeLessThan(6);
});

test('many CPUs get smaller batches, so that all together wait in the same memory', () => {
  const rows: Row[] = [];
  for (let at = 0; at < 5000; at++)
    rows.push({ time: BigInt(at), cpu: at < 300 ? 299 - at : 0, line: at + 1 });
  const { fd } = importText(rows.map(({ time, cpu }) => `${round(time, cpu)}\n`).join(''));
  const index = indexTrace(fd, fstatSync(fd).size);
  const sizes = [...(index.recordings[0].events.get(0) ?? [])].map((place) => place.rows);
  const most = Math.max(512, Math.floor((8 * BATCH_ROWS) / 300));
  expect(sizes.slice(0, -1).every((size) => size === most)).toBe(true);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(4701);
  expect(inputEventsOf(fd).map(plain)).toEqual(rows.map(plain));
});
