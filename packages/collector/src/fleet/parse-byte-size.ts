import { InvalidArgumentError } from 'commander';

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Reads a size such as `500MB`, `1.5GiB`; a number alone is bytes. */
export function parseByteSize(text: string): number {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)([kKMGT]?i?B?)$/.exec(text) ?? [];
  const bytes = number === undefined ? Number.NaN : Math.round(Number(number) * UNIT_BYTES[unit]);
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new InvalidArgumentError('Give a number of bytes, such as 500MB or 2GiB.');
  return bytes;
}

/** Less would be full of what is kept for the end of a trace. */
const LEAST_SPOOL = 16 * 2 ** 20;

export function parseSpoolSize(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes < LEAST_SPOOL) throw new InvalidArgumentError('At least 16MiB.');
  return bytes;
}
