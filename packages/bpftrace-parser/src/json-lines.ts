import {
  CLOSE_BRACKET,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  SPACE,
  decodeUtf8,
  encodeUtf8,
  isBlank,
  startsWithBytes,
} from './bytes.js';
import { type MutableCounts, countRepairs } from './counts.js';
import { createSink } from './escapes.js';
import { type JsonContext, buildMessage, field } from './json-messages.js';
import { type JsonObject, readRecords } from './json-reader.js';
import type { MessageBody } from './messages.js';
import type { PrintfLines } from './printf-lines.js';
import { QUIRKS } from './quirks.js';

/** The JSON lines of a stream. */
export interface JsonLines {
  /** The fast path: see {@link PrintfLines.tryLine}. */
  tryPrintf(bytes: Uint8Array, pos: number, end: number): number;
  /** Whether the line deserves to be parsed. `end` is exclusive, the index of its LF. */
  looksLikeRecord(bytes: Uint8Array, start: number, end: number): boolean;
  /** Parses such a line and delivers it. False: it is text after all, nothing was delivered. */
  accept(bytes: Uint8Array, start: number, end: number): boolean;
  /** Whether a line holds only the brackets and commas of an array around the records. */
  isPunctuation(bytes: Uint8Array, start: number, end: number): boolean;
}

/** Where the results go. */
export interface JsonHost {
  /** All lines with a brace are JSON, whatever they look like. */
  readonly forced: boolean;
  readonly counts: MutableCounts;
  readonly printf: PrintfLines;
  readonly emit: (body: MessageBody) => void;
}

const RECORD_PREFIX = encodeUtf8('{"type":');

/** See {@link JsonLines}. */
export function createJsonLines(host: JsonHost): JsonLines {
  const { forced, counts, printf, emit } = host;
  const sink = createSink();
  const context: JsonContext = {
    modern: false,
    escaped: false,
    hexadecimal: false,
    stickyHex: false,
  };
  /** Once a record was seen, a line that begins like one and is none is damaged, not text. */
  let seenRecord = forced;
  let inArray = forced;

  function deliver(record: JsonObject, type: string, line: Uint8Array): void {
    const body = buildMessage(type, record, context);
    if (body !== undefined && body !== 'unknown' && body.type === 'printf') {
      printf.accept(body.data);
      return;
    }
    printf.flush();
    if (body !== undefined && body !== 'unknown') return emit(body);
    const raw = decodeUtf8(line, 0, line.length);
    if (body === 'unknown') emit({ type: 'unknown', jsonType: type, raw });
    else emit(rejected('shape', raw, line.length));
  }

  return {
    tryPrintf(bytes, pos, end) {
      printf.sink.repairs = 0;
      const next = printf.tryLine(bytes, pos, end);
      if (next >= 0) {
        seenRecord = true;
        if (printf.sink.repairs !== 0) countRepairs(counts, printf.sink.repairs);
      }
      return next;
    },

    looksLikeRecord(bytes, start, end) {
      let pos = start;
      while (pos < end && isPunctuationByte(bytes[pos])) pos++;
      if (forced) return pos < end && bytes[pos] === OPEN_BRACE;
      return startsWithBytes(bytes, pos, end, RECORD_PREFIX);
    },

    accept(bytes, start, end) {
      sink.repairs = 0;
      const records =
        readRecords(bytes, start, end, false, sink) ?? readRecords(bytes, start, end, true, sink);
      const types = records?.map((record) => field(record, 'type')) ?? [];
      if (records === undefined || !types.every((type) => typeof type === 'string')) {
        if (!seenRecord) return false;
        printf.flush();
        const reason = records === undefined ? 'syntax' : 'shape';
        emit(rejected(reason, decodeUtf8(bytes, start, end), end - start));
        return true;
      }
      seenRecord = true;
      context.escaped = sink.sawUnicodeEscape || printf.sink.sawUnicodeEscape;
      context.stickyHex = false;
      for (const [i, record] of records.entries()) {
        deliver(record, types[i], bytes.subarray(start, end));
      }
      // What looked like a bare word was a number in hexadecimal.
      const mask = context.stickyHex
        ? (sink.repairs & ~QUIRKS['bare-value'].bit) | QUIRKS['sticky-hex'].bit
        : sink.repairs;
      if (mask !== 0) countRepairs(counts, mask);
      return true;
    },

    isPunctuation(bytes, start, end) {
      if (isBlank(bytes, start, end)) return false;
      for (let i = start; i < end; i++) {
        if (!isPunctuationByte(bytes[i])) return false;
      }
      // In text output a line may be a bracket: believe it only where an array can begin.
      if (bytes[start] === OPEN_BRACKET && counts.lines - counts.blank === 1) inArray = true;
      return inArray;
    },
  };
}

function isPunctuationByte(byte: number): boolean {
  return byte === COMMA || byte === OPEN_BRACKET || byte === CLOSE_BRACKET || byte === SPACE;
}

function rejected(reason: 'syntax' | 'shape', raw: string, bytes: number): MessageBody {
  return { type: 'rejected', reason, raw, bytes };
}
