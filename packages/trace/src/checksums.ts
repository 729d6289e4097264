/**
 * What tells that a trace is as it was written. Each message has two checksums in its metadata: `body`, of what
 * stands behind the metadata, and `link`, of the metadata itself and of the link before. So a message that was
 * changed, left out, told twice or put elsewhere is noticed by the metadata alone, and a changed body when it is read.
 *
 * CRC-32, as gzip and Python's zlib have it: it notices each change of up to 32 bits that stand together. It keeps
 * nobody from making up a trace.
 */
import { crc32 } from 'node:zlib';

/** The pairs of a message's metadata that hold them. */
export const CHECKSUMS = {
  /** Of the body; no message without one has it. */
  body: 'body',
  /** Of the metadata, behind the link of the message before. */
  link: 'link',
  /** Where a stream goes on in the middle of a trace: the link that the next message rests on, in the place of this one's. */
  next: 'next',
} as const;

/** What the first message rests on. */
export const FIRST_LINK = 0;

/** A checksum takes so many hexadecimal digits. */
export const CHECKSUM_DIGITS = 8;

export function checksumDigits(checksum: number): string {
  return checksum.toString(16).padStart(CHECKSUM_DIGITS, '0');
}

/** @returns undefined where these are not the digits of a checksum, as they are written */
export function parseChecksum(digits: string | undefined): number | undefined {
  return digits !== undefined && /^[\da-f]{8}$/.test(digits) ? parseInt(digits, 16) : undefined;
}

/** Of bytes that stand in several places. */
export function checksumOf(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) sum = crc32(part, sum);
  return sum;
}

const length = new Uint8Array(4);
const lengthView = new DataView(length.buffer);

/**
 * The link of a message.
 *
 * @param metadata all of it
 * @param digitsAt where the digits of the link stand in it, which it cannot cover
 * @param before the link of the message before, or FIRST_LINK
 */
export function linkOf(metadata: Uint8Array, digitsAt: number, before: number): number {
  lengthView.setUint32(0, metadata.length, true);
  const sum = crc32(metadata.subarray(0, digitsAt), crc32(length, before));
  return crc32(metadata.subarray(digitsAt + CHECKSUM_DIGITS), sum);
}
