/** /proc/kcore with code in it. */
import type { HostSources } from '../src/host/host-sources.ts';

export interface Segment {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;

/** @returns the bytes of the file */
export function kcoreBytes(segments: readonly Segment[]): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  header.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  header.writeUInt16LE(segments.length, 56);
  let offset = HEADER_BYTES + SEGMENT_BYTES * segments.length;
  const table = segments.map(({ address, bytes }) => {
    const entry = Buffer.alloc(SEGMENT_BYTES);
    entry.writeUInt32LE(1, 0);
    for (const [at, value] of [
      [8, BigInt(offset)],
      [16, address],
      [32, BigInt(bytes.length)],
    ] as const)
      entry.writeBigUInt64LE(value, at);
    offset += bytes.length;
    return entry;
  });
  return Buffer.concat([header, ...table, ...segments.map(({ bytes }) => bytes)]);
}

export function kcoreOf(segments: readonly Segment[]): HostSources['readBytes'] {
  const file = Uint8Array.from(kcoreBytes(segments));
  return (_path, from, bytes) => file.subarray(Number(from), Number(from) + bytes);
}
