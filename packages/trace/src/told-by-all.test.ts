import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  eventsOf,
  fileOf,
  HEADER,
  importText,
  inputEventsOf,
  newFile,
  newPath,
  type Imported,
  type PlainEvent,
} from '../test/trace-files.ts';
import { createImportReport } from './import-report.js';
import { createTextImporter } from './import-text.js';
import { visitTrace } from './merge-cpus.js';
import { openTrace, type OpenTrace } from './open-trace.js';
import { batchEnd } from './place-list.js';
import { toldByAll } from './told-by-all.js';
import { closeTrace, createTraceWriter, flushTrace } from './trace-writer.js';

/** Of three CPUs that tell more and less often, in no order between them. */
const TEXT = Array.from({ length: 9000 }, (_, at) => {
  const cpu = at % 10 < 7 ? 0 : at % 10 < 9 ? 1 : 2;
  return `N ${1000 + at} ${cpu} ffff888100000000 1 0\n`;
}).join('');

const { fd, path } = importText(`# vhost-oracle 1\n${TEXT}`);
const BYTES = readFileSync(path);
const TIMES = eventsOf(fd)
  .filter(({ event }) => event === 'notifier')
  .map(({ time }) => time);

const SAID =
  /: near its end .*; before (\d+) ns none is of its (\d) CPUs, unless a clock went back .*--to of replay/;

function timesIn({ fd: bytes, index }: OpenTrace, before: bigint): bigint[] {
  const found: bigint[] = [];
  visitTrace(bytes, index, (batch, from, to) => {
    for (let row = from; row < to; row++) {
      const time = (BigInt(batch.time[2 * row + 1]) << 32n) | BigInt(batch.time[2 * row]);
      if (batch.line[row] > 1 && time < before) found.push(time);
    }
  });
  return found;
}

async function endsOfBatches(of = path): Promise<number[]> {
  const whole = await openTrace(of);
  const [recording] = whole.index.recordings;
  const ends = [...(recording?.events.values() ?? [])].flatMap((list) => [...list].map(batchEnd));
  whole.close();
  return ends.toSorted((a, b) => a - b);
}

test.each(['cut off', 'damaged'])(
  'of a trace that is %s anywhere nothing is missing before what is told',
  async (how) => {
    const ends = await endsOfBatches();
    let said = 0;
    for (const end of ends.slice(0, -1)) {
      const bytes = how === 'damaged' ? Uint8Array.from(BYTES) : BYTES.subarray(0, end);
      // The mark at the beginning of the next message.
      if (how === 'damaged') bytes[end] ^= 1;
      const trace = await openTrace(fileOf(bytes, '.arrows'));
      const [, time, cpus] = SAID.exec(trace.damage.join('\n')) ?? [];
      const heard = trace.index.recordings[0]?.events.size ?? 0;
      expect(cpus).toBe(heard < 2 ? undefined : String(heard));
      // The third CPU may have been heard of by nobody, as it says.
      if (heard === 3) {
        const before = BigInt(time ?? 0);
        expect(timesIn(trace, before)).toEqual(TIMES.filter((one) => one < before));
        said++;
      }
      trace.close();
    }
    expect(said).toBeGreaterThan(5);
  },
);

test('nothing of the kind is said of one that has ended, and was just not closed', async () => {
  const whole = await openTrace(path);
  const end = batchEnd(whole.index.recordings[0]?.end);
  whole.close();
  const trace = await openTrace(fileOf(BYTES.subarray(0, end), '.arrows'));
  expect(trace.damage).toEqual([expect.stringContaining('the trace was not closed')]);
  trace.close();
});

/** A row of a CPU; its clock goes on by `step` or, where that is negative, back. All that waits is written behind it, or not. */
interface Step {
  readonly cpu: number;
  readonly step: number;
  readonly isFlushed: boolean;
}

const steps = (back: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      cpu: fc.nat(2),
      step: fc.oneof(
        { weight: 1000, arbitrary: fc.nat(50) },
        { weight: back, arbitrary: fc.integer({ min: -400, max: -1 }) },
      ),
      isFlushed: fc.nat(9).map((one) => one === 0),
    }),
    { minLength: 20, maxLength: 200 },
  );

function written(all: readonly Step[]): Pick<Imported, 'path' | 'fd'> {
  const file = newPath('.arrows');
  const opened = newFile(file);
  const writer = createTraceWriter(opened, HEADER);
  const importer = createTextImporter(writer, createImportReport());
  const clocks = [1000, 1000, 1000];
  for (const { cpu, step, isFlushed } of all) {
    const time = Math.max(0, (clocks[cpu] ?? 0) + step);
    clocks[cpu] = time;
    importer.push(Buffer.from(`M ${time} ${cpu} ffff888100000100\n`, 'latin1'));
    if (isFlushed) flushTrace(writer);
  }
  importer.end();
  closeTrace(writer);
  return { path: file, fd: opened };
}

const goesBack = (times: readonly bigint[]): boolean =>
  times.some((time, at) => time < (times[at - 1] ?? 0n));

const timesOfCpu = (events: readonly PlainEvent[], wanted: number): bigint[] =>
  events
    .filter(({ cpu }) => cpu === wanted)
    .toSorted((a, b) => a.line - b.line)
    .map(({ time }) => time);

test('clocks that go back: nothing is promised where they do, and what is holds where they do not', async () => {
  const seen = { promised: 0, silent: 0 };
  await fc.assert(
    fc.asyncProperty(fc.oneof(steps(0), steps(5), steps(100)), async (all) => {
      const made = written(all);
      const bytes = readFileSync(made.path);
      const whole = inputEventsOf(made.fd);
      for (const end of (await endsOfBatches(made.path)).slice(0, -1)) {
        const trace = await openTrace(fileOf(bytes.subarray(0, end), '.arrows'));
        const [, time] = SAID.exec(trace.damage.join('\n')) ?? [];
        const told = inputEventsOf(trace.fd);
        trace.close();
        const heard = [...new Set(told.map(({ cpu }) => cpu))];
        const isDoubted = heard.some((cpu) => goesBack(timesOfCpu(told, cpu)));
        expect(time === undefined).toBe(heard.length < 2 || isDoubted);
        if (isDoubted) seen.silent++;
        if (time === undefined) continue;
        seen.promised++;
        for (const cpu of heard) {
          const there = timesOfCpu(told, cpu);
          const gone = timesOfCpu(whole, cpu).slice(there.length);
          if (!goesBack([...there.slice(-1), ...gone]))
            expect(gone.filter((one) => one < BigInt(time))).toEqual([]);
        }
      }
    }),
    { numRuns: 40 },
  );
  expect(seen.promised).toBeGreaterThan(20);
  expect(seen.silent).toBeGreaterThan(20);
});

test.each([
  ['is gone while it is read', 0],
  ['cannot be read', Object.assign(new Error('EIO'), { code: 'EIO' })],
])('of a batch that %s nothing is said here: opening goes on', async (_what, answer) => {
  const ends = await endsOfBatches();
  const trace = await openTrace(fileOf(BYTES.subarray(0, ends.at(-2)), '.arrows'));
  const read = (): number => {
    if (typeof answer === 'number') return answer;
    throw answer;
  };
  expect(toldByAll(trace.fd, trace.index)).toMatch(/^near its end/);
  expect(toldByAll({ read }, trace.index)).toBeUndefined();
  trace.close();
});
