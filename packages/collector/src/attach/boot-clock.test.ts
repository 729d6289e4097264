import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createBootClock } from './boot-clock.js';

const GRAIN = 10_000_000n;

/** A machine whose clocks advance a little with every look at them. */
function machine(step: bigint): {
  readonly uptime: () => string;
  readonly monotonic: () => bigint;
  readonly sleep: (ns: bigint) => void;
  readonly boot: () => bigint;
} {
  let awake = 1_234_567_890_123n;
  let slept = 5_000_000_000n;
  return {
    monotonic: () => (awake += step),
    uptime: () => {
      awake += step;
      const hundredths = (awake + slept) / GRAIN;
      return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')} 1.00\n`;
    },
    sleep: (ns) => (slept += ns),
    boot: () => awake + slept,
  };
}

test('is a little behind the time since boot, and never ahead', () => {
  const { uptime, monotonic, boot } = machine(7_000n);
  const clock = createBootClock(uptime, monotonic);
  for (let i = 0; i < 5000; i++) {
    const now = clock.now();
    expect(boot() - now).toBeGreaterThanOrEqual(0n);
    expect(boot() - now).toBeLessThan(30_000n);
  }
});

test('notices that the machine has slept', () => {
  const { uptime, monotonic, boot, sleep } = machine(7_000n);
  const clock = createBootClock(uptime, monotonic);
  sleep(3_600_000_000_000n);
  expect(boot() - clock.now()).toBeLessThan(30_000n);
});

test('of this machine', () => {
  const before = readFileSync('/proc/uptime', 'latin1').split(' ')[0] ?? '';
  const now = createBootClock().now();
  const hundredths = Number(now / GRAIN);
  const begun = Number(before.replace('.', ''));
  expect(hundredths - begun).toBeGreaterThanOrEqual(0);
  expect(hundredths - begun).toBeLessThan(100);
});
