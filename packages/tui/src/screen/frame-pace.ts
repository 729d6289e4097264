/**
 * How often the screen is drawn: at most ten times a second, only when something has changed, and so that
 * drawing never takes more than its share of a CPU, however large the terminal.
 */

/** Least time between two frames, ms. */
const LEAST_MS = 100;
/** What a frame cost is at most a twelfth of the time up to the next. */
const SHARE = 12;

export interface FramePace {
  /** There is something to draw. */
  changed(): void;
  isDue(now: number): boolean;
  /** @param cost CPU time of the frame that was drawn, ms */
  drawn(now: number, cost: number): void;
  /** Frames so far, and what they cost, ms of CPU time. */
  readonly frames: number;
  readonly cost: number;
}

/** Moments are ms, of any clock that only goes on. */
export function createFramePace(): FramePace {
  let isChanged = true;
  let next = Number.NEGATIVE_INFINITY;
  let frames = 0;
  let sum = 0;
  return {
    changed: () => {
      isChanged = true;
    },
    isDue: (now) => isChanged && now >= next,
    drawn: (now, cost) => {
      isChanged = false;
      frames++;
      sum += cost;
      next = now + Math.max(LEAST_MS, SHARE * cost);
    },
    get frames() {
      return frames;
    },
    get cost() {
      return sum;
    },
  };
}
