/**
 * The last second of a device: how many ranges over its rings have begun in it, and how long one at least was
 * under way. While one is, no map of the ring can be built.
 */

/** ns. */
export const SECOND = 1_000_000_000n;
/** Of a second: more than this is a storm. */
export const DOWN_LIMIT = SECOND / 10n;

interface Span {
  readonly begin: bigint;
  readonly end: bigint;
}

export interface StormWindow {
  readonly rate: number;
  /** When the last ranges began; no more than `rate`, as more makes no difference. */
  readonly begins: bigint[];
  /** When ranges were under way, without gap; the oldest first. */
  readonly downs: Span[];
  /** How long they are together. */
  downSum: bigint;
  /** Ranges under way, and since when there is one. */
  underWay: number;
  downSince: bigint;
  /** Time that ranges were under way, until the last one ended. */
  downBefore: bigint;
}

export function createStormWindow(rate: number): StormWindow {
  return { rate, begins: [], downs: [], downSum: 0n, underWay: 0, downSince: 0n, downBefore: 0n };
}

export function rangeBegins(window: StormWindow, time: bigint): void {
  window.begins.push(time);
  if (window.begins.length > window.rate) window.begins.shift();
  if (window.underWay++ === 0) window.downSince = time;
}

export function rangeEnds(window: StormWindow, time: bigint, ranges = 1): void {
  if (window.underWay === 0) return;
  window.underWay = Math.max(0, window.underWay - ranges);
  if (window.underWay > 0) return;
  window.downBefore += time - window.downSince;
  window.downs.push({ begin: window.downSince, end: time });
  window.downSum += time - window.downSince;
  // As many ranges in a second are a storm in any case.
  if (window.downs.length > window.rate) dropOldest(window);
}

function dropOldest(window: StormWindow): void {
  const oldest = window.downs.shift();
  if (oldest !== undefined) window.downSum -= oldest.end - oldest.begin;
}

/** Whether ranges came as often as `rate` in the second before, and whether one was under way too long. */
export function isStormy(
  window: StormWindow,
  time: bigint,
): { readonly rate: boolean; readonly down: boolean } {
  const { rate, begins, downs, underWay, downSince } = window;
  const from = time - SECOND;
  const oldest = begins[0];
  const isFull = begins.length >= rate && oldest !== undefined && oldest > from;
  while (downs[0] !== undefined && downs[0].end <= from) dropOldest(window);
  const [first] = downs;
  const outside = first !== undefined && first.begin < from ? from - first.begin : 0n;
  const now = underWay > 0 ? time - latest(downSince, from) : 0n;
  return { rate: isFull, down: window.downSum - outside + now > DOWN_LIMIT };
}

/** Time that ranges were under way since the beginning. */
export function downUntil(window: StormWindow, time: bigint): bigint {
  return window.downBefore + (window.underWay > 0 ? time - window.downSince : 0n);
}

export function latest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
