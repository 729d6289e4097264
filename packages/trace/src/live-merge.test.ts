/** A trace that grows, batch by batch and byte by byte, against its order when it is whole. */
import { fstatSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  eventAt,
  HEADER,
  inputEventsOf,
  newFile,
  newPath,
  type PlainEvent,
} from '../test/trace-files.ts';
import { createImportReport } from './import-report.ts';
import { createTextImporter } from './import-text.ts';
import {
  createLiveMerge,
  HEARTBEAT_SILENCE,
  SILENCE,
  type LiveMerge,
  type MergeStop,
} from './live-merge.ts';
import { createTraceIndexer, type TraceIndexer } from './trace-index.ts';
import { closeTrace, createTraceWriter, flushTrace } from './trace-writer.ts';

const VQ = 'ffff888100000100';
const plain = ({ time, cpu, line }: { time: bigint; cpu: number; line: number }): string =>
  `${time} ${cpu} ${line}`;

interface Row {
  readonly time: bigint;
  readonly cpu: number;
  readonly line: number;
  /** A heartbeat, or a round. */
  readonly kind?: 'H' | 'M';
}

/** A trace, and its bytes after each flush with the rows that had arrived by then. */
interface Grown {
  readonly fd: number;
  readonly bytes: Uint8Array;
  readonly steps: readonly { readonly bytes: number; readonly rows: readonly Row[] }[];
}

function grow(flushes: readonly (readonly Omit<Row, 'line'>[])[], header = HEADER): Grown {
  const path = newPath('.arrows');
  const fd = newFile(path);
  const writer = createTraceWriter(fd, header);
  const importer = createTextImporter(writer, createImportReport());
  const steps: { bytes: number; rows: Row[] }[] = [];
  const rows: Row[] = [];
  for (const flush of flushes) {
    for (const { time, cpu, kind } of flush) {
      const line = kind === 'H' ? `H ${time} ${cpu} 0 0 0 0 0 0` : `M ${time} ${cpu} ${VQ}`;
      importer.push(Buffer.from(`${line}\n`));
      rows.push({ time, cpu, line: rows.length + 1 });
    }
    flushTrace(writer);
    steps.push({ bytes: fstatSync(fd).size, rows: [...rows] });
  }
  importer.end();
  closeTrace(writer);
  return { fd, bytes: readFileSync(path), steps };
}

/** What a merge has let out so far. */
function follow(fd: number): {
  readonly events: PlainEvent[];
  readonly indexer: TraceIndexer;
  readonly merge: () => LiveMerge;
  readonly advance: (
    now: number,
    isOver?: boolean,
    before?: bigint,
    events?: number,
  ) => MergeStop | undefined;
} {
  const events: PlainEvent[] = [];
  const indexer = createTraceIndexer(fd);
  let merge: LiveMerge | undefined;
  return {
    events,
    indexer,
    merge: () => merge!,
    advance: (now, isOver = false, before, most = Infinity) => {
      if (indexer.index === undefined) return undefined;
      merge ??= createLiveMerge(fd, indexer.index);
      return merge.advance(
        { before, events: most, now, isOver },
        {
          words: () => {},
          events: (batch, from, to) => {
            for (let row = from; row < to; row++) events.push(eventAt(batch, row));
            return to;
          },
        },
      );
    },
  };
}

/** Rows of some CPUs, each in the order of its clock, in flushes; each CPU tells something in the first. */
const arrivals = fc
  .record({
    cpus: fc.integer({ min: 1, max: 5 }),
    steps: fc.array(fc.tuple(fc.nat(4), fc.nat(3), fc.boolean()), { maxLength: 80 }),
  })
  .map(({ cpus, steps }) => {
    const clocks = Array.from({ length: cpus }, () => 0n);
    const flushes: Omit<Row, 'line'>[][] = [clocks.map((time, cpu) => ({ time, cpu }))];
    for (const [which, by, flushes_] of steps) {
      const cpu = which % cpus;
      clocks[cpu] = (clocks[cpu] ?? 0n) + BigInt(by);
      flushes.at(-1)?.push({ time: clocks[cpu] ?? 0n, cpu });
      if (flushes_) flushes.push([]);
    }
    return flushes;
  });

