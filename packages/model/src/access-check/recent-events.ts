/** The last accesses and marks of a virtqueue, so that a rejection can be explained. */
import { NO_ACCESSOR, type EventBatch } from '../event-batch.js';
import { EVENT_NAMES, KIND, type EventName } from '../events.js';
import { ACCESSORS } from '../ring.js';

/** Where an event stands. */
export interface EventPlace {
  readonly line: number;
  /** ns, CLOCK_BOOTTIME. */
  readonly time: bigint;
  readonly cpu: number;
}

export interface RecentEvent extends EventPlace {
  readonly event: EventName;
  /** Accessor of an access. */
  readonly accessor: (typeof ACCESSORS)[number] | undefined;
  /** Entries of a put_used; 1 of the other accesses. */
  readonly entries: number;
}

const DEPTH = 12;
const WORDS = 6;

export interface RecentEvents {
  readonly words: Int32Array;
  /** Events ever written. */
  written: number;
}

export function createRecentEvents(): RecentEvents {
  return { words: new Int32Array(DEPTH * WORDS), written: 0 };
}

/** HOT: writes down event `i`; allocates nothing. */
export function noteRecent(
  recent: RecentEvents,
  batch: EventBatch,
  i: number,
  entries: number,
): void {
  const { words } = recent;
  let word = (recent.written++ % DEPTH) * WORDS;
  words[word++] = batch.line[i];
  words[word++] = batch.cpu;
  words[word++] = batch.time[2 * i];
  words[word++] = batch.time[2 * i + 1];
  words[word++] = (batch.kind[i] << 8) | batch.accessor[i];
  words[word] = entries;
}

/** The events written down, oldest first. */
export function recallRecent({ words, written }: RecentEvents): RecentEvent[] {
  const events: RecentEvent[] = [];
  for (let at = Math.max(0, written - DEPTH); at < written; at++) {
    const word = (at % DEPTH) * WORDS;
    const kind = words[word + 4] >> 8;
    const accessor = words[word + 4] & 0xff;
    events.push({
      line: words[word] >>> 0,
      cpu: words[word + 1],
      time: (BigInt(words[word + 3]) << 32n) | BigInt(words[word + 2] >>> 0),
      event: EVENT_NAMES[kind] ?? 'access',
      accessor: kind === KIND.access && accessor !== NO_ACCESSOR ? ACCESSORS[accessor] : undefined,
      entries: words[word + 5] >>> 0,
    });
  }
  return events;
}
