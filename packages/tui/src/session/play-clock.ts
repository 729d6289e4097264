/** How far a replay is to be by now, at so many seconds of the trace per second. */
export interface PlayClock {
  speed: number | 'max';
  /** Where it is to be at `now` (ms), ns since the first event; Infinity for as fast as it goes. Time goes by. */
  reach(now: number): number;
  /** It is there, sooner or later than it should: it goes on from there. */
  set(moment: number): void;
  /** It stands there: the time up to when it goes on does not count. */
  stop(moment: number): void;
}

export function createPlayClock(first: number | 'max'): PlayClock {
  let speed = first;
  /** Parts of a ns add up. */
  let moment = 0;
  let reachedAt: number | undefined;
  return {
    get speed() {
      return speed;
    },
    set speed(wanted) {
      speed = wanted;
    },
    reach: (now) => {
      if (speed === 'max') moment = Infinity;
      else if (reachedAt !== undefined) moment += (now - reachedAt) * 1e6 * speed;
      reachedAt = now;
      return Math.floor(moment);
    },
    set: (there) => {
      moment = there;
    },
    stop: (there) => {
      moment = there;
      reachedAt = undefined;
    },
  };
}
