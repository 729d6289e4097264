/** Numbers as the screen shows them: short, and never better than they are. */
import { duration, grouped, percent } from '@vhostscope/terminal';
import type { Decided } from '../dashboard.js';
import type { Glyphs } from './glyphs.js';

/**
 * Hits of accesses in per cent, as `replay run` tells it: a span where some are ambiguous and may be hits too,
 * marked where counts are estimated and it matters how many there were.
 */
export function hitRatio(
  { accesses, hits, ambiguous, isEstimated }: Decided,
  { between, about, nothing }: Glyphs,
): string {
  if (accesses === 0) return nothing;
  const least = percent(hits, accesses);
  const ratio =
    ambiguous === 0
      ? least
      : `${least.replace(/ %$/, '')}${between}${percent(hits + ambiguous, accesses)}`;
  const isMixed =
    [hits, ambiguous, accesses - hits - ambiguous].filter((one) => one > 0).length > 1;
  return `${isEstimated && isMixed ? about : ''}${ratio}`;
}

/** 0 → "0", 0.25 → "0.3", 12 → "12", 1234 → "1.23k", 12_345 → "12.3k", 1_234_567 → "1.23M" */
export function rate(value: number): string {
  if (!Number.isFinite(value)) return '?';
  if (value === 0) return '0';
  if (value < 9.95) return value < 0.05 ? '<0.1' : value.toFixed(1).replace(/\.0$/, '');
  if (value < 999.5) return String(Math.round(value));
  let scaled = value;
  for (const unit of ['k', 'M', 'G']) {
    scaled /= 1000;
    if (scaled < 9.995) return `${scaled.toFixed(2)}${unit}`;
    if (scaled < 99.95) return `${scaled.toFixed(1)}${unit}`;
    if (scaled < 999.5) return `${Math.round(scaled)}${unit}`;
  }
  return `${grouped(Math.round(scaled))}G`;
}

/** Counts in full while they are short: 12_345 → "12,345", 1_234_567 → "1.23M" */
export function count(value: number): string {
  return value < 1_000_000 ? grouped(value) : rate(value);
}

/** Moment in ns since the first event → "12.345 s" */
export { seconds as moment } from '@vhostscope/terminal';

/** Length of time in ns, three digits: "0 ns", "1.23 µs", "45.6 ms", "789 ms", "12.3 s", "123 s" */
export function lasting(ns: number, { micro }: Glyphs): string {
  return duration(ns, { micro });
}

/** Millions of packets per second, with their sign: "+1.10", "+0.95…+1.10" */
export function packets(
  span: readonly [least: number, most: number] | undefined,
  { between, nothing }: Glyphs,
): string {
  if (span === undefined) return nothing;
  const [least, most] = span.map((one) => signed(one));
  return least === most ? (least ?? nothing) : `${least}${between}${most}`;
}

function signed(value: number): string {
  const text = value.toFixed(2);
  return value > 0 ? `+${text}` : text.replace(/^-0\.00$/, '0.00');
}

/** invalidate_count: "0", "0…2", "?" where nothing bounds it. */
export function countBounds(
  { least, most }: { readonly least: number | undefined; readonly most: number | undefined },
  { between, infinite, unknown }: Glyphs,
): string {
  if (least === undefined && most === undefined) return unknown;
  if (least === most) return String(least);
  return `${least ?? `-${infinite}`}${between}${most ?? infinite}`;
}

/**
 * A value for each cell out of many, oldest first: the mean of those that fall into it, NaN where there is none.
 * What is shorter than the width stays as it is.
 */
export function resampled(values: readonly number[], width: number): number[] {
  if (values.length <= width) return [...values];
  return Array.from({ length: width }, (_, cell) => {
    const from = Math.floor((cell * values.length) / width);
    const to = Math.floor(((cell + 1) * values.length) / width);
    const known = values.slice(from, to).filter((value) => !Number.isNaN(value));
    return known.length === 0
      ? Number.NaN
      : known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** Ratios of 0 to 1 as a line of levels; the top one is for 1 alone, so that a full line is a promise. */
export function sparkline(values: readonly number[], width: number, glyphs: Glyphs): string {
  const top = glyphs.levels.length - 1;
  return resampled(values, width)
    .map((value) => {
      if (Number.isNaN(value)) return ' ';
      return glyphs.levels[value >= 1 ? top : Math.min(top - 1, Math.floor(value * top))];
    })
    .join('')
    .padStart(width);
}

/** Numbers against the greatest of them as a line of levels; nothing is a blank, a little is not nothing. */
export function levelLine(values: readonly number[], width: number, glyphs: Glyphs): string {
  const shown = values.slice(-width);
  const most = Math.max(0, ...shown);
  const top = glyphs.levels.length - 1;
  return shown
    .map((value) =>
      value <= 0 || most === 0
        ? ' '
        : glyphs.levels[Math.min(top, Math.ceil((value / most) * top))],
    )
    .join('')
    .padStart(width);
}

/** A bar of a share, 0 to 1; a little is not nothing. */
export function bar(share: number, width: number, { bar: cell }: Glyphs): string {
  const cells = share <= 0 ? 0 : Math.max(1, Math.floor(Math.min(1, share) * width));
  return cell.repeat(cells).padEnd(width);
}
