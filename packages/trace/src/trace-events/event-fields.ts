/**
 * The fields of a trace event, `(where) name=value name=value …`, read into an event of ours.
 *
 * Numbers are taken as they come, by their form: what perf was given no type for is hex, in 32 or 64 bits.
 * Texts stand in quotes, and quotes within them are not escaped, so that a text can hold anything: what
 * stands behind the first one is not read.
 */
import { HEX_DIGIT, readDecimal, type EventLine } from '@vhostscope/model';
import { areBytes, type ColumnPlan, type EventPlan } from './event-plans.js';

/** Where the values of an event's columns stand, by column; and what is wrong with it, if something is. */
export interface FieldPlaces {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Whether a text stood in the event. */
  holdsText: boolean;
  /** Why the event cannot be read, after `false`. */
  problem: string;
  /** No field of the event was found at all: it may be another event of the same name. */
  isOther: boolean;
}

const MAX_COLUMNS = 32;

export function createFieldPlaces(): FieldPlaces {
  return {
    starts: new Int32Array(MAX_COLUMNS),
    ends: new Int32Array(MAX_COLUMNS),
    holdsText: false,
    problem: '',
    isOther: false,
  };
}

const BLANK = 0x20;
const CR = 0x0d;
const QUOTE = 0x22;
const OPEN_ROUND = 0x28;
const CLOSE_ROUND = 0x29;
const EQUALS = 0x3d;
const DASH = 0x2d;

/**
 * Reads the fields of an event.
 *
 * @param start index just past the event's name and colon
 * @param lf index just past the last byte of the line
 * @returns whether it is an event as the table has it; else `places` says why not
 */
export function readFields(
  plan: EventPlan,
  bytes: Uint8Array,
  start: number,
  lf: number,
  event: EventLine,
  places: FieldPlaces,
): boolean {
  const { columns } = plan;
  places.holdsText = false;
  places.isOther = false;
  places.problem = '';
  let found = 0;
  /** Fields mostly stand in the order of the table. */
  let next = 0;
  for (let at = skipPlace(bytes, start, lf); at < lf;) {
    let equals = at;
    while (equals < lf && !endsName(bytes[equals])) equals++;
    if (bytes[equals] === QUOTE && equals < lf) {
      places.holdsText = true;
      break;
    }
    if (equals >= lf || bytes[equals] === BLANK) {
      // No field: the words of a tracepoint that prints other things too.
      at = equals + 1;
      continue;
    }
    let end = equals + 1;
    while (end < lf && bytes[end] !== BLANK && bytes[end] !== QUOTE) end++;
    // A text, or an array of them: `{"a","b"}`.
    if (end < lf && bytes[end] === QUOTE) {
      places.holdsText = true;
      break;
    }
    const column = findColumn(columns, next, bytes, at, equals);
    if (column >= 0) {
      if ((found & (1 << column)) !== 0) {
        places.problem = `${plan.name}: the field ${fieldName(columns[column])} stands there twice`;
        return false;
      }
      if (!readValue(columns[column], bytes, equals + 1, end, event.words)) {
        places.problem = whyNoValue(plan, columns[column], bytes, end);
        return false;
      }
      places.starts[column] = equals + 1;
      places.ends[column] = end;
      found |= 1 << column;
      next = column + 1 === columns.length ? 0 : column + 1;
    }
    at = end + 1;
  }
  event.absent = plan.absent;
  for (let column = 0; column < columns.length; column++) {
    if ((found & (1 << column)) !== 0) continue;
    const { isOptional, absent, target } = columns[column];
    if (!isOptional) {
      places.isOther = found === 0;
      places.problem = whyMissing(plan, columns[column], places, bytes, lf);
      return false;
    }
    event.absent |= absent;
    event.words[target] = 0xffff_ffff;
    event.words[target + 1] = 0xffff_ffff;
  }
  event.kind = plan.kinds[plan.selector < 0 ? 0 : event.words[plan.selector]];
  return true;
}

