import { createImportReport } from '@vhostscope/trace';
import { expect, it } from 'vitest';
import type { AttachResult } from './attach-result.js';
import { problemsOf } from './attach-summary.js';

const RESULT: AttachResult = {
  output: 'a.arrows',
  bytes_written: 1,
  events: 1,
  saw_vhost: true,
  ended: 'duration',
  complete: false,
  doubts: [],
  limits: [],
  recorder_capabilities: null,
  user: null,
  lost: {},
  missing: {},
  readers_dropped: 0,
  published: null,
  blockers: [],
};

it.each([
  [undefined, 'while the probes were being attached'],
  [0n, '0.000 s into the recording'],
  [12_345_000_000n, '12.345 s into the recording'],
])('a line that cannot be read is told by when it came: %s ns', (rejectedAfter, when) => {
  const report = createImportReport();
  report.rejected = 2;
  report.rejectedFirst.push({ line: 700, offset: 9000, reason: 'M: cpu is no number' });
  const finished = {
    recorder: 'bpftrace',
    end: { why: 'stopped', reason: { why: 'duration', lateMs: 0 } },
    report,
    rejectedAfter,
    missing: {},
    doubts: [],
    limits: [],
    capabilities: undefined,
    wasReady: true,
  } as const;
  expect(problemsOf(finished, RESULT)).toEqual([
    `2 lines of bpftrace could not be read, the first ${when}: M: cpu is no number`,
  ]);
});
