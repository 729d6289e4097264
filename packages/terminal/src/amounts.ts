/** Amounts with a unit, as they are typed; what is too little or too much, each option says for itself. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** As GNU programs have them: a letter alone is of 1024, and with B of 1000; k may be small. */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  k: 2 ** 10,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * Reads a length of time such as `90s`, `1.5h`, `30d`.
 *
 * @param without the unit of a number alone; undefined where it has to have one
 * @returns ms, rounded; undefined where the text is no such length, or one that no number holds exactly
 */
export function lengthOfTime(text: string, without?: string): number | undefined {
  return amount(text, UNIT_MS, without);
}

/** Reads a size such as `500MB`, `1.5GiB`, `2G`; likewise. @returns bytes, rounded */
export function sizeInBytes(text: string, without?: string): number | undefined {
  return amount(text, UNIT_BYTES, without);
}

function amount(
  text: string,
  units: Readonly<Record<string, number>>,
  without: string | undefined,
): number | undefined {
  const [, number, unit = without] = /^(\d+(?:\.\d+)?)([A-Za-z]+)?$/.exec(text) ?? [];
  if (number === undefined || unit === undefined || !Object.hasOwn(units, unit)) return undefined;
  const rounded = Math.round(Number(number) * units[unit]);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}
