/** Bytes that grow, and what binary formats have in common. */

export interface ByteBuffer {
  bytes: Uint8Array;
  length: number;
}

/** A varint of 64 bits has at most so many bytes. */
const LONGEST_VARINT = 10;

export function createByteBuffer(capacity = 1 << 12): ByteBuffer {
  return { bytes: new Uint8Array(capacity), length: 0 };
}

export function makeRoom(buffer: ByteBuffer, more: number): void {
  if (buffer.length + more <= buffer.bytes.length) return;
  const larger = new Uint8Array(2 * (buffer.length + more));
  larger.set(buffer.bytes.subarray(0, buffer.length));
  buffer.bytes = larger;
}

/** Unsigned; a number must be a whole one that is exact, a bigint is taken modulo 2^64. */
export function appendVarint(buffer: ByteBuffer, value: number | bigint): void {
  makeRoom(buffer, LONGEST_VARINT);
  if (typeof value === 'bigint') {
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 128n; rest >>= 7n) buffer.bytes[buffer.length++] = Number(rest & 127n) | 128;
    buffer.bytes[buffer.length++] = Number(rest);
    return;
  }
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128))
    buffer.bytes[buffer.length++] = (rest % 128) | 128;
  buffer.bytes[buffer.length++] = rest;
}

export function appendByte(buffer: ByteBuffer, value: number): void {
  makeRoom(buffer, 1);
  buffer.bytes[buffer.length++] = value;
}

export function appendBytes(buffer: ByteBuffer, bytes: Uint8Array): void {
  makeRoom(buffer, bytes.length);
  buffer.bytes.set(bytes, buffer.length);
  buffer.length += bytes.length;
}

/** 32 bits, little-endian. */
export function appendWord(buffer: ByteBuffer, value: number): void {
  makeRoom(buffer, 4);
  new DataView(buffer.bytes.buffer).setUint32(buffer.length, value, true);
  buffer.length += 4;
}

/** A copy of what was appended. */
export function contentOf({ bytes, length }: ByteBuffer): Uint8Array {
  return bytes.slice(0, length);
}
