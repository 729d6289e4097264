/**
 * The time of a server as it is known here. It is asked for now and then, and goes on in between with a clock of this
 * machine: one that goes on while the machine sleeps, or what came before that would seem to have come just now.
 */
import { uptime } from 'node:os';

export interface ServerClock {
  /** ms since 1970, by the server. */
  now(): number;
  /** The server said that it was this time, at such a moment of `here`. */
  measured(time: number, at: number): void;
  /** It is at least this time. A clock that was measured a while ago may be behind. */
  heard(time: number): void;
  /** More time has gone by since it was asked last than who asks all the time can have missed. */
  hasLeapt(): boolean;
  /** ms of a clock of this machine. */
  here(): number;
}

/** A busy machine misses less, and a run that is silent for so long does not yet count as given up, ms. */
const LEAP_MS = 15_000;

/** @param here ms of a clock of this machine that never stands still */
export function createServerClock(here = sinceBoot): ServerClock {
  let ahead = Number.NEGATIVE_INFINITY;
  let askedAt = Number.POSITIVE_INFINITY;
  const now = (): number => here() + ahead;
  return {
    now,
    measured: (time, at) => {
      ahead = time - at;
    },
    heard: (time) => {
      ahead = Math.max(ahead, time - here());
    },
    // By the server's time: a virtual machine that was paused knows of it only when it hears from there.
    hasLeapt: () => {
      const before = askedAt;
      askedAt = now();
      return askedAt - before > LEAP_MS;
    },
    here,
  };
}

/** ms, to some ten of them. `performance.now()` stands still while the machine sleeps. */
function sinceBoot(): number {
  return uptime() * 1000;
}
