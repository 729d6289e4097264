/**
 * Up to where all CPUs of a trace that breaks off have told what they had to. Of which CPU the batches behind the end
 * were is not known, so nothing can be left out for sure; but who wants no doubt may look at what lies before.
 */
import { timeAt } from '@vhostscope/model';
import { createBatchMemory, timesOf, type BatchMemory } from './batch-reader.js';
import type { TraceBytes } from './file-access.js';
import { PlaceError } from './file-errors.js';
import type { PlaceList } from './place-list.js';
import { countBackward } from './recording-in-progress.js';
import { TraceFormatError } from './trace-header.js';
import type { TraceIndex } from './trace-index.js';

/**
 * In a sentence; undefined where the last recording has ended, or no other CPU goes on where one stops, or a clock goes
 * back: how far it does in what is gone, nobody knows.
 */
export function toldByAll(bytes: TraceBytes, { recordings }: TraceIndex): string | undefined {
  const last = recordings.at(-1);
  if (last === undefined || last.end !== undefined || last.events.size < 2) return undefined;
  try {
    const memory = createBatchMemory();
    let least: bigint | undefined;
    for (const places of last.events.values()) {
      const time = toldUpTo(bytes, places, memory);
      if (time === undefined) return undefined;
      if (least === undefined || time < least) least = time;
    }
    return (
      `near its end events of some CPUs may be missing; before ${least} ns none is of its ${last.events.size} CPUs, unless ` +
      'a clock went back there or another CPU had told nothing yet (--to of replay leaves out the rest)'
    );
  } catch (error) {
    // Who reads that batch says what is left.
    if (error instanceof TraceFormatError || error instanceof PlaceError) return undefined;
    throw error;
  }
}

/** Of each CPU so many rows are looked at: clocks that go back do so again and again, and a trace may be long. */
const ROWS_LOOKED_AT = 4096;

/** Time of the last row of a CPU; undefined where what it told last is not in order of time. */
function toldUpTo(bytes: TraceBytes, places: PlaceList, memory: BatchMemory): bigint | undefined {
  let last: bigint | undefined;
  /** The first of those that were looked at. */
  let first: bigint | undefined;
  let rows = 0;
  for (let at = places.length - 1; rows < ROWS_LOOKED_AT; at--) {
    const place = places.at(at);
    if (place === undefined) break;
    if (place.rows === 0) continue;
    const time = timesOf(bytes, place, memory);
    const latest = timeAt({ time }, place.rows - 1);
    if (countBackward(time, place.rows) > 0) return undefined;
    if (first !== undefined && first < latest) return undefined;
    first = timeAt({ time }, 0);
    last ??= latest;
    rows += place.rows;
  }
  return last ?? 0n;
}
