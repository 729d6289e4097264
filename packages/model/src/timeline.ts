/**
 * What became of the accesses over time, and what invalidated: counts in bins of one width, kept while
 * an engine runs. When the bins are used up, each takes its neighbour in and the width doubles: one
 * pass, and memory that does not grow with the length of a trace.
 *
 * The engine is not asked to tell when an access is counted; that would cost its hot loop. Its tallies
 * are read when a bin ends, and what they have grown by belongs to the bin.
 */
import type { Decision } from './outcome.js';
import type { Engine } from './replay-engine.js';
import type { BinTable } from './timeline-bins.js';
import {
  CAUSE_COLUMNS,
  CLASS_COLUMNS,
  consume,
  createState,
  DECISIONS,
  endBin,
  passOver,
  RING_COLUMN,
  TIMELINE_LIMITS,
  VQ_SPAN,
  type TimelineLimits,
  type TimelineState,
} from './timeline-state.js';

export { TIMELINE_LIMITS, type TimelineLimits };

/**
 * The time line itself. Recordings follow one another on it without a gap, and time does not go back
 * on it: what a clock that did dates before is counted where the line has come to. Series have
 * `bins()` elements each, and are copies.
 */
export interface Timeline {
  /** Of every bin, ns. */
  binWidth(): number;
  bins(): number;
  /** How far the line goes, ns. */
  span(): number;
  /** Of each recording with events, where it begins on the line, ns, and its first time. */
  recordings(): readonly { readonly at: number; readonly first: bigint }[];
  /** Accesses of an area; those of a stock host's round count where it ends. */
  accesses(vq: number, area: number, decision: Decision): Float64Array;
  /** Starts of invalidations, as by INVALIDATION_CAUSES; the last is of causes that have no name. */
  byCause(): Float64Array[];
  /** The same by INVALIDATION_CLASSES; only recordings that hold kernel stacks tell. */
  byClass(): Float64Array[];
  /** Those that can be blocked, and of which it is known that they overlap an area of a ring. */
  overRings(): Float64Array;
}

/** The same engine, which keeps a time line of what it counts. */
export function withTimeline(
  engine: Engine,
  limits: TimelineLimits = TIMELINE_LIMITS,
): Engine & { readonly timeline: Timeline } {
  const state = createState(engine, limits);
  return {
    ...engine,
    consume: (batch, from, to) => {
      if (state.isCounting) consume(state, batch, from, to);
      else passOver(state, batch, from, to);
    },
    count: (isCounting) => {
      // Before the engine takes anything back: what it has counted so far is the open bin's.
      if (state.isCounting) endBin(state);
      state.isCounting = isCounting;
      engine.count(isCounting);
    },
    finish: () => {
      engine.finish();
      // Otherwise it has taken back what it did not count, which is in no bin.
      if (state.isCounting) endBin(state);
    },
    timeline: timelineOf(state),
  };
}

function timelineOf(state: TimelineState): Timeline {
  const series = (table: BinTable, column: number): Float64Array =>
    Float64Array.from({ length: state.bin + 1 }, (_, bin) =>
      column < table.columns ? table.counts[bin * table.columns + column] : 0,
    );
  const several = (from: number, count: number): Float64Array[] =>
    Array.from({ length: count }, (_, at) => series(state.invalidations, from + at));
  return {
    binWidth: () => state.width,
    bins: () => state.bin + 1,
    span: () => state.reached,
    recordings: () => [...state.starts],
    accesses: (vq, area, decision) =>
      series(state.accesses, VQ_SPAN * vq + DECISIONS.length * area + DECISIONS.indexOf(decision)),
    byCause: () => several(0, CAUSE_COLUMNS),
    byClass: () => several(CAUSE_COLUMNS, CLASS_COLUMNS),
    overRings: () => series(state.invalidations, RING_COLUMN),
  };
}
