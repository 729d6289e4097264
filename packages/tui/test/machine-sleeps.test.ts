/**
 * The machine that is recorded and watched sleeps: the clock of the events (CLOCK_BOOTTIME) goes on meanwhile, that of
 * the dashboard's turns (CLOCK_MONOTONIC) stands still.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openSource } from './driven-session.ts';
import { roundsOf } from './piped-session.ts';
import { freshPaths, temporaryFolder, writeTrace } from './traces.ts';

const newPath = freshPaths(temporaryFolder());

const HOUR = 3_600_000_000_000;
const MS = 1_000_000;
/** Half of the rounds before it sleeps: one each ms, on two CPUs in turns. */
const HALF = 3000;

/** It is asleep for an hour between the two halves; where the first of them ends. */
function traceWithSleep(): { bytes: Uint8Array; half: number } {
  const lines = Array.from({ length: 2 * HALF }, (_, at) => {
    const time = 1000 + at * MS + (at < HALF ? 0 : HOUR);
    return `M ${time} ${at % 2} ffff888100000100\n`;
  });
  const { bytes, ends } = writeTrace(newPath(), lines.join(''), 20);
  return { bytes, half: ends[9] ?? 0 };
}

test('live: what comes after it is shown at once, and rates are those of the time since', async () => {
  const { bytes, half } = traceWithSleep();
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, half));
  const session = await openSource({ kind: 'growing file', path }, { window: 1e9 });
  session.pass(10);
  session.pass(600);
  const before = session.settle();
  expect(roundsOf(before)).toBe(HALF - 1);
  expect(before.rates.rounds).toBeCloseTo(1000, -2);
  // Half a second of its time after that it is awake again.
  session.pass(500);
  appendFileSync(path, bytes.subarray(half));
  session.pass(100);
  const after = session.settle();
  const { clock, rates, source } = after;
  expect(clock.isLive || source.state === 'ended').toBe(true);
  expect(clock.at).toBeGreaterThan(HOUR);
  expect(clock.behind).toBeLessThan(1e9);
  expect(roundsOf(after)).toBe(2 * HALF);
  expect(rates.rounds).toBeCloseTo(1000, -2);
  // No CPU was taken for silent, nor anything for lost.
  expect(source.problems).toEqual([]);
});
