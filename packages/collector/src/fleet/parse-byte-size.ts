import { sizeInBytes } from '@vhostscope/terminal';
import { InvalidArgumentError } from 'commander';

/** Reads a size such as `500MB`, `1.5GiB`; a number alone is bytes. */
export function parseByteSize(text: string): number {
  const bytes = sizeInBytes(text, 'B') ?? 0;
  if (bytes <= 0) throw new InvalidArgumentError('Give a number of bytes, such as 500MB or 2GiB.');
  return bytes;
}

/** Less would be full of what is kept for the end of a trace. */
const LEAST_SPOOL = 16 * 2 ** 20;

export function parseSpoolSize(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes < LEAST_SPOOL) throw new InvalidArgumentError('At least 16MiB.');
  return bytes;
}
