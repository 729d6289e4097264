/** What is kept for readers that may join. What is recorded, `test/attach.test.ts` tells. */
import {
  createTraceWriter,
  linesOfBegun,
  type RingState,
  type TraceOutput,
} from '@vhostscope/trace';
import { expect, it } from 'vitest';
import { fakeHost } from '../../test/fake-host.ts';
import { OWN_RIGHTS } from '../privileges/process-rights.js';
import { record } from './record.js';
import { createStopRequest } from './stop-request.js';

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
      isServed,
      isFollowed: () => false,
      niceness: undefined,
      onReady: (rings) => {
        state = rings;
        stop.request({ why: 'duration' });
      },
      rights: OWN_RIGHTS,
      onRefused: () => undefined,
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
