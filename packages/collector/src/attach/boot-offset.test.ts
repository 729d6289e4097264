import { expect, it } from 'vitest';
import { createBootClock } from './boot-clock.js';
import { bootOffset } from './boot-offset.js';

const timers = (offset: string): string =>
  [
    'Timer List Version: v0.9',
    'cpu: 0',
    ' clock 0:',
    '  .base:       0000000000000000',
    '  .index:      0',
    '  .get_time:   ktime_get',
    '  .offset:     0 nsecs',
    'active timers:',
    ' clock 2:',
    '  .base:       0000000000000000',
    '  .index:      2',
    '  .get_time:   ktime_get_boottime',
    `  .offset:     ${offset} nsecs`,
    'active timers:',
    ' clock 3:',
    '  .offset:     37 nsecs',
    '',
  ].join('\n');

it.each([
  ['as the kernel tells it', timers('5000000123'), 5_000_000_123n],
  ['as it is read, where nothing tells it', '', 5_000_000_000n],
  ['as it is read, where what is told cannot be', timers('37'), 5_000_000_000n],
])('how long the machine has slept: %s', (_what, text, offset) => {
  expect(
    bootOffset(
      () => 7_000_000_000n,
      () => 2_000_000_000n,
      text,
    ),
  ).toBe(offset);
});

it('of this machine', () => {
  const clock = createBootClock();
  const offset = bootOffset(() => clock.now());
  const apart = Number(clock.now() - process.hrtime.bigint() - offset);
  expect(Math.abs(apart)).toBeLessThan(10_000_000);
});

it.each([0, 1, 4])('whoever is stopped for five seconds in the middle of reading %i', (at) => {
  let time = 2_000_000_000n;
  let readings = 0;
  const monotonic = (): bigint => (time += 1000n);
  const now = (): bigint => {
    const read = time + 5_000_000_000n;
    if (readings++ === at) time += 5_000_000_000n;
    return read;
  };
  const offset = bootOffset(now, monotonic, '');
  expect(offset).toBeLessThanOrEqual(5_000_000_000n);
  expect(offset).toBeGreaterThan(5_000_000_000n - 10_000n);
});
