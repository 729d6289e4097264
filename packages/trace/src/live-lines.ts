/** What an importer knows of lines beside their contents: how many have arrived, and which are wanted. */
import { TIME_SLOT, type EventLine } from '@vhostscope/model';

/** Lines that have arrived, by CPU and kind. */
export type Arrivals = (Float64Array | undefined)[];

/** HOT: once per line, or per run of access lines. */
export function countArrivals(arrivals: Arrivals, cpu: number, kind: number, lines: number): void {
  let kinds = arrivals[cpu];
  if (kinds === undefined) {
    kinds = new Float64Array(256);
    arrivals[cpu] = kinds;
  }
  kinds[kind] += lines;
}

/** Both ends are inclusive; words as in `EventLine`, low first. */
export interface TimeSpan {
  readonly from: readonly [low: number, high: number];
  readonly until: readonly [low: number, high: number];
}

const MAX_TIME = (1n << 63n) - 1n;

export function timeSpan(from = 0n, until = MAX_TIME): TimeSpan {
  return { from: wordsOf(from), until: wordsOf(until) };
}

function wordsOf(time: bigint): readonly [number, number] {
  return [Number(time & 0xffff_ffffn), Number(time >> 32n)];
}

/** Whether an event lies within a span. HOT. */
export function isWithin({ from, until }: TimeSpan, { words }: EventLine): boolean {
  const low = words[2 * TIME_SLOT];
  const high = words[2 * TIME_SLOT + 1];
  return (
    (high > from[1] || (high === from[1] && low >= from[0])) &&
    (high < until[1] || (high === until[1] && low <= until[0]))
  );
}
