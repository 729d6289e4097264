/** What a time line holds while an engine runs, and how it is filled; see timeline.ts. */
import { NO_VQ, hasDetail, type EventBatch } from './event-batch.js';
import { INVALIDATION_CAUSES } from './event-fields.js';
import { KIND } from './events.js';
import { INVALIDATION_CLASSES } from './invalidation-classes.js';
import { kindTable } from './kind-table.js';
import { decisionOf, OUTCOMES, type Decision } from './outcome.js';
import type { Engine } from './replay-engine.js';
import { ACCESSORS, AREA_COUNT, AREA_OF_ACCESSOR } from './ring.js';
import { accessIndex, OBSERVATIONS } from './tallies.js';
import { rangeStartOf } from './told-ranges.js';
import { addUp, createBinTable, growColumns, halveBins, type BinTable } from './timeline-bins.js';

/** Decisions by their place in a bin. */
export const DECISIONS: readonly Decision[] = ['hit', 'fallback', 'iotlb', 'ambiguous'];
const DECISION_PLACE: Uint8Array = Uint8Array.from({ length: OUTCOMES }, (_, outcome) =>
  DECISIONS.indexOf(decisionOf(outcome)),
);
/** Columns of one virtqueue. */
export const VQ_SPAN = AREA_COUNT * DECISIONS.length;

// Columns of invalidations: by cause, with one for causes that are not known; by class; over a ring.
export const CAUSE_COLUMNS = INVALIDATION_CAUSES.length + 1;
export const CLASS_COLUMNS = INVALIDATION_CLASSES.length;
export const RING_COLUMN = CAUSE_COLUMNS + CLASS_COLUMNS;
const UNKNOWN_CLASS = INVALIDATION_CLASSES.indexOf('unknown');

/** Kinds whose time is that of another event, or none: the recorder's own words. */
const HAS_NO_TIME = kindTable([KIND.recording, KIND.virtqueue, KIND.lost, KIND.recording_end]);

export interface TimelineLimits {
  /** Bins at most; even. */
  readonly mostBins: number;
  /** Counts of accesses at most: with many virtqueues there are fewer bins. */
  readonly mostCounts: number;
  /** Bins that there may be all the same; even. */
  readonly leastBins: number;
  /** Width of a bin at first, ns. */
  readonly firstWidth: number;
}

export const TIMELINE_LIMITS: TimelineLimits = {
  mostBins: 2048,
  mostCounts: 2 ** 19,
  leastBins: 64,
  firstWidth: 2 ** 14,
};

export interface TimelineState {
  readonly engine: Engine;
  readonly limits: TimelineLimits;
  /** By virtqueue, area and decision. */
  readonly accesses: BinTable;
  readonly invalidations: BinTable;
  /** What the engine had counted when the last bin ended, by column; and over rings. */
  counted: Float64Array;
  countedOverRings: number;
  /** 1 for virtqueues that had events in the open bin. */
  touched: Uint8Array;
  width: number;
  bin: number;
  /** Where the open bin ends on the line, ns. */
  boundary: number;
  /** How far the line has come, ns. */
  reached: number;
  /** Where the recording begins on the line, and the words of its first time; -1 while it has none. */
  origin: number;
  firstLow: number;
  firstHigh: number;
  starts: { readonly at: number; readonly first: bigint }[];
  /** Classes of the recording's kernel stacks, by their number. */
  classes: Map<number, number>;
  /** Whether events are within the span that is counted; time outside is not on the line. */
  isCounting: boolean;
}

export function createState(engine: Engine, limits: TimelineLimits): TimelineState {
  return {
    engine,
    limits,
    accesses: createBinTable(limits.mostBins, VQ_SPAN),
    invalidations: createBinTable(limits.mostBins, RING_COLUMN + 1),
    counted: new Float64Array(VQ_SPAN),
    countedOverRings: 0,
    touched: new Uint8Array(1),
    width: limits.firstWidth,
    bin: 0,
    boundary: limits.firstWidth,
    reached: 0,
    origin: 0,
    firstLow: -1,
    firstHigh: -1,
    starts: [],
    classes: new Map(),
    isCounting: true,
  };
}

/** HOT: a few loads per event beside the engine's own. Benchmark: `npm run bench`. */
export function consume(state: TimelineState, batch: EventBatch, from: number, to: number): void {
  const { time, kind, vq } = batch;
  const rangeStart = rangeStartOf(state.engine.host);
  let begun = from;
  for (let i = from; i < to; i++) {
    const what = kind[i];
    if (HAS_NO_TIME[what] === 0) {
      const position = positionOf(state, time[2 * i], time[2 * i + 1]);
      if (position >= state.boundary) {
        state.engine.consume(batch, begun, i);
        begun = i;
        endBin(state);
        beginBin(state, position);
      }
      if (position > state.reached) state.reached = position;
    } else if (what === KIND.recording) {
      beginRecording(state);
    }
    const id = vq[i];
    if (id < state.touched.length) state.touched[id] = 1;
    else if (id !== NO_VQ) touchNew(state, id);
    if (what === rangeStart) countRange(state, batch, i);
    else if (what === KIND.stack) learnStack(state, batch, i);
  }
  state.engine.consume(batch, begun, to);
}

