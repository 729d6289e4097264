/** Writes the wire format of Protocol Buffers: varints, doubles, and fields with a length. */

export interface ProtoBuffer {
  bytes: Uint8Array;
  length: number;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
/** A varint has at most so many bytes. */
const LONGEST_VARINT = 10;

export function createProtoBuffer(capacity = 1 << 12): ProtoBuffer {
  return { bytes: new Uint8Array(capacity), length: 0 };
}

function makeRoom(buffer: ProtoBuffer, more: number): void {
  if (buffer.length + more <= buffer.bytes.length) return;
  const larger = new Uint8Array(2 * (buffer.length + more));
  larger.set(buffer.bytes.subarray(0, buffer.length));
  buffer.bytes = larger;
}

/** Unsigned; a number must be a whole one that is exact, a bigint is taken modulo 2^64. */
function appendVarint(buffer: ProtoBuffer, value: number | bigint): void {
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

function appendTag(buffer: ProtoBuffer, field: number, wireType: number): void {
  appendVarint(buffer, 8 * field + wireType);
}

/** uint32, uint64, enum; int64 when negative too. */
export function appendInteger(buffer: ProtoBuffer, field: number, value: number | bigint): void {
  appendTag(buffer, field, VARINT);
  // A negative number is that of 64 bits, in two's complement.
  appendVarint(buffer, value < 0 ? BigInt(value) : value);
}

export function appendBool(buffer: ProtoBuffer, field: number, value: boolean): void {
  appendInteger(buffer, field, value ? 1 : 0);
}

export function appendDouble(buffer: ProtoBuffer, field: number, value: number): void {
  appendTag(buffer, field, FIXED64);
  makeRoom(buffer, 8);
  new DataView(buffer.bytes.buffer).setFloat64(buffer.length, value, true);
  buffer.length += 8;
}

export function appendText(buffer: ProtoBuffer, field: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  appendTag(buffer, field, LENGTH_DELIMITED);
  appendVarint(buffer, bytes.length);
  makeRoom(buffer, bytes.length);
  buffer.bytes.set(bytes, buffer.length);
  buffer.length += bytes.length;
}

/** Begins a message within; what is appended until `endMessage` is its content. Returns where it begins. */
export function beginMessage(buffer: ProtoBuffer, field: number): number {
  appendTag(buffer, field, LENGTH_DELIMITED);
  makeRoom(buffer, 1);
  buffer.length++;
  return buffer.length;
}

/** Ends the message that began at `start`: its length goes before it. */
export function endMessage(buffer: ProtoBuffer, start: number): void {
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
