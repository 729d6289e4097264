import { expect, test, vi } from 'vitest';
import { createServerClock } from './server-clock.js';

const os = vi.hoisted(() => ({ uptime: (): number => 0 }));
vi.mock('node:os', () => os);

test('it goes on from what the server said last, and from what is known to have been stored', () => {
  let here = 500;
  const clock = createServerClock(() => here);
  clock.measured(1_000_000, 400);
  expect(clock.now()).toBe(1_000_100);
  here += 1000;
  // Stored before, and come late.
  clock.heard(1_000_900);
  expect(clock.now()).toBe(1_001_100);
  clock.heard(1_001_150);
  here += 10;
  expect(clock.now()).toBe(1_001_160);
  clock.measured(1_001_155, here);
  expect(clock.now()).toBe(1_001_155);
});

test('it goes on while the machine sleeps', () => {
  // The clocks of a machine that sleeps for an hour.
  vi.spyOn(performance, 'now').mockReturnValue(5000);
  os.uptime = () => 100;
  const clock = createServerClock();
  clock.measured(1_000_000, clock.here());
  os.uptime = () => 100 + 3600;
  expect(clock.now()).toBe(1_000_000 + 3_600_000);
});

test('a sleep of this machine, and a time of the server that lies far ahead, are leaps; told once', () => {
  let here = 0;
  const clock = createServerClock(() => here);
  clock.measured(1_000_000, 0);
  expect(clock.hasLeapt()).toBe(false);
  for (let second = 0; second < 60; second++) {
    here += 1000;
    expect(clock.hasLeapt()).toBe(false);
  }
  here += 40_000;
  expect([clock.hasLeapt(), clock.hasLeapt()]).toEqual([true, false]);
  clock.heard(clock.now() + 40_000);
  expect([clock.hasLeapt(), clock.hasLeapt()]).toEqual([true, false]);
  // Corrected by a measure: nothing was missed.
  clock.measured(1_000_000, here);
  expect(clock.hasLeapt()).toBe(false);
});
