/** Importing a recording under way: a span of time, counts of what arrives, events of one's own. */
import { KIND, type EventLine } from '@vhostscope/model';
import type { Message } from 'bpftrace-parser';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOf, HEADER, newFile, type PlainEvent } from '../test/trace-files.ts';
import { createImportReport } from './import-report.js';
import { createTextImporter, type TextImporter } from './import-text.js';
import type { RecordingCounts } from './recording-counts.js';
import { closeTrace, createTraceWriter } from './trace-writer.js';

const VQ = 'ffff888101234500';

interface Live {
  readonly importer: TextImporter;
  readonly heard: string[];
  /** Ends the trace; what it holds. */
  readonly end: () => PlainEvent[];
  /** Of the recording, when it has ended. */
  readonly counts: () => RecordingCounts | undefined;
}

function begin(): Live {
  const fd = newFile();
  const writer = createTraceWriter(fd, HEADER);
  const heard: string[] = [];
  const importer = createTextImporter(writer, createImportReport(), {
    onEvent: ({ kind, words }: EventLine) => heard.push(`${kind} ${words[0]}`),
    onText: (text) => text.startsWith('  '),
    onMessage: ({ type }: Message) => heard.push(type),
    onLoss: (howMany, by) => heard.push(`${howMany} ${by}`),
  });
  importer.push(Buffer.from('# vhost-oracle 1\n'));
  return {
    importer,
    heard,
    counts: () => writer.ended,
    end: () => {
      importer.end(true);
      closeTrace(writer);
      return eventsOf(fd).filter(({ event }) => event === 'round' || event === 'access');
    },
  };
}

const push = (importer: TextImporter, ...lines: string[]): void =>
  importer.push(Buffer.from(lines.map((line) => `${line}\n`).join('')));

const timesOf = (events: readonly PlainEvent[]): number[] => events.map(({ time }) => Number(time));

test('what lies outside the span is read and counted, and not written', () => {
  const { importer, heard, end } = begin();
  importer.setSpan(10n, undefined);
  push(importer, `M 9 0 ${VQ}`, `M 10 1 ${VQ}`, `A 4 0 ${VQ} 1 1 1`, `A 11 0 ${VQ} 1 1 1`);
  importer.setSpan(undefined, undefined);
  push(importer, `A 12 0 ${VQ} 1 1 1`, `A 13 0 ${VQ} 1 1 1`);
  importer.setSpan(10n, 5_000_000_000n);
  push(importer, `A 5000000000 0 ${VQ} 1 1 1`, `A 5000000001 0 ${VQ} 1 1 1`, 'Lost 3 events');
  expect(importer.arrived(0, KIND.access)).toBe(6);
  expect(importer.arrived(0, KIND.round)).toBe(1);
  expect(importer.arrived(1, KIND.round)).toBe(1);
  expect(importer.arrived(7, KIND.round)).toBe(0);
  expect(heard).toContain('3 bpftrace');
  expect(heard).toContain(`${KIND.round} 9`);
  expect(timesOf(end())).toEqual([10, 11, 12, 13, 5_000_000_000]);
});

test('runs of accesses are counted for the CPU that they are of', () => {
  const access = fc.record({ cpu: fc.nat(2), length: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(fc.array(access, { maxLength: 12 }), (runs) => {
      const { importer, end } = begin();
      const expected = [0, 0, 0];
      let time = 17_040_459_130;
      for (const { cpu, length } of runs) {
        const lines = Array.from({ length }, () => `A ${(time += 10)} ${cpu} ${VQ} 1 1 1`);
        push(importer, ...lines);
        expected[cpu] = (expected[cpu] ?? 0) + length;
      }
      expect([0, 1, 2].map((cpu) => importer.arrived(cpu, KIND.access))).toEqual(expected);
      expect(end()).toHaveLength(expected.reduce((sum, count) => sum + count, 0));
    }),
  );
});

test("an event of one's own stands where its time is, and no clock goes back", () => {
  const CPUS = [0, 1, 2];
  const step = fc.record({
    does: fc.constantFrom('emit', 'emit', 'emit', 'drain', 'insert'),
    cpu: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { importer, end, counts } = begin();
      // Each CPU's lines wait until bpftrace gets round to them.
      const held: string[][] = [[], [], []];
      let time = 1_000_000_000;
      const inserted: number[] = [];
      const emit = (cpu: number): void => void held[cpu]?.push(`A ${time} ${cpu} ${VQ} 1 1 1`);
      const drain = (cpu: number): void => push(importer, ...(held[cpu]?.splice(0) ?? []));
      for (const { does, cpu } of steps) {
        time += 10;
        if (does === 'emit') emit(cpu);
        else if (does === 'drain') drain(cpu);
        else {
          importer.insert('round', BigInt(time), { vq: 0 });
          inserted.push(time);
        }
      }
      time += 10;
      for (const cpu of CPUS) emit(cpu);
      for (const cpu of CPUS) drain(cpu);
      const events = end();
      expect(timesOf(events.filter(({ event }) => event === 'round'))).toEqual(inserted);
      expect(timesOf(events)).toEqual(timesOf(events).toSorted((a, b) => a - b));
      expect(counts()?.backward).toBe(0);
    }),
  );
});
