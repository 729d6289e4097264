/** Counts of bins, made into what a plot of some width can show. */
import type { DecisionSeries, Report } from '../report-schema.js';

export type TimelineData = Report['timeline'];

/** What became of accesses in a stretch of time. */
export interface Shares {
  readonly hits: number;
  readonly fallbacks: number;
  readonly iotlb: number;
  readonly ambiguous: number;
}

export const DECISIONS = ['hits', 'ambiguous', 'iotlb', 'fallbacks'] as const;

/** Bins that become one, so that at most so many are left. */
export function groupSize(bins: number, most: number): number {
  return Math.max(1, Math.ceil(bins / Math.max(1, most)));
}

/** Sums of groups of bins. An absent series is 0 everywhere. */
export function grouped(
  series: readonly number[] | undefined,
  bins: number,
  size: number,
): number[] {
  const sums = Array.from({ length: Math.ceil(bins / size) }, () => 0);
  if (series === undefined) return sums;
  for (const [bin, count] of series.entries()) sums[Math.floor(bin / size)] += count;
  return sums;
}

/** Decisions of several areas together, by group of bins. */
export function groupedShares(
  areas: readonly (DecisionSeries | undefined)[],
  bins: number,
  size: number,
): Shares[] {
  const sums = DECISIONS.map((decision) => {
    const all = areas.map((area) => grouped(area?.[decision], bins, size));
    return all.reduce(
      (total, one) => total.map((count, at) => count + (one[at] ?? 0)),
      Array.from({ length: Math.ceil(bins / size) }, () => 0),
    );
  });
  const [hits = [], ambiguous = [], iotlb = [], fallbacks = []] = sums;
  return hits.map((count, at) => ({
    hits: count,
    ambiguous: ambiguous[at] ?? 0,
    iotlb: iotlb[at] ?? 0,
    fallbacks: fallbacks[at] ?? 0,
  }));
}

export function accessesOf({ hits, fallbacks, iotlb, ambiguous }: Shares): number {
  return hits + fallbacks + iotlb + ambiguous;
}

/**
 * Upper ends of the shares when they stand on each other, from 0 to 1, in the order of DECISIONS; null
 * where nothing was accessed. One that is there gets at least `least`, at the expense of the greatest,
 * so that a single fallback in a million hits is seen.
 */
export function stacked(shares: Shares, least: number): (number | null)[] {
  const all = accessesOf(shares);
  if (all === 0) return DECISIONS.map(() => null);
  const parts = DECISIONS.map((decision) =>
    shares[decision] === 0 ? 0 : Math.max(least, shares[decision] / all),
  );
  const greatest = parts.indexOf(Math.max(...parts));
  const excess = parts.reduce((sum, part) => sum + part, 0) - 1;
  parts[greatest] = (parts[greatest] ?? 0) - excess;
  let end = 0;
  const ends = parts.map((part) => (end += part));
  ends[ends.length - 1] = 1;
  return ends;
}

/** A span of time, ns, with a unit that suits it and the factor from ns to it. */
export function timeUnit(span: number): { readonly unit: string; readonly ns: number } {
  if (span >= 1e9) return { unit: 's', ns: 1e9 };
  if (span >= 1e6) return { unit: 'ms', ns: 1e6 };
  return { unit: 'µs', ns: 1e3 };
}

/** Four digits at most, without what they do not need: 0.008192 s, 12.35 s */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
