/** What a trace is read from may give few bytes at a time, or refuse: all of it is read, or which file and where is said. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { importText } from '../test/trace-files.ts';
import type { TraceBytes } from './file-access.js';
import { InputError } from './file-errors.js';
import { visitTrace } from './merge-cpus.js';
import { naming } from './trace-header.js';
import { indexTrace } from './trace-index.js';

const TEXT = [
  '# vhost-oracle 1',
  'N 10 0 ffff888100000000 1 0',
  'M 12 1 ffff888100000100',
  'M 13 0 ffff888100000100',
  '',
].join('\n');
const BYTES = readFileSync(importText(TEXT).path);

interface Reads {
  readonly from: TraceBytes;
  calls: number;
}

/** @param most bytes that are given at once */
function reads(most: number, refusedAt = Infinity): Reads {
  const source: Reads = {
    calls: 0,
    from: {
      read: (into, offset) => {
        if (++source.calls === refusedAt)
          throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });
        const part = BYTES.subarray(offset, offset + Math.min(most, into.length));
        into.set(part);
        return part.length;
      },
    },
  };
  return source;
}

function timesOf(from: TraceBytes): number[] {
  const times: number[] = [];
  visitTrace(from, indexTrace(from, BYTES.length), (batch, begin, end) => {
    for (let row = begin; row < end; row++) times.push(batch.time[2 * row]);
  });
  return times;
}

test.each([1, 3, 4096])('%i bytes at a time: the same events', (most) => {
  const times = timesOf(reads(Infinity).from);
  expect(times.length).toBeGreaterThanOrEqual(3);
  expect(timesOf(reads(most).from)).toEqual(times);
});

test('a disk that refuses any of the reads: an error with file, place and reason', () => {
  const whole = reads(1000);
  timesOf(whole.from);
  expect(whole.calls).toBeGreaterThan(10);
  for (let at = 1; at <= whole.calls; at++) {
    let thrown: unknown;
    try {
      naming('some.arrows', () => timesOf(reads(1000, at).from));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InputError);
    expect((thrown as Error).message).toMatch(
      /^cannot read some\.arrows at byte \d+: input\/output error$/,
    );
  }
});
