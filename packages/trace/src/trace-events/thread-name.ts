/**
 * The name of a thread as the dialect has it: what is not printable as `\xNN`. A line feed in it ends the
 * line before its time, so that what came before is kept until the rest follows.
 */
import type { EventLine } from '@vhostscope/model';
import type { TraceLine } from './trace-line.js';

/** 16 bytes, each at most `\xNN`. */
const MAX_TEXT_BYTES = 64;
/** TASK_COMM_LEN, without the zero at its end. */
const MAX_NAME_BYTES = 15;
/** perf and the kernel fill names up to it, on their left. */
const NAME_COLUMN_BYTES = 16;

export interface ThreadName {
  /** Where the text is made. */
  readonly text: Uint8Array;
  /** Bytes of lines that may be the first part of a name, each with its LF. */
  readonly before: Uint8Array;
  beforeLength: number;
  /** How many lines they are. */
  lines: number;
}

export function createThreadName(): ThreadName {
  return {
    text: new Uint8Array(MAX_TEXT_BYTES),
    before: new Uint8Array(NAME_COLUMN_BYTES),
    beforeLength: 0,
    lines: 0,
  };
}

const LF = 0x0a;
const BLANK = 0x20;

/** Keeps a line that may be the first part of a name; false when it cannot be. */
export function keepFirstPart(
  name: ThreadName,
  bytes: Uint8Array,
  start: number,
  lf: number,
): boolean {
  const length = lf - start;
  if (name.beforeLength + length + 1 > NAME_COLUMN_BYTES) return false;
  for (let at = start; at < lf; at++) name.before[name.beforeLength++] = bytes[at];
  name.before[name.beforeLength++] = LF;
  name.lines++;
  return true;
}

/** Whether what was kept is the first part of the name at the beginning of this line. */
export function isFirstPart(
  { before, beforeLength }: ThreadName,
  start: number,
  { commEnd }: TraceLine,
): boolean {
  let first = 0;
  while (first < beforeLength && before[first] === BLANK) first++;
  const rest = commEnd - start;
  return beforeLength + rest <= NAME_COLUMN_BYTES && beforeLength - first + rest <= MAX_NAME_BYTES;
}

export function forgetFirstPart(name: ThreadName): void {
  name.beforeLength = 0;
  name.lines = 0;
}

/** Makes the text of a line's name, with the part before it, and says in `event` where it lies. */
export function writeName(
  name: ThreadName,
  bytes: Uint8Array,
  start: number,
  { commStart, commEnd }: TraceLine,
  event: EventLine,
): void {
  const { text, before, beforeLength } = name;
  let at = 0;
  let isBegun = false;
  for (let i = 0; i < beforeLength; i++) {
    isBegun ||= before[i] !== BLANK;
    if (isBegun) at = appendByte(text, at, before[i]);
  }
  for (let i = isBegun ? start : commStart; i < commEnd; i++) at = appendByte(text, at, bytes[i]);
  event.restStart = 0;
  event.restEnd = at;
}

const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

function appendByte(text: Uint8Array, at: number, byte: number): number {
  const isPrintable = byte >= BLANK && byte <= 0x7e;
  if (at + (isPrintable ? 1 : 4) > text.length) return at;
  if (isPrintable) {
    text[at] = byte;
    return at + 1;
  }
  text[at] = BACKSLASH;
  text[at + 1] = LETTER_X;
  text[at + 2] = hexDigit(byte >> 4);
  text[at + 3] = hexDigit(byte & 15);
  return at + 4;
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
