import type { Message, MessageType } from './messages.js';
import type { QuirkId } from './quirks.js';

/**
 * First refusal on printf text.
 *
 * `bytes[start]` begins a line of printf output, and a LF lies at or after `start` and before `end`.
 * Returns the index just past that LF when it took the line, or -1 when the line is not its own:
 * the parser then goes on to classify it. `bytes` are only valid during the call.
 *
 * Any answer that is not just past a LF within the bounds counts as a refusal.
 *
 * It may take several lines at once, as long as it knows all of them for its own: it returns the index
 * just past the LF of the last one and says in `taken` how many there were.
 *
 * It runs once per line or run of lines: no strings, no closures, no allocation in it.
 */
export type LineTaker = (bytes: Uint8Array, start: number, end: number, taken: Taken) => number;

/** How many lines a {@link LineTaker} has taken. */
export interface Taken {
  /** 1 whenever it is asked. */
  lines: number;
  /**
   * What the number of the input line grows by from line to line: 1 in text; 0 in the payload of a
   * printf record, as all its lines come from the one line of the record.
   */
  readonly lineStep: 0 | 1;
}

/** What the parser reads, and whom it tells. */
export interface ParserOptions {
  /**
   * `auto` decides line by line: a line beginning with `{"type": ` that is an object with a string
   * for its type is JSON, any other is text. `text` sees no JSON. `json` offers only the payload of
   * printf records to `takeLine`, and rejects every line that begins with a brace and is not JSON.
   *
   * @defaultValue 'auto'
   */
  readonly format?: 'auto' | 'text' | 'json';
  /**
   * Longest line, in bytes without its LF, that is looked at. A longer one is dropped, counted, and
   * told as a `rejected` message. Memory is bounded by a small multiple of this.
   *
   * @defaultValue 1048576
   */
  readonly maxLineBytes?: number;
  /**
   * Called for every message, in input order. What it throws comes out of `push` or `end`, and
   * the parser must not be used afterwards. It must not call the parser.
   */
  readonly onMessage: (message: Message) => void;
  /** First refusal on printf text, for programs that know their own lines. */
  readonly takeLine?: LineTaker;
}

/** Running totals; live, to be read at any time. */
export interface ParserCounts {
  /** Input lines begun, with their LF seen or, at the end, cut. */
  readonly lines: number;
  /** Lines that `takeLine` took; several may come from one input line of JSON. */
  readonly taken: number;
  /** Blank lines of text, which are not delivered. */
  readonly blank: number;
  /** Messages delivered, by type. */
  readonly messages: Readonly<Record<MessageType, number>>;
  /** JSON lines on which something malformed was undone. */
  readonly repaired: number;
  /** The same by quirk; one line may have several. */
  readonly repairs: Readonly<Record<QuirkId, number>>;
  /** Lines that looked like JSON and could not be read; not those too long. */
  readonly rejected: number;
  /** JSON records of unknown type. */
  readonly unknown: number;
  /** Lines longer than `maxLineBytes`, dropped. */
  readonly overlong: number;
  /** 1 when the input ended within a line. */
  readonly truncated: number;
  /** Sum over all `lost_events`. */
  readonly lostEvents: bigint;
}

/** A push parser. */
export interface Parser {
  /** Takes the next bytes of the input, in chunks of any size. */
  push(chunk: Uint8Array): void;
  /** Ends the input: what waits for more is delivered, a line without LF as `truncated`. */
  end(): void;
  readonly counts: ParserCounts;
  /** 1-based number of the input line being delivered; valid inside callbacks. */
  readonly line: number;
  /** Byte offset in the input of that line's first byte. */
  readonly offset: number;
}
