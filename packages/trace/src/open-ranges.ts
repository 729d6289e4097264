/**
 * Ranges of a recording under way that have begun and not ended, with the lines that tell of them: whoever
 * begins to read in the middle is told of those again, or an end would come that has no beginning.
 *
 * Lines of one CPU come in order, those of several do not: the end of a range may come before its beginning,
 * where the thread has changed its CPU in between. So lines are matched by what pairs a range's calls in the model,
 * in whatever order they come.
 */
import {
  createEventLine,
  KIND,
  RANGE_IDENTITY,
  SLOT,
  timeOfLine,
  type EventLine,
} from '@vhostscope/model';

/** A line to be told again: its text (comm) is its own. */
export interface KeptLine {
  readonly line: EventLine;
  readonly text: Uint8Array;
  readonly time: bigint;
}

export interface OpenRanges {
  /** Lines of ranges that are not over, oldest range first, each in order of arrival. */
  readonly linesOf: Map<string, KeptLine[]>;
  /** Not all that are open are known: lines were lost, or there were too many. */
  isPartial: boolean;
}

/**
 * What a line is to those before it: `follows` where the beginning of its range has come, or is it; `waits`
 * where that is still to come; `overtaken` where a line has come already that happened after it, though both lie
 * before the recording began.
 */
export type RangeLineOrder = 'follows' | 'waits' | 'overtaken';

/** Ranges that are followed: only lost ends let them pile up. */
const MAX_OPEN = 1024;

/** Lines of one range that are kept: more pile up where a CPU says nothing for long. */
const MAX_LINES = 1024;

const START = KIND.core_range_start;
const START_RETURN = KIND.core_range_start_return;
const END = KIND.core_range_end;
const END_RETURN = KIND.core_range_end_return;

const RANGE_KINDS: ReadonlySet<number> = new Set([START, START_RETURN, END, END_RETURN]);

export function createOpenRanges(): OpenRanges {
  return { linesOf: new Map(), isPartial: false };
}

/** Lines were lost: what is open is not known from now on, but for what begins from now on. */
export function forgetRanges(ranges: OpenRanges): void {
  ranges.linesOf.clear();
  ranges.isPartial = true;
}

/**
 * Takes note of a line.
 *
 * @param bytes where its text lies
 * @param from when the recording began, ns; undefined while it has not
 * @returns undefined for one that tells of no range, or of one that does not count: where a caller may not
 *   sleep, the range changes nothing (reference §1.4), and has no end where it was refused
 */
export function noteRange(
  ranges: OpenRanges,
  line: EventLine,
  bytes: Uint8Array,
  from?: bigint,
): RangeLineOrder | undefined {
  if (!RANGE_KINDS.has(line.kind) || line.words[2 * SLOT.blockable] === 0) return undefined;
  const kept = keptLine(line, bytes);
  const range = rangeOf(kept);
  const lines = ranges.linesOf.get(range) ?? [];
  const order = orderOf(lines, kept, from ?? 0n);
  lines.push(kept);
  if (isWhole(lines)) ranges.linesOf.delete(range);
  else ranges.linesOf.set(range, lines);
  if (ranges.linesOf.size > MAX_OPEN) forgetOldest(ranges);
  if (lines.length > MAX_LINES) forgetRanges(ranges);
  return order;
}

/** What tells of the ranges whose beginning has come: those of each in the order in which they happened. */
export function linesOfBegun({ linesOf }: OpenRanges): KeptLine[] {
  const begun = [...linesOf.values()].filter((lines) => countOf(lines, START) > 0);
  return begun.flatMap(inOrder);
}

/** All of it, in the order in which it happened. */
export function linesOfAll({ linesOf }: OpenRanges): KeptLine[] {
  return inOrder([...linesOf.values()].flat());
}

