/**
 * How far CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC: so long the machine has slept since it was booted. perf cannot
 * give events of probes the former, as the kernel lets no clock near them that is not safe in an NMI.
 */
import { readFileSync } from 'node:fs';

/** More than reading two clocks one after the other ever takes, ns. */
const APART_NS = 1_000_000_000n;

/**
 * @param now the time, CLOCK_BOOTTIME, ns
 * @param monotonic ns of CLOCK_MONOTONIC
 * @param timers text of /proc/timer_list, in which the kernel tells it exactly; undefined where that cannot be read
 * @returns ns; where nothing tells exactly, some ten microseconds less than it is
 */
export function bootOffset(
  now: () => bigint,
  monotonic: () => bigint = () => process.hrtime.bigint(),
  timers: string | undefined = readTimers(),
): bigint {
  const estimate = readTogether(now, monotonic);
  const told = /^ clock 2:\n(?: {2}.*\n)*? {2}\.offset: +(\d{1,19}) nsecs$/m.exec(
    timers ?? '',
  )?.[1];
  const exact = told === undefined ? undefined : BigInt(told);
  const isLikely =
    exact !== undefined && exact - estimate < APART_NS && estimate - exact < APART_NS;
  return isLikely ? exact : estimate;
}

/** Between the two readings this process may be stopped, or another one be given the CPU: of several the best. */
const READINGS = 5;

function readTogether(now: () => bigint, monotonic: () => bigint): bigint {
  let best = { offset: 0n, apart: -1n };
  for (let reading = 0; reading < READINGS; reading++) {
    const before = monotonic();
    const time = now();
    const after = monotonic();
    const apart = after - before;
    if (best.apart < 0n || apart < best.apart) best = { offset: time - after, apart };
  }
  return best.offset;
}

function readTimers(): string | undefined {
  try {
    return readFileSync('/proc/timer_list', 'latin1');
  } catch {
    return undefined;
  }
}
