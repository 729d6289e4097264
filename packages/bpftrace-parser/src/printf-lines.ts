import { CLOSE_BRACE, LF, decodeUtf8, encodeUtf8, startsWithBytes } from './bytes.js';
import { type ByteSink, createSink, reserve, unescapeString } from './escapes.js';
import type { LineTaker, Taken } from './options.js';
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
  readonly onTaken: (lines: number) => void;
  readonly onPrintf: (data: string) => void;
}

/** What bpftrace 0.9.3 and later print before the payload. */
const PREFIX = encodeUtf8('{"type": "printf", "data": "');

/** See {@link PrintfLines}. */
export function createPrintfLines(host: PrintfHost): PrintfLines {
  const { takeLine, maxLineBytes, position, onTaken, onPrintf } = host;
  const sink = createSink();
  const taken: Taken = { lines: 1, lineStep: 0 };
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

  /** Offers the lines in `[pos, end)` of the sink, the last of which ends there. */
  function offer(take: LineTaker, pos: number, end: number): void {
    while (pos < end) {
      taken.lines = 1;
      const next = take(sink.bytes, pos, end, taken);
      if (next > pos && next <= end && sink.bytes[next - 1] === LF) {
        onTaken(taken.lines);
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
    if (takeLine === undefined || sink.length === 0) {
      emit(0, sink.length);
      return;
    }
    if (pending > 0 && sink.length > maxLineBytes) {
      const start = pending;
      flush();
      sink.bytes.copyWithin(0, start, sink.length);
      sink.length -= start;
    }
    const joined = pending;
    pending = 0;
    const whole = wholeLines(joined);
    if (whole > 0) {
      const second = joined > 0 ? sink.bytes.indexOf(LF, joined) + 1 : 0;
      if (second > 0) {
        position.visit(pendingLine, pendingOffset, () => offer(takeLine, 0, second));
      }
      offer(takeLine, second, whole);
    }
    if (whole < sink.length) keep(whole, joined > 0 && whole === 0);
  }

  /** Length of the lines in the sink that are whole; there is no LF before `from`. */
  function wholeLines(from: number): number {
    if (sink.bytes[sink.length - 1] === LF) return sink.length;
    const lf = sink.bytes.subarray(from, sink.length).lastIndexOf(LF);
    return lf < 0 ? 0 : from + lf + 1;
  }

  /** Keeps the rest of the sink, from `start`, as the beginning of a line. */
  function keep(start: number, beganEarlier: boolean): void {
    if (start > 0) sink.bytes.copyWithin(0, start, sink.length);
    pending = sink.length - start;
    if (beganEarlier) return;
    pendingLine = position.line;
    pendingOffset = position.offset();
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
