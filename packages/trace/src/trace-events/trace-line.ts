/**
 * How a line of perf script, ftrace or trace-cmd begins: thread, CPU, time, event.
 *
 *            vload   193 [000]    30.148057810:   vho:uninit: (ffffffffc04df950) vq=0x…      perf script
 *        vhost-193   193/198   [000] 30.148057:    vho:round: (ffffffffc04df650) vq=0x…      … -F pid,tid
 *            vload-219     [000] .N.1.    40.666304: uninit: (vho_uninit+0x0/0x10) vq=0x…    ftrace, trace-cmd
 *
 * The name of a thread is up to 15 bytes of anything: `x 12 [001]`, `1.5: vho:access:`, a line feed. So
 * the beginning is the leftmost place from which thread, CPU, time and event follow one another whole. That
 * takes 17 bytes at the least, more than a name has; and what stands in the fields is further right.
 */
import { combine, MAX_CPU, readDecimal, TIME_SLOT, type EventLine } from '@vhostscope/model';

/** How thread and number are joined: by a blank in perf's lines, by a dash in those of the kernel. */
export type Joint = 'blank' | 'dash';

export interface TraceLine {
  /** The thread's name, without the blanks around it. */
  commStart: number;
  commEnd: number;
  /** The process, where the line tells it, the thread else; and the thread. */
  pid: number;
  thread: number;
  namesProcess: boolean;
  cpu: number;
  /** First digit of the time; just past the digits before and behind its point. */
  timeStart: number;
  secondsEnd: number;
  timeEnd: number;
  nameStart: number;
  nameEnd: number;
  /** Whether it is an event's name; else a record of perf's own, such as PERF_RECORD_LOST. */
  isEvent: boolean;
  /** Just past the name, and the colon behind it. */
  restStart: number;
}

/** An empty one to read into; make one and reuse it. */
export function createTraceLine(): TraceLine {
  return {
    commStart: 0,
    commEnd: 0,
    pid: 0,
    thread: 0,
    namesProcess: false,
    cpu: 0,
    timeStart: 0,
    secondsEnd: 0,
    timeEnd: 0,
    nameStart: 0,
    nameEnd: 0,
    isEvent: false,
    restStart: 0,
  };
}

const BLANK = 0x20;
const TAB = 0x09;
const DASH = 0x2d;
const POINT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const LESS = 0x3c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const OPEN_ROUND = 0x28;
const CLOSE_ROUND = 0x29;

/** Blanks that a column may be filled up with. */
const MAX_BLANKS = 40;

/**
 * Reads the beginning of a line.
 *
 * @param lf index just past its last byte
 * @returns false when it does not begin like an event or a record
 */
export function readTraceLine(
  bytes: Uint8Array,
  start: number,
  lf: number,
  joint: Joint,
  line: TraceLine,
): boolean {
  for (let open = start; open < lf; open++) {
    if (bytes[open] !== OPEN) continue;
    const afterCpu = readCpu(bytes, open, lf, line);
    if (
      afterCpu >= 0 &&
      readThread(bytes, start, open, joint, line) &&
      readTimeAndName(bytes, afterCpu, lf, line)
    ) {
      // Only now: a line of many `1 [000] ` would be looked through once for each.
      trimName(bytes, start, line);
      return true;
    }
  }
  return false;
}

/** `[000] `; returns the index of the blank, -1 when it is something else. */
function readCpu(bytes: Uint8Array, open: number, lf: number, line: TraceLine): number {
  let cpu = 0;
  let at = open + 1;
  for (; at < lf && isDigit(bytes[at]) && at - open < 6; at++) cpu = 10 * cpu + bytes[at] - 0x30;
  // The kernel and perf print three digits at the least.
  if (at - open < 4 || cpu > MAX_CPU || bytes[at] !== CLOSE || bytes[at + 1] !== BLANK) return -1;
  line.cpu = cpu;
  return at + 1 < lf ? at + 1 : -1;
}

