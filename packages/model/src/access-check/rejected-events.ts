/** Events that the rules cannot have produced, with what explains them. */
import type { AcceptableAccess, Rejection } from '../accessor-rules/accessor-acceptor.js';
import { timeAt, type EventBatch } from '../event-batch.js';
import type { CheckedState, CheckState } from './check-state.js';
import { recallRecent, type EventPlace, type RecentEvent } from './recent-events.js';

export interface RejectedEvent extends EventPlace {
  readonly recording: number;
  readonly vq: number;
  /** Number of the access among those of the virtqueue, from 1; of a mark, that of the next access. */
  readonly number: number;
  readonly found: Rejection['found'];
  readonly entries: number;
  /** Accesses that could have come. */
  readonly expected: readonly AcceptableAccess[];
  /** A round or an ioctl could have come, too. */
  readonly marksExpected: boolean;
  /** The last accesses and marks of the virtqueue before it, oldest first. */
  readonly before: readonly RecentEvent[];
}

/** Rejections that are described: of a virtqueue, and of all. The others are only counted. */
const OF_VIRTQUEUE = 4;
const OF_TRACE = 32;

/** Whether one more rejection of the virtqueue is to be described. */
export function mayDescribe(rejections: readonly RejectedEvent[], vq: number): boolean {
  if (rejections.length >= OF_TRACE) return false;
  return rejections.filter((rejection) => rejection.vq === vq).length < OF_VIRTQUEUE;
}

/** Event `i` was rejected. */
export function keepRejection(
  { rejections }: CheckState,
  { vq, recording, acceptor, recent }: CheckedState,
  batch: EventBatch,
  i: number,
): void {
  const rejection = acceptor.rejections.at(-1);
  if (!mayDescribe(rejections, vq) || rejection === undefined) return;
  rejections.push({
    recording,
    vq,
    line: batch.line[i],
    time: timeAt(batch, i),
    cpu: batch.cpu,
    number: rejection.index + 1,
    found: rejection.found,
    entries: rejection.entries,
    expected: rejection.expected,
    marksExpected: rejection.before.some(
      ({ waitsFor }) => waitsFor === 'between' || waitsFor === 'idle',
    ),
    before: recallRecent(recent),
  });
}
