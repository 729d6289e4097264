import { expect, test, vi } from 'vitest';
import { lengthInWords, whenOver } from './recording-length.js';

/** A clock that goes on by itself as timers do, and by `slept` more. */
function clockOf(): { now: () => bigint; slept: bigint } {
  const begun = performance.now();
  const clock = {
    slept: 0n,
    now: () => BigInt(Math.round((performance.now() - begun) * 1e6)) + clock.slept,
  };
  return clock;
}

test('a recording is over when it is, and that is never too early', async () => {
  const clock = clockOf();
  const late = await new Promise<number>((resolve) =>
    whenOver({ from: 0n, lengthMs: 1300 }, clock, resolve),
  );
  expect(clock.now()).toBeGreaterThanOrEqual(1_300_000_000n);
  expect(late).toBeGreaterThanOrEqual(0);
});

test('what passes between its beginning and the first look counts, and is told', async () => {
  const clock = clockOf();
  clock.slept = 5_000_000_000n;
  const late = await new Promise<number>((resolve) =>
    whenOver({ from: 0n, lengthMs: 3000 }, clock, resolve),
  );
  expect(late).toBeGreaterThanOrEqual(1999);
  expect(lengthInWords(late)).toMatch(/^duration, .* late: the collector was held up/);
});

test('the time that the machine sleeps counts, and is told', async () => {
  const clock = clockOf();
  const over = new Promise<number>((resolve) =>
    whenOver({ from: 0n, lengthMs: 600_000 }, clock, resolve),
  );
  clock.slept = 660_000_000_000n;
  const late = await over;
  expect(late).toBeGreaterThanOrEqual(60_000);
  expect(late).toBeLessThan(75_000);
  expect(lengthInWords(late)).toMatch(/^duration, [67]\d\.\d s late: .* or the machine slept$/);
  expect(lengthInWords(999)).toBe('duration');
});

test.each([0, 1, 2])('a clock that cannot be read at look %i is read again', async (failing) => {
  const clock = clockOf();
  let looks = 0;
  const faulty = {
    now: () => {
      if (looks++ === failing)
        throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
      return clock.now();
    },
  };
  const late = await new Promise<number>((resolve) =>
    whenOver({ from: 0n, lengthMs: 1300 }, faulty, resolve),
  );
  expect(looks).toBeGreaterThan(failing);
  const lasted = Number(clock.now() / 1_000_000n);
  expect(lasted).toBeGreaterThanOrEqual(1299);
  // At the next turn.
  expect(lasted).toBeLessThan(1300 + 1000 + 900);
  expect(late).toBeGreaterThanOrEqual(0);
});

test('nobody is told when it does not matter any more', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const onOver = vi.fn<(lateMs: number) => void>();
    const forget = whenOver({ from: 0n, lengthMs: 500 }, { now: () => 0n }, onOver);
    expect(vi.getTimerCount()).toBe(1);
    forget();
    expect(vi.getTimerCount()).toBe(0);
    expect(onOver).not.toHaveBeenCalled();
  } finally {
    vi.useRealTimers();
  }
});