/** What stands before the CPU, from right to left. */
function readThread(
  bytes: Uint8Array,
  start: number,
  open: number,
  joint: Joint,
  line: TraceLine,
): boolean {
  let at = skipBlanksBack(bytes, start, open - 1);
  if (at === open - 1) return false;
  let group = -1;
  if (joint === 'dash' && at >= start && bytes[at] === CLOSE_ROUND) {
    // `(    219)`, or dashes where it is not known: the process, with the option record-tgid.
    const inside = at - 1;
    while (at >= start && bytes[at] !== OPEN_ROUND && inside - at < MAX_BLANKS) at--;
    if (at < start || bytes[at] !== OPEN_ROUND) return false;
    group = numberBefore(bytes, at + 1, inside);
    at = skipBlanksBack(bytes, start, at - 1);
  }
  let first = numberStart(bytes, start, at);
  if (first > at) return false;
  line.thread = numberAt(bytes, first, at);
  let pid = group >= 0 ? group : line.thread;
  line.namesProcess = group >= 0;
  if (joint === 'dash') {
    if (first <= start || bytes[first - 1] !== DASH) return false;
    line.commEnd = first - 1;
  } else {
    // perf prints -1 where the kernel knew no number any more.
    if (first > start && bytes[first - 1] === DASH) {
      if (pid !== 1) return false;
      first--;
      pid = NO_PID;
    }
    if (first > start && bytes[first - 1] === SLASH) {
      const last = first - 2;
      first = numberStart(bytes, start, last);
      if (first > last) return false;
      pid = numberAt(bytes, first, last);
      line.namesProcess = true;
      if (first > start && bytes[first - 1] === DASH) {
        if (pid !== 1) return false;
        first--;
        pid = NO_PID;
      }
    }
    if (first > start && bytes[first - 1] !== BLANK) return false;
    line.commEnd = first;
  }
  line.pid = pid;
  return true;
}

/** Takes the blanks off a thread's name that ends at `commEnd`. */
function trimName(bytes: Uint8Array, start: number, line: TraceLine): void {
  line.commStart = start;
  while (line.commEnd > start && bytes[line.commEnd - 1] === BLANK) line.commEnd--;
  while (line.commStart < line.commEnd && bytes[line.commStart] === BLANK) line.commStart++;
}

/** Columns between the CPU and the time: flags of the kernel, perf's `misc` and `tod`. */
const MAX_COLUMNS = 4;

function readTimeAndName(
  bytes: Uint8Array,
  afterCpu: number,
  lf: number,
  line: TraceLine,
): boolean {
  let at = skipBlanks(bytes, afterCpu, lf);
  for (let columns = 0; columns < MAX_COLUMNS; columns++) {
    if (readTime(bytes, at, lf, line)) return readName(bytes, line.timeEnd + 1, lf, line);
    const end = skipColumn(bytes, at, lf);
    if (end < 0) return false;
    at = skipBlanks(bytes, end, lf);
  }
  return false;
}

/** Seconds with six or nine digits behind the point, and a colon. */
function readTime(bytes: Uint8Array, start: number, lf: number, line: TraceLine): boolean {
  let at = start;
  while (at < lf && isDigit(bytes[at]) && at - start <= MAX_SECONDS_DIGITS) at++;
  const secondsEnd = at;
  if (at === start || at - start > MAX_SECONDS_DIGITS || bytes[at] !== POINT) return false;
  at++;
  while (at < lf && isDigit(bytes[at]) && at - secondsEnd <= 10) at++;
  const digits = at - secondsEnd - 1;
  if (at >= lf || (digits !== 6 && digits !== 9) || bytes[at] !== COLON) return false;
  line.timeStart = start;
  line.secondsEnd = secondsEnd;
  line.timeEnd = at;
  return true;
}

export const MAX_SECONDS_DIGITS = 10;

/** Flags begin with a letter or a point; a date and a time of day have their punctuation. -1 for others. */
function skipColumn(bytes: Uint8Array, start: number, lf: number): number {
  let at = start;
  let hasPunctuation = false;
  for (; at < lf && bytes[at] !== BLANK && at - start < 20; at++) {
    const byte = bytes[at];
    const isPart = isDigit(byte) || byte === POINT || byte === DASH || byte === COLON;
    if (at > start && (byte === COLON || byte === DASH)) hasPunctuation = true;
    if (!isPart && !isLetter(byte) && byte !== HASH) return -1;
  }
  if (at === start || at >= lf || bytes[at] !== BLANK) return -1;
  return isDigit(bytes[start]) && !hasPunctuation ? -1 : at;
}

