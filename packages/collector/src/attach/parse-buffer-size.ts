import { InvalidArgumentError } from 'commander';

/** bpftrace refuses, or the kernel cannot give, more. */
const MAX_MIB = 1024;

/**
 * Reads a size such as `16`.
 *
 * @returns MiB
 */
export function parseBufferSize(text: string): number {
  const size = /^\d{1,4}(?:\.\d+)?$/.test(text) ? Number(text) : 0;
  if (size <= 0 || size > MAX_MIB)
    throw new InvalidArgumentError(`Give a number of MiB, at most ${MAX_MIB}.`);
  return size;
}
