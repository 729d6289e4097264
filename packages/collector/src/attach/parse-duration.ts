import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** What a timer can wait for: 24 days. */
const MAX_MS = 2 ** 31 - 1;

/**
 * Reads a length of time such as `90`, `1.5s`, `10m`; a number alone is seconds.
 *
 * @returns milliseconds
 */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = number === undefined ? 0 : Math.round(Number(number) * UNIT_MS[unit]);
  if (ms <= 0) throw new InvalidArgumentError('Give a length of time, such as 90, 30s or 10m.');
  if (ms > MAX_MS) throw new InvalidArgumentError('At most 596h.');
  return ms;
}
