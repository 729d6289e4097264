import { CLOSE_BRACE, LF, decodeUtf8, encodeUtf8, startsWithBytes } from './bytes.js';
import { type ByteSink, createSink, reserve, unescapeString } from './escapes.js';
import type { LineTaker } from './options.js';
import type { Position } from './position.js';

/**
 * The printf records of JSON output, without a JSON parser: unescaped into a reused buffer and
 * offered to the program's own reader from there.
 *
 * A printf may print part of a line, or several. Payloads are therefore joined until a LF, but only
 * while printf records follow each other; and only for a reader that takes lines: without one every
 * record is delivered as it came.
 */
export interface PrintfLines {
  /**
   * Handles the line at `pos` if it has exactly the form that bpftrace prints.
   *
   * @returns The index past its LF, or -1 with nothing done.
   */
  tryLine(bytes: Uint8Array, pos: number, end: number): number;
  /** Handles the payload of a printf record of another form. */
  accept(data: string): void;
  /** Delivers the part of a line that waits to be continued, if any. */
  flush(): void;
  /** Length of that part, in bytes. */
  readonly pending: number;
  /** Where payloads are unescaped; its repairs and flags are for the parser to read. */
  readonly sink: ByteSink;
}

/** Where the results go. */
export interface PrintfHost {
  readonly takeLine: LineTaker | undefined;
  /** Upper bound for a line joined from several payloads. */
  readonly maxLineBytes: number;
  readonly position: Position;
  readonly onTaken: () => void;
  readonly onPrintf: (data: string) => void;
}

/** What bpftrace 0.9.3 and later print before the payload. */
const PREFIX = encodeUtf8('{"type": "printf", "data": "');

/** See {@link PrintfLines}. */
export function createPrintfLines(host: PrintfHost): PrintfLines {
  const { takeLine, maxLineBytes, position, onTaken, onPrintf } = host;
  const sink = createSink();
  /** The first `pending` bytes of the sink are the beginning of a line, printed before. */
  let pending = 0;
  let pendingLine = 0;
  let pendingOffset = 0;

  /** Delivers `[start, end)` of the sink as a printf message. */
  function emit(start: number, end: number): void {
    onPrintf(decodeUtf8(sink.bytes, start, end));
  }

  function flush(): void {
    if (pending === 0) return;
    const length = pending;
    pending = 0;
    position.visit(pendingLine, pendingOffset, () => emit(0, length));
  }

  /** Offers the lines in `[0, end)` of the sink, the last of which ends there. */
  function offer(take: LineTaker, end: number): void {
    let pos = 0;
    while (pos < end) {
      const next = take(sink.bytes, pos, end);
      if (next > pos && next <= end) {
        onTaken();
        pos = next;
      } else {
        const after = sink.bytes.indexOf(LF, pos) + 1;
        emit(pos, after);
        pos = after;
      }
    }
  }

  /** The sink holds `pending` bytes from before and a new payload after them. */
  function deliver(): void {
    if (takeLine === undefined) {
      emit(0, sink.length);
      return;
    }
    if (pending > 0 && sink.length > maxLineBytes) {
      const start = pending;
      flush();
      sink.bytes.copyWithin(0, start, sink.length);
      sink.length -= start;
    }
    const length = sink.length;
    const start = pending;
    pending = 0;
    let whole = length;
    if (length === 0) {
      emit(0, 0);
      return;
    }
    if (sink.bytes[length - 1] !== LF) {
      // What waited holds no LF, and may be long: look at the new payload only.
      const lf = sink.bytes.subarray(start, length).lastIndexOf(LF);
      whole = lf < 0 ? 0 : start + lf + 1;
    }
    if (whole > 0) {
      const take = takeLine;
      if (start > 0) position.visit(pendingLine, pendingOffset, () => offer(take, whole));
      else offer(take, whole);
    }
    if (whole < length) {
      if (whole > 0) sink.bytes.copyWithin(0, whole, length);
      pending = length - whole;
      if (start === 0 || whole > 0) {
        pendingLine = position.line;
        pendingOffset = position.offset();
      }
    }
  }

  return {
    tryLine(bytes, pos, end) {
      if (!startsWithBytes(bytes, pos, end, PREFIX)) return -1;
      sink.length = pending;
      reserve(sink, end - pos);
      const quote = unescapeString(bytes, pos + PREFIX.length, end, sink);
      if (quote < 0 || bytes[quote + 1] !== CLOSE_BRACE || bytes[quote + 2] !== LF) return -1;
      deliver();
      return quote + 3;
    },
    accept(data) {
      const bytes = encodeUtf8(data);
      sink.length = pending;
      reserve(sink, bytes.length);
      sink.bytes.set(bytes, pending);
      sink.length = pending + bytes.length;
      deliver();
    },
    flush,
    get pending() {
      return pending;
    },
    sink,
  };
}
