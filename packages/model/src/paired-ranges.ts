/**
 * Which end of a range belongs to which begin. Whoever changes memory makes both calls from one thread, with one
 * struct mmu_notifier_range (reference §5.3): so they tell the same address space, range, cause, blockability, process
 * and name, on whatever CPUs. The thread's own number is not told, so ranges of several threads may be alike, and which
 * of those ends first nobody tells: hazards, storms and what is likely take the one that began last, as they nest within
 * a thread; the engine's sure answers (ranges-order.ts) assume no order among them, and effects are told by themselves.
 */
import type { Callback } from './callbacks.js';
import { commAt, wordsAt, type EventBatch } from './event-batch.js';
import type { FieldName } from './event-fields.js';

/** What the calls of one range have in common, beside whose memory it is (`owner`, or `dev` of vhost's callbacks). */
export const RANGE_IDENTITY = [
  'start',
  'end',
  'cause',
  'blockable',
  'pid',
  'comm',
] as const satisfies readonly FieldName[];

/** The same of an event, with whose memory it is. */
export interface RangeIdentity {
  readonly whose: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly cause: number;
  readonly blockable: number;
  readonly pid: number;
  readonly comm: string;
}

export function rangeIdentity(
  { details, detail }: EventBatch,
  i: number,
  whose: number,
): RangeIdentity {
  const row = detail[i];
  return {
    whose,
    start: wordsAt(details.start, row),
    end: wordsAt(details.end, row),
    cause: details.cause[row],
    blockable: details.blockable[row],
    pid: details.pid[row],
    comm: commAt(details.comm, row),
  };
}

/** Where among those that have begun, the last of several alike, the range is that event `i` ends; -1 where its begin was not seen. */
export function findBegin(
  begun: readonly { readonly identity: RangeIdentity }[],
  batch: EventBatch,
  i: number,
  whose: number,
): number {
  const ended = rangeIdentity(batch, i, whose);
  return begun.findLastIndex(({ identity }) => isSameRange(identity, ended));
}

export function isSameRange(a: RangeIdentity, b: RangeIdentity): boolean {
  return (
    a.start === b.start &&
    a.end === b.end &&
    a.whose === b.whose &&
    a.pid === b.pid &&
    a.cause === b.cause &&
    a.blockable === b.blockable &&
    a.comm === b.comm
  );
}

/** The same for callbacks of the engine, which allocates nothing. */
export function sameRange(a: Callback, b: Callback): boolean {
  if (a.dev !== b.dev || a.pid !== b.pid || a.cause !== b.cause) return false;
  if (a.blockable !== b.blockable) return false;
  if (a.startLow !== b.startLow || a.startHigh !== b.startHigh) return false;
  if (a.endLow !== b.endLow || a.endHigh !== b.endHigh) return false;
  if (a.commLength !== b.commLength) return false;
  for (let i = 0; i < a.commLength; i++)
    if (a.comm[a.commFrom + i] !== b.comm[b.commFrom + i]) return false;
  return true;
}
