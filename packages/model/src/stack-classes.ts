/** Who invalidates by the kernel stacks of a trace: a stack may be told after the ranges that it made. */
import { wordsAt, type EventBatch } from './event-batch.js';

/** Numbers of classes, see INVALIDATION_CLASSES, by the key of a stack. */
export type StackClasses = Map<string, number>;

export const MOST_STACKS = 65_536;

/** Stacks of different recordings may have the same number. */
export function stackKey(recording: number, stack: bigint): string {
  return `${recording} ${stack}`;
}

/** A `stack` event. Those for which there is no room are not known. */
export function noteStack(
  classes: StackClasses,
  recording: number,
  { detail, details }: EventBatch,
  i: number,
): void {
  if (classes.size >= MOST_STACKS) return;
  const row = detail[i];
  classes.set(stackKey(recording, wordsAt(details.stack, row)), details.class[row]);
}
