/** Counts that nothing under way explains, and the events that may have made them wrong. */
import { wordsAt, type EventBatch } from '../event-batch.js';
import { KIND } from '../events.js';
import { REFUSED_COUNT } from '../outcome.js';
import { ACCESSORS } from '../ring.js';
import { addHazard, type HazardMark } from './hazard.js';
import { isOver, type RangeUnderWay } from './ranges-under-way.js';
import {
  counted,
  lengthen,
  markOf,
  virtqueuesOf,
  watched,
  type WatchedVirtqueue,
  type WatchState,
} from './watch-state.js';

/** Whether invalidate_count is one that nothing under way explains. */
export function seeCount(state: WatchState, batch: EventBatch, i: number, vq: number): void {
  const found = watched(state, vq);
  const { low, high, isSettled } = state.engine.countOf(vq);
  const { wrong } = found;
  if (wrong !== undefined) {
    const isStill = wrong.kind === 'stuck_count' ? low > 0 : high < 0;
    if (isStill) return;
    endWrong(state, vq, found, markOf(batch, i, 'the count is not surely wrong any more'));
  }
  const isQuiet = isSettled && !isOver(state.ranges, state.hasForgottenRange, vq);
  const isExplained = (low <= 0 && high >= 0) || !isQuiet;
  if (low === 0 && high === 0 && isQuiet) found.unpaired = [];
  if (isExplained || batch.kind[i] !== KIND.round) return;
  const kind = low > 0 ? 'stuck_count' : 'negative_count';
  const count = low === high ? String(low) : `${low} to ${high}`;
  found.wrong = {
    kind,
    chain: [
      ...found.unpaired,
      markOf(batch, i, `no range over the ring is under way, and invalidate_count is ${count}`),
    ],
    refused: refusedOf(state, vq),
    begin: wordsAt(batch.time, i),
  };
}

export function endWrong(
  state: WatchState,
  vq: number,
  found: WatchedVirtqueue,
  end?: HazardMark,
): void {
  const { wrong } = found;
  found.wrong = undefined;
  if (wrong === undefined) return;
  addHazard(state.list, {
    kind: wrong.kind,
    grade: 'proven',
    recording: state.recording,
    vq,
    area: undefined,
    begin: wrong.begin,
    end,
    accesses: refusedOf(state, vq) - wrong.refused,
    chain: wrong.chain,
  });
}

/** An end lowers the counts of the rings that it finds, a begin has raised those that it found. */
export function seeEnd(
  state: WatchState,
  batch: EventBatch,
  i: number,
  slots: readonly number[],
  begun: RangeUnderWay | undefined,
): void {
  const before = begun?.slots ?? [];
  for (const vq of virtqueuesOf([...before, ...slots])) {
    const found = watched(state, vq);
    if (begun !== undefined) found.unpaired = found.unpaired.filter((mark) => mark !== begun.mark);
    const ofRing = (slot: number): boolean => slot >> 2 === vq;
    if (slots.some((slot) => ofRing(slot) && !before.includes(slot)))
      noteUnpaired(found, markOf(batch, i, 'ends; no begin over the ring was told'));
    if (begun === undefined || before.every((slot) => !ofRing(slot) || slots.includes(slot)))
      continue;
    noteUnpaired(found, begun.mark);
    noteUnpaired(found, markOf(batch, i, 'ends, and the ring lies elsewhere by now'));
  }
}

/** The first since the count was 0 for sure. */
export function noteUnpaired({ unpaired }: WatchedVirtqueue, mark: HazardMark): void {
  lengthen(unpaired, mark);
}

export function refusedOf(state: WatchState, vq: number): number {
  let sum = 0;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++)
    sum += counted(state, vq, accessor, REFUSED_COUNT);
  return sum;
}
