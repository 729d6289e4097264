import { lengthOfTime } from '@vhostscope/terminal';
import { InvalidArgumentError } from 'commander';

/** What a timer can wait for: 24 days. */
const MAX_MS = 2 ** 31 - 1;

/**
 * Reads a length of time such as `90`, `1.5s`, `10m`; a number alone is seconds.
 *
 * @returns milliseconds
 */
export function parseDuration(text: string): number {
  const ms = lengthOfTime(text, 's') ?? 0;
  if (ms <= 0) throw new InvalidArgumentError('Give a length of time, such as 90, 30s or 10m.');
  if (ms > MAX_MS) throw new InvalidArgumentError('At most 596h.');
  return ms;
}
