import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** A hundred years: the server counts in ns. */
const MAX_MS = 100 * 365 * 86_400_000;

/**
 * Reads an age such as `12h` or `30d`.
 *
 * @returns milliseconds
 */
export function parseAge(text: string): number {
  const [, number, unit] = /^(\d{1,12})([smhd])$/.exec(text) ?? [];
  const ms = number === undefined ? 0 : Number(number) * UNIT_MS[unit];
  if (ms <= 0 || ms > MAX_MS) throw new InvalidArgumentError('Give an age, such as 12h or 30d.');
  return ms;
}

const REPLICAS = [1, 2, 3, 4, 5];

/** On how many servers of a cluster. */
export function parseReplicas(text: string): number {
  const replicas = REPLICAS.find((number) => String(number) === text);
  if (replicas === undefined) throw new InvalidArgumentError('1 to 5; 3 outlives one server.');
  return replicas;
}
