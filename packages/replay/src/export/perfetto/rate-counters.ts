/**
 * What happened in each step of time, as counters: a value stands at the beginning of its step. A step
 * without accesses has no ratio and keeps the last one; its rate is 0.
 */
import type { PacketSequence, Time } from './packet-sequence.js';

export interface RateCounters {
  /** Something is about to be counted at this time; steps that are over are written. */
  reach(time: Time): void;
  /** @param rate what is counted, per second */
  rate(name: string, parent: number, rank: number): (more: number) => void;
  /** @returns adds accesses, of which some hit and some are ambiguous */
  ratios(parent: number, rank: number): (accesses: number, hits: number, ambiguous: number) => void;
  end(): void;
}

interface Counter {
  /** Writes the value of the step that began at this time. */
  readonly step: (begun: Time) => void;
}

/**
 * @param sequence one of its own: a step is written when it is over
 * @param first time at which the first step begins
 * @param width of a step, ns
 */
export function createRateCounters(
  sequence: PacketSequence,
  first: bigint,
  width: number,
): RateCounters {
  const counters: Counter[] = [];
  // Times are counted from the first on, so that they are exact numbers.
  let begun = 0;
  let isEmpty = true;
  const timeOf = (offset: number): Time => first + BigInt(offset);
  const step = (): void => {
    for (const counter of counters) counter.step(timeOf(begun));
  };
  return {
    reach: (time) => {
      const offset = typeof time === 'number' ? time - Number(first) : Number(time - first);
      if (offset - begun >= width) {
        step();
        begun += width;
        // Of a long pause the first step says that nothing happens.
        if (offset - begun >= width) {
          step();
          begun = Math.floor(offset / width) * width;
        }
      }
      isEmpty = false;
    },
    rate: (name, parent, rank) => {
      const track = sequence.track({ name, parent, rank, isCounter: true });
      let count = 0;
      let told = -1;
      counters.push({
        step: (at) => {
          if (count !== told) sequence.count(at, track, (count * 1e9) / width);
          told = count;
          count = 0;
        },
      });
      return (more) => {
        count += more;
      };
    },
    ratios: (parent, rank) => {
      const track = sequence.track({ name: 'hits %', parent, rank, isCounter: true });
      let doubtTrack: number | undefined;
      let accesses = 0;
      let hits = 0;
      let ambiguous = 0;
      let told = -1;
      let toldDoubt = 0;
      counters.push({
        step: (at) => {
          if (accesses === 0) return;
          const ratio = (100 * hits) / accesses;
          const doubt = (100 * ambiguous) / accesses;
          if (ratio !== told) sequence.count(at, track, ratio);
          if (doubt !== toldDoubt) {
            doubtTrack ??= sequence.track({
              name: 'not known %',
              parent,
              rank: rank + 1,
              isCounter: true,
            });
            sequence.count(at, doubtTrack, doubt);
          }
          told = ratio;
          toldDoubt = doubt;
          accesses = 0;
          hits = 0;
          ambiguous = 0;
        },
      });
      return (more, moreHits, moreAmbiguous) => {
        accesses += more;
        hits += moreHits;
        ambiguous += moreAmbiguous;
      };
    },
    end: () => {
      if (isEmpty) return;
      step();
      begun += width;
      step();
    },
  };
}

/** No span of times of 64 bits is longer; a forged one may be. */
const LONGEST = 2 ** 64;

/** About a thousand steps, of 1, 2 or 5 times a power of ten: ns, from 1 ms on. */
export function stepWidth(span: number): number {
  let width = 1e6;
  for (let factor = 0; width * 1000 < Math.min(span, LONGEST); factor++)
    width *= factor % 3 === 1 ? 2.5 : 2;
  return width;
}