function endsName(byte: number): boolean {
  return byte === EQUALS || byte === BLANK || byte === QUOTE;
}

/** Passes over `(where)`, the address or function of a probe. */
function skipPlace(bytes: Uint8Array, start: number, lf: number): number {
  let at = start;
  while (at < lf && bytes[at] === BLANK) at++;
  if (bytes[at] !== OPEN_ROUND) return at;
  while (at < lf && bytes[at] !== CLOSE_ROUND) at++;
  at++;
  while (at < lf && bytes[at] === BLANK) at++;
  return at;
}

function findColumn(
  columns: readonly ColumnPlan[],
  next: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let tried = 0; tried < columns.length; tried++) {
    const column = next + tried < columns.length ? next + tried : next + tried - columns.length;
    const { names } = columns[column];
    for (let i = 0; i < names.length; i++) if (areBytes(bytes, start, end, names[i])) return column;
  }
  return -1;
}

/** 10^19, the least number of 20 digits: what wraps around 2^64 is less. */
const HIGH_OF_20_DIGITS = 0x8ac7_2304;

function readValue(
  { target, isWide, isSigned, least, greatest }: ColumnPlan,
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Uint32Array,
): boolean {
  if (!readNumber(bytes, start, end, words, target)) return false;
  if (isWide) return true;
  const low = words[target];
  const high = words[target + 1];
  if (isSigned) {
    // -14 is 0xfffffff2 in 32 bits, and with as many more f in 64.
    const isNegative = low >= 0x8000_0000;
    if (high !== 0 && !(high === 0xffff_ffff && isNegative)) return false;
    const value = low | 0;
    words[target + 1] = value < 0 ? 0xffff_ffff : 0;
    return value >= least && value <= greatest;
  }
  return high === 0 && low >= least && low <= greatest;
}

/** Hex with 0x, or decimal that may be negative, as 64 bits: negative ones in two's complement. */
function readNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Uint32Array,
  target: number,
): boolean {
  if (end - start > 2 && bytes[start] === 0x30 && bytes[start + 1] === 0x78) {
    if (end - start > 18) return false;
    let low = 0;
    let high = 0;
    for (let at = start + 2; at < end; at++) {
      const digit = HEX_DIGIT[bytes[at]];
      if (digit === 255) return false;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
    }
    words[target] = low;
    words[target + 1] = high;
    return true;
  }
  const isNegative = bytes[start] === DASH;
  const first = isNegative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 20 || (isNegative && digits > 18)) return false;
  if (readDecimal(bytes, first, words, target) !== end) return false;
  if (digits === 20 && (bytes[first] !== 0x31 || words[target + 1] < HIGH_OF_20_DIGITS))
    return false;
  if (isNegative) {
    const low = -words[target] >>> 0;
    words[target + 1] = low === 0 ? -words[target + 1] : ~words[target + 1];
    words[target] = low;
  }
  return true;
}

const CR_LF =
  'the line ends in CR LF and not in LF: something between the recording and here changed the bytes';

/** Slow, as is what follows; for reports. */
function whyNoValue(plan: EventPlan, column: ColumnPlan, bytes: Uint8Array, end: number): string {
  if (bytes[end - 1] === CR) return CR_LF;
  return `${plan.name}: ${fieldName(column)} is out of range or not a number`;
}

function whyMissing(
  plan: EventPlan,
  column: ColumnPlan,
  { holdsText }: FieldPlaces,
  bytes: Uint8Array,
  lf: number,
): string {
  if (bytes[lf - 1] === CR) return CR_LF;
  const what = `${plan.name}: the field ${fieldName(column)} is missing`;
  return holdsText ? `${what}, or stands behind a text, where it cannot be told from it` : what;
}

/** What a field is called in traces: by the foreign name, where it has one. */
function fieldName({ names }: ColumnPlan): string {
  return new TextDecoder().decode(names[1] ?? names[0]);
}
