/** Writes the wire format of Protocol Buffers: varints, doubles, and fields with a length. */
import { appendBytes, appendVarint, makeRoom, type ByteBuffer } from '../byte-buffer.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

function appendTag(buffer: ByteBuffer, field: number, wireType: number): void {
  appendVarint(buffer, 8 * field + wireType);
}

/** uint32, uint64, enum; int64 when negative too. */
export function appendInteger(buffer: ByteBuffer, field: number, value: number | bigint): void {
  appendTag(buffer, field, VARINT);
  // A negative number is that of 64 bits, in two's complement.
  appendVarint(buffer, value < 0 ? BigInt(value) : value);
}

export function appendBool(buffer: ByteBuffer, field: number, value: boolean): void {
  appendInteger(buffer, field, value ? 1 : 0);
}

export function appendDouble(buffer: ByteBuffer, field: number, value: number): void {
  appendTag(buffer, field, FIXED64);
  makeRoom(buffer, 8);
  new DataView(buffer.bytes.buffer).setFloat64(buffer.length, value, true);
  buffer.length += 8;
}

export function appendText(buffer: ByteBuffer, field: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  appendTag(buffer, field, LENGTH_DELIMITED);
  appendVarint(buffer, bytes.length);
  appendBytes(buffer, bytes);
}

/** Begins a message within; what is appended until `endMessage` is its content. Returns where it begins. */
export function beginMessage(buffer: ByteBuffer, field: number): number {
  appendTag(buffer, field, LENGTH_DELIMITED);
  makeRoom(buffer, 1);
  buffer.length++;
  return buffer.length;
}

/** Ends the message that began at `start`: its length goes before it. */
export function endMessage(buffer: ByteBuffer, start: number): void {
  const length = buffer.length - start;
  // There is room for one byte; a longer length moves the content.
  let moved = 0;
  for (let rest = length; rest >= 128; rest = Math.floor(rest / 128)) moved++;
  makeRoom(buffer, moved);
  if (moved > 0) buffer.bytes.copyWithin(start + moved, start, start + length);
  let at = start - 1;
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) buffer.bytes[at++] = (rest % 128) | 128;
  buffer.bytes[at] = rest;
  buffer.length += moved;
}
