import type { Bucket } from './messages.js';

/**
 * A line of a histogram in text output. The label is padded to 16 columns, the count to 8, the bar
 * to 52:
 *
 *     (..., 0)               2 |@@@@                                                |
 *     [0]                    1 |@@                                                  |
 *     [4, 8)                 1 |@@                                                  |
 *     [1K, 2K)               1 |@@                                                  |
 *     [100, ...)             1 |@@                                                  |
 */
const BUCKET =
  /^(?:\(\.\.\., (-?\d+[KMGTPE]?)\)|\[(-?\d+[KMGTPE]?)(?:\]|, (?:(-?\d+[KMGTPE]?)|\.\.\.)\))) *(\d+) \|@* *\|$/;

/** Exponents of two; bpftrace prints a bound with a suffix only where it divides evenly. */
const SUFFIXES = 'KMGTPE';

/** The bucket on a line of text output, its bounds made inclusive; undefined for another line. */
export function parseBucketLine(text: string): Bucket | undefined {
  if (text.length > 256) return undefined;
  const match = BUCKET.exec(text);
  if (match === null) return undefined;
  const [, below, from, to, count] = match;
  if (below !== undefined) return { min: null, max: bound(below) - 1n, count: BigInt(count) };
  const min = bound(from);
  if (to !== undefined) return { min, max: bound(to) - 1n, count: BigInt(count) };
  return { min, max: text.includes('...') ? null : min, count: BigInt(count) };
}

function bound(label: string): bigint {
  const suffix = SUFFIXES.indexOf(label[label.length - 1]);
  if (suffix < 0) return BigInt(label);
  return BigInt(label.slice(0, -1)) << BigInt(10 * (suffix + 1));
}
