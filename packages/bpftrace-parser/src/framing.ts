import { LF } from './bytes.js';

/**
 * Cuts a stream of chunks into regions of whole lines.
 *
 * A region is a view of the caller's chunk wherever it can be; only the line that a chunk boundary
 * cuts is copied, into one buffer that never grows beyond `maxLineBytes`. No line longer than that
 * reaches `onRegion`, wherever the boundaries fall, so the messages do not depend on them.
 */
export interface Framing {
  push(chunk: Uint8Array): void;
  end(): void;
}

/** Where the pieces go. `offset` is that of the piece's first byte in the input. */
export interface FramingHandlers {
  /** At least one line, each with its LF, the last one ending at `end`. Valid during the call. */
  readonly onRegion: (bytes: Uint8Array, start: number, end: number, offset: number) => void;
  /** A line of `length` bytes, its LF not counted, was dropped. */
  readonly onOverlong: (length: number, offset: number) => void;
  /** The input ended in this line. Valid during the call. */
  readonly onCut: (bytes: Uint8Array, start: number, end: number, offset: number) => void;
}

/** Initial size of the buffer for the cut line, in bytes. */
const CARRY_BYTES = 4096;

/** A framing for lines of up to `maxLineBytes` bytes, their LF not counted. */
export function createFraming(maxLineBytes: number, handlers: FramingHandlers): Framing {
  const { onRegion, onOverlong, onCut } = handlers;
  /** Bytes in the chunks before this one. */
  let consumed = 0;
  /** The beginning of the line that the last boundary cut. */
  let carry = new Uint8Array(CARRY_BYTES);
  let carried = 0;
  /** Bytes dropped so far of an over-long line. */
  let skipped = 0;
  /** Offset of the line in `carry`, or of the one being dropped. */
  let openOffset = 0;

  function append(chunk: Uint8Array, start: number, end: number): void {
    const needed = carried + end - start;
    if (needed > carry.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(2 * carry.length, maxLineBytes + 1)));
      grown.set(carry.subarray(0, carried));
      carry = grown;
    }
    carry.set(chunk.subarray(start, end), carried);
    carried = needed;
  }

  /** Ends the open line with the chunk's first line. Returns the index after it. */
  function closeOpenLine(chunk: Uint8Array): number {
    const lf = chunk.indexOf(LF);
    const length = carried + skipped + lf;
    const whole = skipped === 0 && length <= maxLineBytes;
    if (whole) append(chunk, 0, lf + 1);
    carried = 0;
    skipped = 0;
    if (whole) onRegion(carry, 0, length + 1, openOffset);
    else onOverlong(length, openOffset);
    return lf + 1;
  }

  function deliver(chunk: Uint8Array, start: number, end: number): void {
    while (start < end) {
      if (end - start <= maxLineBytes + 1) {
        onRegion(chunk, start, end, consumed + start);
        return;
      }
      // More than one line's worth: hand over only what cannot hold an over-long line.
      const lf = chunk.lastIndexOf(LF, start + maxLineBytes);
      if (lf >= start) {
        onRegion(chunk, start, lf + 1, consumed + start);
        start = lf + 1;
      } else {
        const close = chunk.indexOf(LF, start);
        onOverlong(close - start, consumed + start);
        start = close + 1;
      }
    }
  }

  function keep(chunk: Uint8Array, start: number): void {
    const length = chunk.length - start;
    if (length === 0) return;
    if (carried + skipped === 0) openOffset = consumed + start;
    if (skipped > 0) {
      skipped += length;
    } else if (carried + length <= maxLineBytes) {
      append(chunk, start, chunk.length);
    } else {
      skipped = carried + length;
      carried = 0;
    }
  }

  return {
    push(chunk) {
      const end = chunk.lastIndexOf(LF) + 1;
      if (end > 0) deliver(chunk, carried + skipped > 0 ? closeOpenLine(chunk) : 0, end);
      keep(chunk, end);
      consumed += chunk.length;
    },
    end() {
      const length = carried;
      const dropped = skipped;
      carried = 0;
      skipped = 0;
      if (dropped > 0) onOverlong(dropped, openOffset);
      else if (length > 0) onCut(carry, 0, length, openOffset);
    },
  };
}
