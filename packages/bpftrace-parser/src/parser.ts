import { LF, OPEN_BRACE, decodeUtf8, encodeUtf8 } from './bytes.js';
import { createCounts } from './counts.js';
import { createFraming } from './framing.js';
import { createJsonLines } from './json-lines.js';
import type { Message, MessageBody } from './messages.js';
import type { LineTaker, Parser, ParserOptions, Taken } from './options.js';
import { createPosition } from './position.js';
import { createPrintfLines } from './printf-lines.js';
import { type Place, type PlacedText, createTextBlocks } from './text-blocks.js';

/** Default of `maxLineBytes`. */
const MAX_LINE_BYTES = 1 << 20;

type Mutable<M> = { -readonly [K in keyof M]: M[K] };

/**
 * A parser for one stream of bpftrace output, its standard output or its standard error.
 *
 * Every line goes, in this order, to: the block of text output that is open; the JSON reader, if it
 * looks like JSON; `takeLine`; the classification of text lines. Whatever the bytes, it does not
 * throw; only callbacks may.
 *
 * @throws RangeError if `maxLineBytes` is not a positive integer.
 */
export function createParser(options: ParserOptions): Parser {
  const { format = 'auto', maxLineBytes = MAX_LINE_BYTES, onMessage, takeLine } = options;
  if (!Number.isSafeInteger(maxLineBytes) || maxLineBytes < 1) {
    throw new RangeError(`maxLineBytes must be a positive integer, not ${maxLineBytes}`);
  }
  const readsJson = format !== 'text';
  /** In JSON output a line of text is not printf output. */
  const takeText = format === 'json' ? undefined : takeLine;

  const counts = createCounts();
  const position = createPosition();
  /** Where the line begins that the taker refused last; -1 when it has not been asked. */
  let refusedAt = -1;
  const taken: Taken = { lines: 1, lineStep: 1 };

  function emit(body: MessageBody): void {
    // Bodies are made for this one call; copying one by spread would cost more than parsing it.
    const message = body as Mutable<Message>;
    message.line = position.line;
    counts.messages[message.type]++;
    if (message.type === 'lost_events') counts.lostEvents += message.events;
    else if (message.type === 'unknown') counts.unknown++;
    else if (message.type === 'rejected' && message.reason !== 'overlong') counts.rejected++;
    onMessage(message);
  }

  function emitAt(body: MessageBody, { line, offset }: Place): void {
    if (line === position.line) emit(body);
    else position.visit(line, offset, () => emit(body));
  }

  const blocks = createTextBlocks({
    deliver: emitAt,
    giveBack: (bytes, { line, offset }) =>
      position.visit(line, offset, () => {
        if (!offer(bytes, 0, bytes.length)) classify(bytes, 0, bytes.length - 1);
      }),
  });

  const printf = createPrintfLines({
    takeLine,
    maxLineBytes,
    position,
    onTaken: (lines) => {
      counts.taken += lines;
    },
    onPrintf: (data) => {
      counts.messages.printf++;
      onMessage({ type: 'printf', data, line: position.line });
    },
  });

  const json = createJsonLines({ forced: format === 'json', counts, printf, emit });

  /** Offers one line, which ends at `end`. */
  function offer(bytes: Uint8Array, start: number, end: number): boolean {
    if (takeText === undefined) return false;
    taken.lines = 1;
    if (takeText(bytes, start, end, taken) !== end) return false;
    counts.taken++;
    return true;
  }

  function extendBlock(bytes: Uint8Array, start: number, lf: number): boolean {
    return blocks.extend(placed(bytes, start, lf), bytes.subarray(start, lf + 1));
  }

  function placed(bytes: Uint8Array, start: number, lf: number): PlacedText {
    const text = decodeUtf8(bytes, start, lf);
    return { text, line: position.line, offset: position.offset() };
  }

  /** A line of text that nobody took. */
  function classify(bytes: Uint8Array, start: number, lf: number): void {
    if (start === lf) counts.blank++;
    else blocks.begin(placed(bytes, start, lf));
  }

  /** A line that the loop below did not deal with itself. `lf` is the index of its LF. */
  function acceptLine(bytes: Uint8Array, start: number, lf: number, offered: boolean): void {
    if (readsJson && json.looksLikeRecord(bytes, start, lf)) {
      blocks.flush();
      if (json.accept(bytes, start, lf)) return;
    } else if (blocks.isOpen() && extendBlock(bytes, start, lf)) {
      return;
    }
    if (lf > start) printf.flush();
    if (!offered && offer(bytes, start, lf + 1)) return;
    if (readsJson && json.isPunctuation(bytes, start, lf)) return;
    classify(bytes, start, lf);
  }

  /**
   * Lines that the taker takes one after the other, from `start` on. Returns where the first one
   * begins that it does not take, or that is not to be offered to it.
   *
   * HOT: nothing but the taker's own work and the line's number is done per line.
   */
  function takeRun(taker: LineTaker, bytes: Uint8Array, start: number, end: number): number {
    let pos = start;
    let lines = 0;
    const before = position.line;
    while (pos < end && !(readsJson && bytes[pos] === OPEN_BRACE)) {
      position.cursor = pos;
      position.line = before + lines + 1;
      taken.lines = 1;
      const next = taker(bytes, pos, end, taken);
      if (!(next > pos && next <= end && bytes[next - 1] === LF)) {
        refusedAt = pos;
        break;
      }
      lines += taken.lines;
      pos = next;
    }
    position.line = before + lines;
    counts.taken += lines;
    counts.lines += lines;
    return pos;
  }

  function onRegion(bytes: Uint8Array, start: number, end: number, offset: number): void {
    position.base = offset - start;
    let pos = start;
    while (pos < end) {
      position.line = counts.lines;
      refusedAt = -1;
      if (takeText !== undefined && !blocks.isOpen() && printf.pending === 0) {
        pos = takeRun(takeText, bytes, pos, end);
        if (pos >= end) return;
      }
      position.cursor = pos;
      position.line = ++counts.lines;
      let next = -1;
      if (readsJson && bytes[pos] === OPEN_BRACE && !blocks.isOpen()) {
        next = json.tryPrintf(bytes, pos, end);
      }
      if (next < 0) {
        const lf = bytes.indexOf(LF, pos);
        acceptLine(bytes, pos, lf, refusedAt === pos);
        next = lf + 1;
      }
      pos = next;
    }
  }

  /** Begins a line that is delivered as it is, after everything that waits. */
  function enterLine(offset: number): void {
    blocks.flush();
    printf.flush();
    position.line = ++counts.lines;
    position.base = offset;
    position.cursor = 0;
  }

  const framing = createFraming(maxLineBytes, {
    onRegion,
    onOverlong(length, offset) {
      enterLine(offset);
      counts.overlong++;
      emit({ type: 'rejected', reason: 'overlong', raw: '', bytes: length });
    },
    onCut(bytes, start, end, offset) {
      enterLine(offset);
      counts.truncated++;
      emit({ type: 'truncated', text: decodeUtf8(bytes, start, end), bytes: end - start });
    },
  });

  return {
    push(chunk) {
      framing.push(chunk);
    },
    end() {
      blocks.flush();
      printf.flush();
      framing.end();
    },
    counts,
    get line() {
      return position.line;
    },
    get offset() {
      return position.offset();
    },
  };
}

/** All messages of a whole output; a string stands for its UTF-8 bytes. */
export function parse(
  input: Uint8Array | string,
  options: Omit<ParserOptions, 'onMessage'> = {},
): Message[] {
  const messages: Message[] = [];
  const parser = createParser({ ...options, onMessage: (message) => messages.push(message) });
  parser.push(typeof input === 'string' ? encodeUtf8(input) : input);
  parser.end();
  return messages;
}