const HASH = 0x23;
const UNDERSCORE = 0x5f;
const RECORD = new TextEncoder().encode('PERF_RECORD_');

function readName(bytes: Uint8Array, afterTime: number, lf: number, line: TraceLine): boolean {
  let at = skipBlanks(bytes, afterTime, lf);
  if (at === afterTime) return false;
  let end = nameEnd(bytes, at, lf);
  if (isNumber(bytes, at, end)) {
    // The period, where it is printed.
    at = skipBlanks(bytes, end, lf);
    end = nameEnd(bytes, at, lf);
  }
  line.nameStart = at;
  line.restStart = end;
  line.isEvent = end - at > 1 && bytes[end - 1] === COLON;
  line.nameEnd = line.isEvent ? end - 1 : end;
  return line.isEvent || isRecord(bytes, at, end);
}

/** A record of perf's own, or a stack of ftrace's, which is a record without a name. */
function isRecord(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < RECORD.length) return end - at === 6 && bytes[at] === LESS;
  for (let i = 0; i < RECORD.length; i++) if (bytes[at + i] !== RECORD[i]) return false;
  return true;
}

function nameEnd(bytes: Uint8Array, at: number, lf: number): number {
  while (at < lf && bytes[at] !== BLANK && bytes[at] !== TAB) at++;
  return at;
}

function isNumber(bytes: Uint8Array, at: number, end: number): boolean {
  if (at === end) return false;
  for (; at < end; at++) if (!isDigit(bytes[at])) return false;
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === UNDERSCORE;
}

function skipBlanks(bytes: Uint8Array, at: number, lf: number): number {
  const limit = Math.min(lf, at + MAX_BLANKS);
  while (at < limit && bytes[at] === BLANK) at++;
  return at;
}

function skipBlanksBack(bytes: Uint8Array, start: number, at: number): number {
  const limit = Math.max(start, at - MAX_BLANKS);
  while (at >= limit && bytes[at] === BLANK) at--;
  return at;
}

/** -1 in 32 bits. */
const NO_PID = 0xffff_ffff;
/** PID_MAX_LIMIT is 4,194,304. */
const MAX_PID_DIGITS = 7;

/** Where the digits begin that end at `last`; `last` + 1 when there are none, or too many. */
function numberStart(bytes: Uint8Array, start: number, last: number): number {
  let at = last + 1;
  while (at > start && isDigit(bytes[at - 1])) {
    at--;
    if (last - at >= MAX_PID_DIGITS) return last + 1;
  }
  return at;
}

function numberAt(bytes: Uint8Array, first: number, last: number): number {
  let value = 0;
  for (let at = first; at <= last; at++) value = 10 * value + bytes[at] - 0x30;
  return value;
}

/** The number that ends at `last`; -1 when there is none. */
function numberBefore(bytes: Uint8Array, start: number, last: number): number {
  const first = numberStart(bytes, start, last);
  return first > last ? -1 : numberAt(bytes, first, last);
}

const SECOND = 1_000_000_000;
/** As many seconds have fewer than 2^63 ns. */
const MAX_SECONDS = 9_223_372_036;

/**
 * Puts the time of a line, in ns, into an event's words.
 *
 * @returns false when it is beyond 2^63 ns
 */
export function takeTime(bytes: Uint8Array, line: TraceLine, event: EventLine): boolean {
  const { timeStart, secondsEnd, timeEnd } = line;
  const { words } = event;
  const target = 2 * TIME_SLOT;
  readDecimal(bytes, timeStart, words, target);
  const low = words[target];
  const high = words[target + 1];
  if (high * 2 ** 32 + low >= MAX_SECONDS) return false;
  const digits = timeEnd - secondsEnd - 1;
  const fraction = numberAt(bytes, secondsEnd + 1, timeEnd - 1);
  combine(words, target, low, high, SECOND, digits === 6 ? 1000 * fraction : fraction);
  return true;
}
