/**
 * The rings of a recording under way, as far as events say what holds until it is said anew. It is told
 * again where a trace begins and the rings are there already.
 *
 * A round under way is not told again: it began with what was mapped then, and ranges may have come and
 * gone since. A reader that sees only its end takes it for one whose begin was not seen.
 */
import {
  createEventLine,
  KIND,
  SLOT,
  TIME_SLOT,
  timeOfLine,
  type EventLine,
} from '@vhostscope/model';
import { appendLine, type EventBuilder, type EventValues } from './event-builder.js';
import { createOpenRanges, settleRanges, type KeptLine, type OpenRanges } from './open-ranges.js';

export interface RingState {
  /** The latest line of each kind, by virtqueue and area, or by device. */
  readonly rings: Map<string, EventLine>;
  readonly ranges: OpenRanges;
  /** Times of the latest heartbeats, ns, by CPU: what a CPU tells from now on came later. */
  readonly heard: Map<number, bigint>;
  /** Kernel stacks that ranges name from now on, too: each is told once. The oldest first. */
  readonly stacks: ToldStack[];
}

/** A `stack` event and the CPU that it was told on. */
export interface ToldStack {
  readonly cpu: number;
  readonly values: EventValues;
}

export function createRingState(): RingState {
  return { rings: new Map(), ranges: createOpenRanges(), heard: new Map(), stacks: [] };
}

/** More than one host has ways to an invalidation. A range without its stack is of an unknown cause. */
const MOST_STACKS = 3000;

/** Takes note of a stack that was told. */
export function noteStack({ stacks }: RingState, stack: ToldStack): void {
  if (stacks.length < MOST_STACKS) stacks.push(stack);
}

/**
 * Takes note of an event whose `vq` and `dev` are ids.
 *
 * @returns whether what holds from then on is another than before
 */
export function noteRingState(state: RingState, line: EventLine): boolean {
  const { rings, heard } = state;
  const { kind, cpu, words } = line;
  const vq = words[2 * SLOT.vq];
  switch (kind) {
    case KIND.heartbeat:
      heard.set(cpu, timeOfLine(line));
      settleRanges(state.ranges, earliest(heard.values()));
      return false;
    case KIND.reset:
      return forgetRing(rings, vq);
    case KIND.addresses:
      // Told when the ioctl returns: what it drops is dropped.
      rings.delete(`${vq} ${KIND.unmap}`);
      keep(rings, `${vq} ${kind} ${words[2 * SLOT.area]}`, line);
      return true;
    case KIND.notifier:
      return noteNotifier(rings, line);
    case KIND.iotlb:
    case KIND.unmap:
      keep(rings, `${vq} ${kind}`, line);
      return true;
    default:
      return false;
  }
}

function forgetRing(rings: Map<string, EventLine>, vq: number): boolean {
  const before = rings.size;
  for (const key of rings.keys()) if (key.startsWith(`${vq} `)) rings.delete(key);
  return rings.size < before;
}

/** While its notifier is off, a ring of a device is being set up; that it is on is what is to be expected. */
function noteNotifier(rings: Map<string, EventLine>, line: EventLine): boolean {
  const key = `dev ${line.words[2 * SLOT.dev]}`;
  if (line.words[2 * SLOT.registered] === 0) keep(rings, key, line);
  else return rings.delete(key);
  return true;
}

/** The last of a key stands last: what was told after something else is told after it again. */
function keep(rings: Map<string, EventLine>, key: string, line: EventLine): void {
  const { kind, cpu, absent, words } = line;
  const copy = { ...createEventLine(), kind, cpu, absent };
  copy.words.set(words);
  rings.delete(key);
  rings.set(key, copy);
}

/** The least of times; there is one at least. */
export function earliest(times: Iterable<bigint>): bigint {
  return [...times].reduce((first, time) => (time < first ? time : first));
}

/** Tells a line of the state again, at a time of its own. */
export function appendRingLine(builder: EventBuilder, line: EventLine, time: bigint): void {
  appendAgain(builder, line, NO_BYTES, time, 0);
}

/**
 * Tells a line of a range again.
 *
 * @param place among the lines told again at that time, from 1 on: lines of several CPUs at one time are
 *   merged by their numbers, and those of the rings have none
 */
export function appendRangeLine(
  builder: EventBuilder,
  { line, text }: KeptLine,
  time: bigint,
  place: number,
): void {
  appendAgain(builder, line, text, time, place);
}

function appendAgain(
  builder: EventBuilder,
  line: EventLine,
  text: Uint8Array,
  time: bigint,
  lineNumber: number,
): void {
  const { words } = line;
  words[2 * TIME_SLOT] = Number(time & 0xffff_ffffn);
  words[2 * TIME_SLOT + 1] = Number(time >> 32n);
  appendLine(builder, line, text, lineNumber);
}

/** Lines of rings have no text. */
const NO_BYTES = new Uint8Array(0);
