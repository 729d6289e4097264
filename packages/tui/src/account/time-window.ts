/**
 * What has been counted in the last while. Counters only grow; what they were where a slice of time ended is
 * kept, as often as the window has slices, and the difference to now is what came since.
 */

/** Slices that a window has. */
export const SLICES = 60;
/** One more border than slices, and one for the slice that has just begun. */
const KEPT = SLICES + 2;

/** Counters side by side. */
export interface Series {
  /** What they are now; may be replaced by a longer array. */
  now: Float64Array;
  /** What they were at the borders, by slot; shorter where there were fewer. */
  readonly past: Float64Array[];
  /** Brings `now` up to date. */
  refresh(): void;
}

export interface TimeWindow {
  /** ns. */
  readonly width: number;
  /** The next border: an event that is not before it must wait until `cross` was called. */
  readonly next: number;
  /** Time comes to `time`, at or behind the next border. */
  cross(time: number): void;
  /** Borders before this time are not kept: nobody asks for them. */
  skipUntil(time: number): void;
  /** Adds counters that are 0 so far. */
  add(size: number, refresh?: (now: Float64Array) => Float64Array): Series;
  /** The borders within the window that ends at a time, oldest first. The first is where the window begins. */
  borders(at: number): readonly Border[];
}

export interface Border {
  readonly time: number;
  /** Its slot in `Series.past`; undefined for the beginning of the trace. */
  readonly slot: number | undefined;
}

/** @param width ns of a whole window */
export function createTimeWindow(width: number): TimeWindow {
  const slice = width / SLICES;
  const series: Series[] = [];
  /** Number of the border that each slot holds. */
  const held = new Float64Array(KEPT).fill(-1);
  let next = 1;
  let skipped = -Infinity;

  function keep(border: number): void {
    const slot = border % KEPT;
    held[slot] = border;
    for (const { now, past } of series) {
      const before = past[slot];
      if (before?.length === now.length) before.set(now);
      else past[slot] = now.slice();
    }
  }

  return {
    width,
    get next() {
      return next * slice;
    },
    cross: (time) => {
      const last = Math.floor(time / slice);
      if ((last + 1) * slice > skipped) {
        for (const one of series) one.refresh();
        // Nothing has happened between two borders that are crossed at once.
        for (let border = Math.max(next, last - KEPT + 1); border <= last; border++) keep(border);
      }
      next = last + 1;
    },
    skipUntil: (time) => {
      skipped = time;
    },
    add: (size, refresh) => {
      const made: Series = {
        now: new Float64Array(size),
        past: [],
        refresh: () => {
          if (refresh !== undefined) made.now = refresh(made.now);
        },
      };
      series.push(made);
      return made;
    },
    borders: (at) => {
      const from = Math.ceil((at - width) / slice);
      const found: Border[] = from <= 0 ? [{ time: 0, slot: undefined }] : [];
      for (let border = Math.max(1, from); border < next && border * slice < at; border++) {
        const slot = border % KEPT;
        if (held[slot] === border) found.push({ time: border * slice, slot });
      }
      return found;
    },
  };
}

/** What counters were at a border; shorter where there were fewer. */
export function valuesAt({ past }: Series, { slot }: Border): Float64Array {
  return slot === undefined ? NOTHING : (past[slot] ?? NOTHING);
}

const NOTHING = new Float64Array(0);
