/**
 * Up to where all CPUs of a trace that breaks off have told what they had to. Of which CPU the batches behind the end
 * were is not known, so nothing can be left out for sure; but who wants no doubt may look at what lies before.
 */
import { createBatchMemory, DamagedBatchError, lastTimeOf } from './batch-reader.js';
import type { TraceBytes } from './file-access.js';
import type { TraceIndex } from './trace-index.js';

/** In a sentence; undefined where the last recording has ended, or no other CPU goes on where one stops. */
export function toldByAll(bytes: TraceBytes, { recordings }: TraceIndex): string | undefined {
  const last = recordings.at(-1);
  if (last === undefined || last.end !== undefined || last.events.size < 2) return undefined;
  try {
    const memory = createBatchMemory();
    const times = [...last.events.values()].map((places) => {
      const place = places.at(places.length - 1);
      return place === undefined ? 0n : lastTimeOf(bytes, place, memory);
    });
    const least = times.reduce((a, b) => (a < b ? a : b));
    return (
      `near its end events of some CPUs may be missing; before ${least} ns none is of its ${times.length} CPUs, unless ` +
      'another one had told nothing yet (--to of replay leaves out the rest)'
    );
  } catch (error) {
    // Who reads that batch says what is left.
    if (error instanceof DamagedBatchError) return undefined;
    throw error;
  }
}
