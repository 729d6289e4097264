/**
 * What logging dirty memory cost (VHOST_F_LOG_ALL, live migration): vhost sets each bit by itself, and for each it asks
 * get_user_pages for the page of the log that holds it (set_bit_to_user). Needs no engine, as no design changes the
 * answer: the bits are set whether a ring is mapped or copied.
 */
import type { EventBatch } from './event-batch.js';
import { KIND } from './events.js';
import { kindTable } from './kind-table.js';

export interface DirtyLogged {
  /** Stretches of memory that were logged. */
  writes: number;
  /** Bits set. A bit that was set before is set again. */
  bits: number;
  /** Stretches of which get_user_pages failed; bits of them that were set before it did are not known. */
  failures: number;
}

/**
 * get_user_pages calls, at least: one for each bit, and the one with which a stretch failed.
 */
export function pinCalls({ bits, failures }: DirtyLogged): number {
  return bits + failures;
}

/**
 * Atomic operations that each bit takes, at least: a reference to the page of the log is taken, the bit is set
 * (set_bit), the reference is given back. That the page is marked dirty, under its lock, comes on top where it is not.
 */
export const ATOMICS_OF_BIT = 3;

export interface DirtyLogWatch {
  /** By kind: 1 where the watch does anything with such an event. */
  readonly wants: Uint8Array;
  /** Looks at the events from `from` to before `to`, which follow those before in time. */
  consume(batch: EventBatch, from: number, to: number): void;
  /** Whether what follows is counted; at first it is. */
  count(isCounted: boolean): void;
  /** By virtqueue; goes on changing. */
  readonly logged: ReadonlyMap<number, DirtyLogged>;
}

const WANTED = kindTable([KIND.dirty_log]);

export function createDirtyLogWatch(): DirtyLogWatch {
  const logged = new Map<number, DirtyLogged>();
  let isCounted = true;
  return {
    wants: WANTED,
    consume: (batch, from, to) => {
      const { kind } = batch;
      for (let i = from; i < to; i++) if (WANTED[kind[i]] === 1 && isCounted) add(logged, batch, i);
    },
    count: (counts) => {
      isCounted = counts;
    },
    logged,
  };
}

function add(
  logged: Map<number, DirtyLogged>,
  { vq, detail, details }: EventBatch,
  i: number,
): void {
  const row = detail[i];
  const sum = logged.get(vq[i]) ?? { writes: 0, bits: 0, failures: 0 };
  sum.writes += details.logWrites[row];
  sum.bits += details.logBits[row];
  sum.failures += details.logFailures[row];
  logged.set(vq[i], sum);
}
