import { lengthOfTime } from '@vhostscope/terminal';
import { InvalidArgumentError } from 'commander';

/** A hundred years: the server counts in ns. */
const MAX_MS = 100 * 365 * 86_400_000;

/**
 * Reads an age such as `12h` or `30d`; a number alone is none, since nobody could tell days from hours.
 *
 * @returns milliseconds
 */
export function parseAge(text: string): number {
  const ms = lengthOfTime(text) ?? 0;
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
