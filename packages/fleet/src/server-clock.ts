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
  /** ms of a clock of this machine. */
  here(): number;
}

/** @param here ms of a clock of this machine that never stands still */
export function createServerClock(here = sinceBoot): ServerClock {
  let ahead = Number.NEGATIVE_INFINITY;
  return {
    now: () => here() + ahead,
    measured: (time, at) => {
      ahead = time - at;
    },
    heard: (time) => {
      ahead = Math.max(ahead, time - here());
    },
    here,
  };
}

/** ms, to some ten of them. `performance.now()` stands still while the machine sleeps. */
function sinceBoot(): number {
  return uptime() * 1000;
}