function inOrder(lines: readonly KeptLine[]): KeptLine[] {
  return lines.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

function orderOf(
  before: readonly KeptLine[],
  { line, time }: KeptLine,
  from: bigint,
): RangeLineOrder {
  const isBegun = isBegunBefore(before, time);
  if (line.kind !== START && !isBegun) return 'waits';
  // Ranges of one thread that are alike cannot be told apart: out of order a line may be of either.
  const isOvertaken = before.some(
    (other) =>
      other.time < from &&
      (other.time > time ||
        // An end from before whose beginning was taken for that of another.
        (line.kind === START && isEnd(other.line.kind) && !isBegunBefore(before, other.time))),
  );
  return isOvertaken ? 'overtaken' : 'follows';
}

/**
 * Whether an end is known whose beginning is not: it may still come from a CPU that lags, or was taken for that
 * of another range of the thread.
 */
export function hasOrphans({ linesOf }: OpenRanges): boolean {
  return [...linesOf.values()].some((lines) =>
    lines.some(({ line, time }) => isEnd(line.kind) && !isBegunBefore(lines, time)),
  );
}

function isBegunBefore(lines: readonly KeptLine[], time: bigint): boolean {
  return lines.some((other) => other.line.kind === START && other.time <= time);
}

/**
 * Forgets ranges that are over, now that all up to a time has been told. Not as their lines come: a CPU that
 * lags may hold an end and a beginning between them.
 */
export function settleRanges(ranges: OpenRanges, until: bigint): void {
  for (const [range, lines] of ranges.linesOf) {
    const later = lines.filter(({ time }) => time > until);
    const known = inOrder(lines.filter(({ time }) => time <= until));
    while (removeOver(known));
    if (known[0] !== undefined && isEnd(known[0].line.kind)) {
      // Its beginning was taken for that of another one.
      ranges.isPartial = true;
      ranges.linesOf.delete(range);
    } else if (known.length + later.length === 0) ranges.linesOf.delete(range);
    else ranges.linesOf.set(range, [...known, ...later]);
  }
}

const isEnd = (kind: number): boolean => kind === END || kind === END_RETURN;

/** Takes away one range that is over: the call that ends it has returned. Returns whether there was one. */
function removeOver(ordered: KeptLine[]): boolean {
  const end = ordered.find(({ line }) => line.kind === END);
  if (end === undefined) return false;
  const until = end.time;
  const returned = ordered.find(({ line, time }) => line.kind === END_RETURN && time >= until);
  const start = ordered.findLast(({ line, time }) => line.kind === START && time <= until);
  if (returned === undefined || start === undefined) return false;
  const begun = ordered.find(
    ({ line, time }) => line.kind === START_RETURN && time >= start.time && time <= until,
  );
  for (const over of [start, begun, end, returned])
    if (over !== undefined) ordered.splice(ordered.indexOf(over), 1);
  return true;
}

/** The usual case: one range from its beginning to its end, on one CPU and in order. */
function isWhole(lines: readonly KeptLine[]): boolean {
  return (
    lines.length === WHOLE.length &&
    lines.every(({ line }, at) => line.kind === WHOLE[at] && line.cpu === lines[0].line.cpu)
  );
}

const WHOLE = [START, START_RETURN, END, END_RETURN];

function forgetOldest(ranges: OpenRanges): void {
  const [oldest] = ranges.linesOf.keys();
  if (oldest !== undefined) ranges.linesOf.delete(oldest);
  ranges.isPartial = true;
}

function countOf(lines: readonly KeptLine[], kind: number): number {
  let count = 0;
  for (const { line } of lines) if (line.kind === kind) count++;
  return count;
}

/** A line that lasts: `line` and `bytes` are reused. */
export function keptLine(line: EventLine, bytes: Uint8Array): KeptLine {
  const { kind, cpu, absent, words, restStart, restEnd } = line;
  const text = bytes.slice(restStart, restEnd);
  const copy = { ...createEventLine(), kind, cpu, absent, restEnd: text.length };
  copy.words.set(words);
  return { line: copy, text, time: timeOfLine(line) };
}

/** What is the same in all lines of a range: whose memory it is, and what the model pairs ranges by. */
function rangeOf({ line: { words }, text }: KeptLine): string {
  const values = RANGE_WORDS.map((word) => words[word]);
  return `${values.join(' ')} ${Buffer.from(text).toString('latin1')}`;
}

/** Those of numbers; the name is the text of the line. */
const RANGE_WORDS = (['owner', ...RANGE_IDENTITY] as const)
  .filter((field) => field !== 'comm')
  .flatMap((field) => [2 * SLOT[field], 2 * SLOT[field] + 1]);