test('lets out what no CPU can come before any more, in the order of the whole trace', () => {
  fc.assert(
    fc.property(arrivals, fc.infiniteStream(fc.nat(2000)), (flushes, tails) => {
      const { bytes, steps, fd: whole } = grow(flushes);
      const fd = newFile();
      const { events, indexer, advance, merge } = follow(fd);
      for (const step of steps) {
        // The tail is torn, somewhere in what comes next.
        const end = Math.min(bytes.length, step.bytes + (tails.next().value ?? 0));
        const upTo = step === steps.at(-1) ? step.bytes : end;
        ftruncateSync(fd, 0);
        writeSync(fd, bytes, 0, upTo, 0);
        indexer.extend(upTo);
        expect(['waits', 'before', undefined]).toContain(advance(0));
        const arrived = step.rows;
        const last = new Map(arrived.map(({ cpu, time }) => [cpu, time]));
        const bound = [...last.values()].reduce((least, time) => (time < least ? time : least));
        const due = arrived.filter(({ time }) => time <= bound).map(plain);
        const told = events.map(plain);
        for (const one of due) expect(told).toContain(one);
        if (upTo === step.bytes) expect(told.toSorted()).toEqual(due.toSorted());
      }
      writeSync(fd, bytes, 0, bytes.length, 0);
      indexer.extend(bytes.length);
      expect(indexer.index?.closed).toBe(true);
      expect(advance(0, true)).toBe('over');
      expect(events.map(plain)).toEqual(inputEventsOf(whole).map(plain));
      expect({ late: merge().late, ...merge().waiting() }).toEqual({ late: 0, events: 0, lag: 0 });
    }),
    { numRuns: 100 },
  );
});

test('stops at any time, and goes on from there', () => {
  fc.assert(
    fc.property(
      arrivals,
      fc.array(fc.nat(60), { maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      (flushes, stops, most) => {
        const { bytes, fd } = grow(flushes);
        const { events, indexer, advance } = follow(fd);
        indexer.extend(bytes.length);
        const all = inputEventsOf(fd);
        for (const stop of stops.toSorted((a, b) => a - b)) {
          while (advance(0, true, BigInt(stop), most) === 'limit');
          expect(events.map(plain)).toEqual(
            all.filter(({ time }) => time < BigInt(stop)).map(plain),
          );
        }
        while (advance(0, true, undefined, most) !== 'over');
        expect(events.map(plain)).toEqual(all.map(plain));
      },
    ),
    { numRuns: 100 },
  );
});

test.each([
  { of: 'any trace', header: HEADER, silence: SILENCE },
  {
    of: 'a recording by bpftrace, with heartbeats',
    header: {
      ...HEADER,
      host: { kernel: '6.1', architecture: 'x86_64', bpftrace: '0.17.0', numaNodes: 1 },
    },
    silence: HEARTBEAT_SILENCE,
  },
])(
  'a CPU of $of that is silent holds back what is newest, and then nothing',
  ({ header, silence }) => {
    const ms = (time: number): bigint => BigInt(time) * 1_000_000n;
    const { fd, steps } = grow(
      [
        [
          { time: ms(10), cpu: 0 },
          { time: ms(11), cpu: 1 },
        ],
        [
          { time: ms(1000), cpu: 1 },
          { time: ms(1500), cpu: 1 },
        ],
        [{ time: ms(900), cpu: 0 }],
        [{ time: ms(1600), cpu: 1 }],
        [{ time: ms(1550), cpu: 0 }],
      ],
      header,
    );
    const { events, indexer, advance, merge } = follow(fd);
    const times = (): number[] => events.map(({ time }) => Number(time / 1_000_000n));
    const come = (step: number): void => indexer.extend(steps[step]?.bytes ?? 0);
    come(0);
    expect(advance(0)).toBe('waits');
    expect(times()).toEqual([10]);
    come(1);
    expect(advance(silence)).toBe('waits');
    expect(times()).toEqual([10]);
    expect(merge().waiting()).toEqual({ events: 3, lag: 1490e6 });
    // It is silent: what lies far enough behind the newest event is let out.
    expect(advance(silence + 1)).toBe('waits');
    expect(times()).toEqual([10, 11]);
    // What it had told, and was on its way, comes in time.
    come(2);
    expect(advance(silence + 2)).toBe('waits');
    expect(times()).toEqual([10, 11, 900]);
    come(3);
    expect(advance(2 * silence)).toBe('waits');
    expect(advance(2 * silence + 3)).toBe('waits');
    expect(times()).toEqual([10, 11, 900]);
    expect(merge().late).toBe(0);
    // Nobody tells anything: what there is is not held back for ever.
    expect(advance(3 * silence + 1)).toBe('waits');
    expect(times()).toEqual([10, 11, 900, 1000, 1500, 1600]);
    expect(merge().waiting()).toEqual({ events: 0, lag: 0 });
    come(4);
    expect(advance(3 * silence + 2)).toBe('waits');
    expect(times().at(-1)).toBe(1550);
    expect(merge().late).toBe(1);
  },
);

test('a sign of life of an idle host leaves nobody behind', () => {
  const second = (time: number): bigint => BigInt(time) * 1_000_000_000n;
  const { fd, steps } = grow([
    [
      { time: second(1), cpu: 0 },
      { time: second(1), cpu: 1 },
    ],
    [{ time: second(6), cpu: 0, kind: 'H' }],
    [{ time: second(8), cpu: 0 }],
  ]);
  const { indexer, advance, merge } = follow(fd);
  const lags = steps.map(({ bytes }, at) => {
    indexer.extend(bytes);
    advance(at);
    return merge().waiting().lag;
  });
  // The last is an event: that of CPU 1 may come before it.
  expect(lags).toEqual([0, 0, 7e9]);
});
