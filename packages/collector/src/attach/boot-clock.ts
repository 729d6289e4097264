/** The clock of the events, CLOCK_BOOTTIME, which Node has no call for. */
import { readFileSync } from 'node:fs';

/** /proc/uptime is cut to hundredths of a second. */
const GRAIN_NS = 10_000_000n;
/** Enough that one of them is not disturbed. */
const CALIBRATIONS = 3;

/** More than it lags behind the clock of the events. */
export const CLOCK_LAG_NS = 1_000_000n;

export interface BootClock {
  /** Time since boot in ns: some ten microseconds behind CLOCK_BOOTTIME, never ahead of it. */
  now(): bigint;
}

/**
 * Makes a clock by waiting for /proc/uptime to change, some thirty milliseconds.
 *
 * @param readUptime text of /proc/uptime
 * @param monotonic ns of CLOCK_MONOTONIC
 */
export function createBootClock(
  readUptime: () => string = () => readFileSync('/proc/uptime', 'latin1'),
  monotonic: () => bigint = () => process.hrtime.bigint(),
): BootClock {
  let offset = calibrate();

  function calibrate(): bigint {
    let best: bigint | undefined;
    for (let i = 0; i < CALIBRATIONS; i++) {
      const before = parseUptime(readUptime());
      let changed = before;
      while (changed === before) changed = parseUptime(readUptime());
      // Seen a little after it was true: the greatest difference is the best.
      const difference = changed - monotonic();
      if (best === undefined || difference > best) best = difference;
    }
    return best ?? 0n;
  }

  return {
    now: () => {
      const time = monotonic() + offset;
      const uptime = parseUptime(readUptime());
      // CLOCK_MONOTONIC stands still while the machine sleeps.
      if (time < uptime || time > uptime + 2n * GRAIN_NS) offset = calibrate();
      return monotonic() + offset;
    },
  };
}

function parseUptime(text: string): bigint {
  const [, seconds, hundredths] = /^(\d+)\.(\d\d) /.exec(text) ?? [];
  if (seconds === undefined) throw new Error(`/proc/uptime holds no time: ${text}`);
  return (BigInt(seconds) * 100n + BigInt(hundredths)) * GRAIN_NS;
}
