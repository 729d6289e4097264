/** Speeds and widths of the window, as the keys go through them. */
export const SPEEDS: readonly (number | 'max')[] = [
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  1000,
  'max',
];

/** ns */
export const WINDOWS: readonly number[] = [1, 2, 5, 10, 30, 60, 300].map((s) => s * 1e9);

/** The next of the ladder in a direction; the present one where there is none. */
export function nextStep<T extends number | 'max'>(ladder: readonly T[], now: T, by: 1 | -1): T {
  const value = (one: T): number => (one === 'max' ? Number.POSITIVE_INFINITY : one);
  const next =
    by === 1
      ? ladder.find((one) => value(one) > value(now))
      : ladder.findLast((one) => value(one) < value(now));
  return next ?? now;
}
