/** Predictions that the kernel contradicts, and the history that explains them. */
import type { EngineState, Mismatch } from './engine-state.js';
import { timeAt, type EventBatch } from './event-batch.js';
import { recall, remember } from './history.js';

/** Mismatches kept with their history; the others are only counted. */
const KEPT_MISMATCHES = 10;

export function keepMismatch(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  vq: number,
  what: Mismatch['what'],
  which: number,
  predicted: number,
  observed: number,
): void {
  if (engine.mismatches.length >= KEPT_MISMATCHES) return;
  engine.mismatches.push({
    what,
    recording: engine.recording,
    line: batch.line[i],
    time: timeAt(batch, i),
    cpu: batch.cpu,
    vq,
    which,
    predicted,
    observed,
    history: recall(engine.history, vq),
  });
}

/** Remembers event `i` as one that touched a virtqueue, or one area of it. */
export function noteFor(
  engine: EngineState,
  batch: EventBatch,
  i: number,
  vq: number,
  area: number,
): void {
  if (!engine.remembers) return;
  const { countLow, countHigh } = engine.virtqueues;
  const { line, cpu, time, kind } = batch;
  remember(
    engine.history,
    vq,
    line[i],
    cpu,
    time[2 * i],
    time[2 * i + 1],
    kind[i],
    area,
    countLow[vq],
    countHigh[vq],
  );
}
