/** Whatever goes wrong at whichever write: the file is read up to there, and nobody takes it for all. */
import { fstatSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { writes, type Fault } from '../test/faulty-writes.ts';
import { HEADER, inputEventsOf, newFile, newPath, type PlainEvent } from '../test/trace-files.ts';
import { createImportReport } from './import-report.js';
import { createTextImporter } from './import-text.js';
import { OutputError, writing, written } from './file-errors.js';
import { recordingCounts } from './read-recording-counts.js';
import { dropUnwritten, noteFlaw, noteLiveEnd } from './recorder-notes.js';
import { indexTrace } from './trace-index.js';
import {
  abandonTrace,
  closeTrace,
  createTraceWriter,
  flushTrace,
  settleTrace,
  type TraceWriter,
} from './trace-writer.js';

vi.mock('node:fs', async (original) => {
  const { withFaultyWrites } = await import('../test/faulty-writes.ts');
  return withFaultyWrites(await original());
});

afterEach(() => {
  Object.assign(writes, { calls: 0, fault: () => undefined, delayMs: 0 });
});

/** Rounds of three CPUs, and a ring that is told of in the middle. */
const CHUNKS = Array.from({ length: 6 }, (_, chunk) =>
  Array.from({ length: 700 }, (__, i) => {
    const time = 1000 * (700 * chunk + i + 1);
    return i === 300
      ? `N ${time} 0 ffff88810000${chunk}000 1 0\n`
      : `M ${time} ${i % 3} ffff88810000${chunk}100\n`;
  }).join(''),
);

interface Written {
  readonly fd: number;
  readonly errors: readonly Error[];
  /** Whether a trace was begun at all. */
  readonly isBegun: boolean;
}

/** A text has ended, or what was recorded live, of which all that was counted has arrived. */
type Kind = 'text' | 'live';

/** Records as `collector` does: what is refused ends the recording, which is to say so. */
async function record(behind: boolean, kind: Kind): Promise<Written> {
  const path = newPath('.arrows');
  const fd = newFile(path);
  const errors: Error[] = [];
  let writer: TraceWriter | undefined;
  writes.calls = 0;
  try {
    writer = writing(path, () => createTraceWriter(fd, HEADER, { behind }));
    const importer = createTextImporter(writer, createImportReport());
    const begun = writer;
    for (const chunk of ['# vhost-oracle 1\n', ...CHUNKS]) {
      writing(path, () => {
        importer.push(Buffer.from(chunk, 'latin1'));
        flushTrace(begun);
      });
      await written(path, settleTrace(writer));
    }
    noteEnd(writer, kind, 'duration');
    writing(path, () => {
      importer.end();
      closeTrace(begun);
    });
    await written(path, settleTrace(writer));
  } catch (error) {
    errors.push(error as Error);
    if (writer !== undefined) errors.push(...(await endAnyway(path, writer, kind, error as Error)));
  }
  expect(errors.every((error) => error instanceof OutputError)).toBe(true);
  for (const { message } of errors) expect(message).toContain(`cannot write ${path}: `);
  return { fd, errors, isBegun: writer !== undefined };
}

function noteEnd(writer: TraceWriter, kind: Kind, ended: string): void {
  if (kind === 'live') noteLiveEnd(writer, { ended, doubts: [], missing: {} });
}

async function endAnyway(
  path: string,
  writer: TraceWriter,
  kind: Kind,
  error: Error,
): Promise<Error[]> {
  const giveUp = async (): Promise<void> => {
    await abandonTrace(writer);
    dropUnwritten(writer, 'no room in the output');
  };
  await giveUp();
  try {
    noteEnd(writer, kind, error.message);
    noteFlaw(writer, error.message);
    writing(path, () => closeTrace(writer));
    await written(path, settleTrace(writer));
    return [];
  } catch (thrown) {
    await giveUp();
    return [thrown as Error];
  }
}

const byCpu = (events: readonly PlainEvent[]): PlainEvent[][] =>
  [0, 1, 2].map((wanted) => events.filter(({ cpu }) => cpu === wanted));

/** What a file holds after something went wrong with it. @returns how many events */
function checkPrefix(
  { fd, errors, isBegun }: Written,
  all: readonly PlainEvent[][],
  kind: Kind,
): number {
  const { size } = fstatSync(fd);
  // What cannot even be begun is an error at once, and its file is given up.
  if (!isBegun) return 0;
  // The header could not be written, nor could it be the second time.
  if (size === 0) {
    expect(errors).toHaveLength(2);
    return 0;
  }
  const { recordings, goodBytes, fileBytes, closed } = indexTrace(fd, size);
  const events = inputEventsOf(fd);
  for (const [cpu, found] of byCpu(events).entries())
    expect(found).toEqual(all[cpu]?.slice(0, found.length));
  expect(recordings.length).toBeLessThanOrEqual(1);
  const [recording] = recordings;
  // Refused before its first event, there is none that could be taken for all.
  if (recording === undefined) return events.length;
  const counts = recordingCounts(fd, recording);
  if (counts === undefined) {
    expect(closed).toBe(false);
    return events.length;
  }
  // So much is said, where nobody counted as of a text, only of one of which nothing is missing but the mark behind it.
  if (counts.complete !== false) {
    expect(counts.complete).toBe(kind === 'live' ? true : null);
    expect(counts.ended).toBe(kind === 'live' ? 'duration' : undefined);
    expect(events).toHaveLength(all.flat().length);
  } else expect(counts).toMatchObject({ complete: false, flaws: [errors[0]?.message] });
  if (closed) expect(goodBytes).toBe(fileBytes);
  return events.length;
}

const FAULTS: Readonly<
  Record<string, (at: number) => (call: number, bytes: number) => Fault | undefined>
> = {
  'EIO once': (at) => (call) => (call === at ? { takes: 0, code: 'EIO' } : undefined),
  'ENOSPC from then on': (at) => (call) => (call >= at ? { takes: 0, code: 'ENOSPC' } : undefined),
  'half of it, then ENOSPC from then on': (at) => (call, bytes) =>
    call < at ? undefined : call === at ? { takes: bytes >> 1 } : { takes: 0, code: 'ENOSPC' },
  'half of it, then EDQUOT once': (at) => (call, bytes) =>
    call === at
      ? { takes: bytes >> 1 }
      : call === at + 1
        ? { takes: 0, code: 'EDQUOT' }
        : undefined,
  'all but the last bytes, then EIO once': (at) => (call, bytes) =>
    call === at ? { takes: bytes - 16 } : call === at + 1 ? { takes: 0, code: 'EIO' } : undefined,
  'nothing, and no reason': (at) => (call) =>
    call === at + 1 ? { takes: 0 } : call === at ? { takes: 1 } : undefined,
};

const REASONS =
  /: (input\/output error|no space left on the device|the disk quota is used up|it takes no more bytes)$/;

describe.each([
  ['text', true],
  ['text', false],
  ['live', true],
  ['live', false],
] as const)('%s, written behind the program: %s', (kind, behind) => {
  test.each(Object.entries(FAULTS))(
    '%s, at any write: a prefix that says so',
    async (_name, faultAt) => {
      const whole = await record(behind, kind);
      expect(whole.errors).toEqual([]);
      const all = byCpu(inputEventsOf(whole.fd));
      expect(all.flat()).toHaveLength(4200);
      const howMany = writes.calls;
      expect(howMany).toBeGreaterThan(7);
      const kept: number[] = [];
      for (let at = 1; at <= howMany; at++) {
        writes.fault = faultAt(at);
        const broken = await record(behind, kind);
        writes.fault = () => undefined;
        expect(broken.errors.length).toBeGreaterThan(0);
        for (const { message } of broken.errors) expect(message).toMatch(REASONS);
        kept.push(checkPrefix(broken, all, kind));
      }
      // The later it was, the more there is.
      expect(kept).toEqual(kept.toSorted((a, b) => a - b));
      expect(kept.at(-1)).toBeGreaterThan(2000);
    },
  );

  test('a disk that is slow and takes a byte, or three quarters, at a time: all is there', async () => {
    const whole = await record(behind, kind);
    const all = inputEventsOf(whole.fd);
    writes.delayMs = 3;
    writes.fault = (call, bytes) => ({ takes: call % 3 === 0 ? 1 : Math.ceil(bytes * 0.75) });
    const { fd, errors } = await record(behind, kind);
    expect(errors).toEqual([]);
    expect(inputEventsOf(fd)).toEqual(all);
  });
});
