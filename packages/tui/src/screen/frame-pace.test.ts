import { expect, test } from 'vitest';
import { createFramePace } from './frame-pace.js';

/** Frames within a second in which there is always something new, when one costs so much. */
function framesPerSecond(cost: number): number {
  const pace = createFramePace();
  let frames = 0;
  for (let now = 0; now < 1000; now++) {
    pace.changed();
    if (!pace.isDue(now)) continue;
    frames++;
    pace.drawn(now, cost);
  }
  return frames;
}

test('ten frames a second, or as many as take less than a tenth of the time', () => {
  expect(framesPerSecond(1)).toBe(10);
  expect(framesPerSecond(8)).toBe(10);
  expect(framesPerSecond(25)).toBe(4);
  for (const cost of [1, 8, 20, 50]) expect((framesPerSecond(cost) - 1) * cost).toBeLessThan(100);
});

test('nothing new, no frame', () => {
  const pace = createFramePace();
  expect(pace.isDue(0)).toBe(true);
  pace.drawn(0, 1);
  expect(pace.isDue(1e6)).toBe(false);
  pace.changed();
  expect(pace.isDue(1e6)).toBe(true);
  expect(pace).toMatchObject({ frames: 1, cost: 1 });
});
