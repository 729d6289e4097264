import { expect, it } from 'vitest';
import { createDirtyLogWatch, pinCalls } from '../src/dirty-log.ts';
import { batchesOf } from './batch-of.ts';
import type { EventRecord } from './event-record.ts';

function logged(vq: number, logWrites: number, logBits: number, logFailures = 0): EventRecord {
  return { event: 'dirty_log', time: 1n, cpu: 0, vq, logWrites, logBits, logFailures };
}

it('adds up what was logged of each virtqueue, within what is counted', () => {
  const watch = createDirtyLogWatch();
  const consume = (events: EventRecord[]): void => {
    for (const { batch, from, to } of batchesOf(events)) watch.consume(batch, from, to);
  };
  consume([logged(0, 3, 4), logged(1, 1, 1), logged(0, 2, 1, 1)]);
  watch.count(false);
  consume([logged(0, 100, 100)]);
  expect([...watch.logged]).toEqual([
    [0, { writes: 5, bits: 5, failures: 1 }],
    [1, { writes: 1, bits: 1, failures: 0 }],
  ]);
  expect(pinCalls({ writes: 5, bits: 5, failures: 1 })).toBe(6);
});
