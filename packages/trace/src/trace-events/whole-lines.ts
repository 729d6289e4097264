/** Cuts a stream of chunks into regions of whole lines; only the line that a boundary cuts is copied. */

const LF = 0x0a;
const FIRST_CARRY_BYTES = 4096;

export interface WholeLinesHandlers {
  /** At least one line, each with its LF, the last one ending at `end`. Valid during the call. */
  readonly onLines: (bytes: Uint8Array, start: number, end: number, offset: number) => void;
  /** A line of more than `maxBytes` bytes that a boundary cut, which is dropped. */
  readonly onOverlong: (offset: number) => void;
  /** The input ended in this line. */
  readonly onCut: (offset: number) => void;
}

export interface WholeLines {
  push(chunk: Uint8Array): void;
  end(): void;
}

/** @param maxBytes of the line that a boundary cuts, so that memory is bounded */
export function createWholeLines(maxBytes: number, handlers: WholeLinesHandlers): WholeLines {
  const { onLines, onOverlong, onCut } = handlers;
  /** The beginning of the line that the last boundary cut, and the bytes of it that were dropped. */
  let carry = new Uint8Array(FIRST_CARRY_BYTES);
  let carried = 0;
  let dropped = 0;
  /** Bytes before this chunk. */
  let consumed = 0;

  function keep(bytes: Uint8Array): void {
    if (dropped > 0 || carried + bytes.length > maxBytes) {
      dropped += carried + bytes.length;
      carried = 0;
      return;
    }
    if (carried + bytes.length > carry.length) {
      const larger = new Uint8Array(Math.max(carried + bytes.length, 2 * carry.length));
      larger.set(carry.subarray(0, carried));
      carry = larger;
    }
    carry.set(bytes, carried);
    carried += bytes.length;
  }

  /** Ends the line that is open with the first LF of the chunk; returns the index just past that. */
  function closeOpen(chunk: Uint8Array): number {
    const afterLf = chunk.indexOf(LF) + 1;
    const offset = consumed - carried - dropped;
    keep(chunk.subarray(0, afterLf));
    const length = carried;
    const isOverlong = dropped > 0;
    carried = 0;
    dropped = 0;
    if (isOverlong) onOverlong(offset);
    else onLines(carry, 0, length, offset);
    return afterLf;
  }

  return {
    push: (chunk) => {
      const end = chunk.lastIndexOf(LF) + 1;
      if (end > 0) {
        const start = carried + dropped > 0 ? closeOpen(chunk) : 0;
        if (start < end) onLines(chunk, start, end, consumed + start);
      }
      if (end < chunk.length) keep(chunk.subarray(end));
      consumed += chunk.length;
    },
    end: () => {
      if (carried + dropped > 0) onCut(consumed - carried - dropped);
      carried = 0;
      dropped = 0;
    },
  };
}
