/** What is kept for readers that may join, and pipes that fail. What is recorded, `test/attach.test.ts` tells. */
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import {
  createBatchMemory,
  createTraceWriter,
  indexTrace,
  lastTimeOf,
  linesOfBegun,
  type RingState,
  type TraceOutput,
} from '@vhostscope/trace';
import { expect, it } from 'vitest';
import { fakeHost } from '../../test/fake-host.ts';
import { createBootClock } from './boot-clock.js';
import { OWN_RIGHTS } from '../privileges/process-rights.js';
import { record } from './record.js';
import { createStopRequest } from './stop-request.js';
import { namingErrors, pipeOutput } from './trace-target.js';

const NOWHERE: TraceOutput = {
  append: (_parts, _bytes, fate) => fate?.onWritten?.(),
  keepPace: () => undefined,
  settle: () => Promise.resolve(),
  abandon: () => Promise.resolve(),
  cutBack: () => undefined,
};

it.each([
  [true, 1],
  [false, 0],
])('ranges are followed for readers where some may join: %s', async (isServed, followed) => {
  // Begins before the recording, and does not end in it.
  const extra = ['K 5 0 77 1 7f0000000000 7f0000001000 0 1 77 0 load'];
  const host = fakeHost({ extra, attachMs: 300 });
  const stop = createStopRequest();
  const writer = createTraceWriter(NOWHERE, {
    sources: [],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  let state: RingState | undefined;
  try {
    await record(writer, {
      ...(await host.plan({ detail: 'rounds' })),
      ...host,
      stop,
      clock: createBootClock(),
      isServed,
      isFollowed: () => false,
      niceness: undefined,
      onReady: (rings) => {
        state = rings;
        stop.request({ why: 'duration', lateMs: 0 });
      },
      rights: OWN_RIGHTS,
      onMoreRights: () => undefined,
      onDrain: () => undefined,
      onLastEvent: () => undefined,
    });
  } finally {
    stop.release();
  }
  expect(state && linesOfBegun(state.ranges)).toHaveLength(followed);
  // The trace has it either way.
  expect(writer.ended?.events['core_range_start']).toBe(1);
});

it('a recording in which nothing happens tells when it began and ended', async () => {
  // Not even a heartbeat comes.
  const host = fakeHost({ perTick: 0, cpus: 1, silentCpu: 0 });
  const stop = createStopRequest();
  const clock = createBootClock();
  const folder = mkdtempSync(join(tmpdir(), 'record-'));
  const fd = openSync(join(folder, 'a.arrows'), 'w+');
  try {
    const writer = createTraceWriter(fd, {
      sources: [],
      writer: 'test',
      clock: 'CLOCK_BOOTTIME',
      keepsPointers: false,
    });
    const before = clock.now();
    await record(writer, {
      ...(await host.plan({ detail: 'rounds' })),
      ...host,
      stop,
      clock,
      isServed: false,
      isFollowed: () => false,
      niceness: undefined,
      onReady: () => void setTimeout(() => stop.request({ why: 'duration', lateMs: 0 }), 300),
      rights: OWN_RIGHTS,
      onMoreRights: () => undefined,
      onDrain: () => undefined,
      onLastEvent: () => undefined,
    });
    const after = clock.now();
    const [recording] = indexTrace(fd, fstatSync(fd).size).recordings;
    expect(recording?.events.size).toBe(0);
    const [begins, ends] = [recording?.begin, recording?.end].map((mark) =>
      mark === undefined ? 0n : lastTimeOf(fd, mark, createBatchMemory()),
    );
    expect(begins).toBeGreaterThan(before);
    expect(Number((ends ?? 0n) - (begins ?? 0n))).toBeGreaterThan(200e6);
    expect(ends).toBeLessThanOrEqual(after);
  } finally {
    stop.release();
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
});

it('a pipe with an error is an output that failed, and no reader that has gone', async () => {
  const host = fakeHost({ perTick: 50 });
  const stop = createStopRequest();
  let taken = 0;
  const pipe = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      taken += bytes.length;
      const code = 'ENOSPC';
      const full = Object.assign(new Error(`write ${code}`), { code, syscall: 'write' });
      setImmediate(done, taken > 20_000 ? full : undefined);
    },
  });
  let gone = 0;
  const output = namingErrors(
    'standard output',
    pipeOutput(pipe, () => gone++),
  );
  const writer = createTraceWriter(output, {
    sources: [],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
  });
  try {
    const { end, wasReady } = await record(writer, {
      ...(await host.plan({ detail: 'rounds' })),
      ...host,
      stop,
      clock: createBootClock(),
      isServed: false,
      isFollowed: () => true,
      niceness: undefined,
      onReady: () => undefined,
      rights: OWN_RIGHTS,
      onMoreRights: () => undefined,
      onDrain: () => undefined,
      onLastEvent: () => undefined,
    });
    const message = 'cannot write standard output: no space left on the device';
    expect(end).toMatchObject({ why: 'output failed', error: { message } });
    expect(wasReady).toBe(true);
    expect(gone).toBe(0);
  } finally {
    stop.release();
  }
});