/** Events outside the span: only what later ones refer to matters. */
export function passOver(state: TimelineState, batch: EventBatch, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    if (batch.kind[i] === KIND.recording) beginRecording(state);
    else if (batch.kind[i] === KIND.stack) learnStack(state, batch, i);
  }
  state.engine.consume(batch, from, to);
}

function positionOf(state: TimelineState, low: number, high: number): number {
  if (state.firstHigh < 0) {
    state.firstLow = low;
    state.firstHigh = high;
    state.starts.push({ at: state.origin, first: (BigInt(high) << 32n) | BigInt(low) });
  }
  // A host may be up for longer than a double counts nanoseconds; no recording is that long.
  return state.origin + (high - state.firstHigh) * 2 ** 32 + (low - state.firstLow);
}

function beginRecording(state: TimelineState): void {
  state.origin = state.reached;
  state.firstLow = -1;
  state.firstHigh = -1;
  state.classes.clear();
}

/** Opens the bin of a place on the line, which is beyond the bin before. */
function beginBin(state: TimelineState, position: number): void {
  state.bin = Math.floor(position / state.width);
  fitBins(state, state.accesses.columns);
}

/** Bins that there may be with so many columns; even, so that they can be halved. */
function mostBins({ limits }: TimelineState, columns: number): number {
  const fitting = 2 * Math.floor(limits.mostCounts / columns / 2);
  return Math.max(limits.leastBins, Math.min(limits.mostBins, fitting));
}

/** Doubles the width until there are as few bins as there may be. */
function fitBins(state: TimelineState, columns: number): void {
  const bins = mostBins(state, columns);
  while (state.bin >= bins) {
    halveBins(state.accesses);
    halveBins(state.invalidations);
    state.width *= 2;
    state.bin = Math.floor(state.bin / 2);
  }
  state.boundary = (state.bin + 1) * state.width;
}

function touchNew(state: TimelineState, vq: number): void {
  const room = 2 ** Math.ceil(Math.log2(vq + 1));
  const touched = new Uint8Array(room);
  touched.set(state.touched);
  touched[vq] = 1;
  state.touched = touched;
  const columns = room * VQ_SPAN;
  const counted = new Float64Array(columns);
  counted.set(state.counted);
  state.counted = counted;
  // With wider rows there may be fewer of them; what they hold is kept.
  fitBins(state, columns);
  growColumns(state.accesses, columns, mostBins(state, columns));
}

/** What the engine has counted since the last bin ended belongs to the one that ends now. */
export function endBin(state: TimelineState): void {
  const { engine, touched, invalidations, bin } = state;
  for (let vq = 0; vq < touched.length; vq++) {
    if (touched[vq] === 0) continue;
    touched[vq] = 0;
    takeAccesses(state, vq);
  }
  const { overlapping } = engine.tallies.ranges;
  addUp(invalidations, bin, RING_COLUMN, overlapping - state.countedOverRings);
  state.countedOverRings = overlapping;
}

const now = new Float64Array(VQ_SPAN);

function takeAccesses({ engine, counted, accesses, bin }: TimelineState, vq: number): void {
  const { tallies } = engine;
  now.fill(0);
  if (accessIndex(vq + 1, 0, 0) > tallies.accesses.length) return;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    const area = DECISIONS.length * AREA_OF_ACCESSOR[accessor];
    let place = accessIndex(vq, accessor, 0);
    for (let outcome = 0; outcome < OUTCOMES; outcome++) {
      for (let observed = 0; observed < OBSERVATIONS; observed++)
        now[area + DECISION_PLACE[outcome]] += tallies.accesses[place++];
    }
  }
  for (let column = 0; column < VQ_SPAN; column++) {
    const at = VQ_SPAN * vq + column;
    if (now[column] === counted[at]) continue;
    addUp(accesses, bin, at, now[column] - counted[at]);
    counted[at] = now[column];
  }
}

function countRange({ invalidations, bin, classes }: TimelineState, batch: EventBatch, i: number) {
  const { details } = batch;
  const detail = batch.detail[i];
  addUp(invalidations, bin, Math.min(details.cause[detail], CAUSE_COLUMNS - 1), 1);
  const found = hasDetail(details, detail, 'stack')
    ? classes.get(stackNumber(batch, detail))
    : undefined;
  addUp(invalidations, bin, CAUSE_COLUMNS + (found ?? UNKNOWN_CLASS), 1);
}

/** A stack is told before the first range that names it. */
function learnStack({ classes }: TimelineState, batch: EventBatch, i: number): void {
  const detail = batch.detail[i];
  const found = batch.details.class[detail];
  classes.set(stackNumber(batch, detail), found < CLASS_COLUMNS ? found : UNKNOWN_CLASS);
}

function stackNumber({ details }: EventBatch, detail: number): number {
  return details.stack[2 * detail + 1] * 2 ** 32 + details.stack[2 * detail];
}
