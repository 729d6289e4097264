/** The last events that touched each virtqueue's maps, so that a decision can be explained. */

export interface HistoryEntry {
  readonly line: number;
  readonly cpu: number;
  /** ns, CLOCK_BOOTTIME. */
  readonly time: bigint;
  /** Kind code of the event, see EVENTS. */
  readonly kind: number;
  /** Area number, or -1 where the event is not about one area. */
  readonly area: number;
  /** invalidate_count as the event leaves it, as the interval that the model holds. */
  readonly countLow: number;
  readonly countHigh: number;
}

/** Entries kept per virtqueue. */
const DEPTH = 12;
const WORDS = 8;

export interface History {
  words: Int32Array;
  /** Entries ever written, per virtqueue. */
  written: Uint32Array;
}

export function createHistory(): History {
  return { words: new Int32Array(16 * DEPTH * WORDS), written: new Uint32Array(16) };
}

export function growHistory(history: History, virtqueues: number): void {
  if (history.written.length >= virtqueues) return;
  const words = new Int32Array(virtqueues * DEPTH * WORDS);
  words.set(history.words);
  const written = new Uint32Array(virtqueues);
  written.set(history.written);
  history.words = words;
  history.written = written;
}

/** Forgets all entries: a new recording begins. */
export function clearHistory(history: History): void {
  history.written.fill(0);
}

export function remember(
  history: History,
  vq: number,
  line: number,
  cpu: number,
  timeLow: number,
  timeHigh: number,
  kind: number,
  area: number,
  countLow: number,
  countHigh: number,
): void {
  const { words } = history;
  let word = (vq * DEPTH + (history.written[vq] % DEPTH)) * WORDS;
  words[word++] = line;
  words[word++] = cpu;
  words[word++] = timeLow;
  words[word++] = timeHigh;
  words[word++] = kind;
  words[word++] = area;
  words[word++] = countLow;
  words[word] = countHigh;
  history.written[vq]++;
}

/** The remembered events of a virtqueue, oldest first. */
export function recall(history: History, vq: number): HistoryEntry[] {
  const written = history.written[vq];
  const entries: HistoryEntry[] = [];
  for (let entry = Math.max(0, written - DEPTH); entry < written; entry++) {
    const word = (vq * DEPTH + (entry % DEPTH)) * WORDS;
    const at = (index: number): number => history.words[word + index];
    entries.push({
      line: at(0) >>> 0,
      cpu: at(1),
      time: (BigInt(at(3)) << 32n) | BigInt(at(2) >>> 0),
      kind: at(4),
      area: at(5),
      countLow: at(6),
      countHigh: at(7),
    });
  }
  return entries;
}
