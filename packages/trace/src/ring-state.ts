/**
 * The rings of a recording under way, as far as events say what holds until it is said anew. It is told
 * again where a trace begins and the rings are there already.
 *
 * A round under way is not told again: it began with what was mapped then, and ranges may have come and
 * gone since. A reader that sees only its end takes it for one whose begin was not seen.
 */
import {
  AREAS,
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
  /**
   * When each key was told of last, ns, and each virtqueue reset: lines of several CPUs do not come in order,
   * and an older one says nothing any more.
   */
  readonly toldAt: Map<string, bigint>;
  readonly ranges: OpenRanges;
  /** Whether no line is missing that could have told where a ring lies. */
  readonly knowsRings: () => boolean;
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

/** @param knowsRings asked when the state is told; what was lost may be of rings, unless it says otherwise */
export function createRingState(knowsRings: () => boolean = () => false): RingState {
  return {
    rings: new Map(),
    toldAt: new Map(),
    knowsRings,
    ranges: createOpenRanges(),
    heard: new Map(),
    stacks: [],
  };
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
  const { heard } = state;
  const { kind, cpu, words } = line;
  const vq = words[2 * SLOT.vq];
  switch (kind) {
    case KIND.heartbeat:
      hearCpu(heard, cpu, timeOfLine(line));
      settleRanges(state.ranges, earliest(heard.values()));
      return false;
    case KIND.reset:
      return forgetRing(state, vq, timeOfLine(line));
    case KIND.addresses:
      if (!keep(state, vq, `${kind} ${words[2 * SLOT.area]}`, line)) return false;
      // Told when the ioctl returns: what it drops is dropped.
      state.rings.delete(`${vq} ${KIND.unmap}`);
      return true;
    case KIND.notifier:
      return noteNotifier(state, line);
    case KIND.iotlb:
    case KIND.unmap:
      return keep(state, vq, String(kind), line);
    default:
      return false;
  }
}

/** A CPU that has said nothing for so long, ns, while others have, is offline: nobody waits for it. */
const SILENT_NS = 60_000_000_000n;

function hearCpu(heard: Map<number, bigint>, cpu: number, time: bigint): void {
  heard.set(cpu, time);
  for (const [other, last] of heard) if (last < time - SILENT_NS) heard.delete(other);
}

/** Whether what a key says at a time is not older than what it has said already. */
function isNews({ toldAt }: RingState, key: string, time: bigint): boolean {
  if ((toldAt.get(key) ?? 0n) > time) return false;
  toldAt.set(key, time);
  return true;
}

function forgetRing(state: RingState, vq: number, time: bigint): boolean {
  if (!isNews(state, `${vq} reset`, time)) return false;
  const { rings } = state;
  const before = rings.size;
  // By their keys: of a host with hundreds of rings, all of them would be looked at for each that goes.
  for (const what of OF_VIRTQUEUE) {
    const key = `${vq} ${what}`;
    const line = rings.get(key);
    if (line !== undefined && timeOfLine(line) <= time) rings.delete(key);
  }
  return rings.size < before;
}

/** What is kept of a virtqueue, as `keep` is told. */
const OF_VIRTQUEUE: readonly string[] = [
  ...AREAS.map((_, area) => `${KIND.addresses} ${area}`),
  String(KIND.iotlb),
  String(KIND.unmap),
];

/** While its notifier is off, a ring of a device is being set up; that it is on is what is to be expected. */
function noteNotifier(state: RingState, line: EventLine): boolean {
  const key = `dev ${line.words[2 * SLOT.dev]}`;
  if (!isNews(state, key, timeOfLine(line))) return false;
  if (line.words[2 * SLOT.registered] !== 0) return state.rings.delete(key);
  copyInto(state.rings, key, line);
  return true;
}

function keep(state: RingState, vq: number, what: string, line: EventLine): boolean {
  const key = `${vq} ${what}`;
  const time = timeOfLine(line);
  if ((state.toldAt.get(`${vq} reset`) ?? 0n) > time || !isNews(state, key, time)) return false;
  copyInto(state.rings, key, line);
  return true;
}

/** The last of a key stands last: what was told after something else is told after it again. */
function copyInto(rings: Map<string, EventLine>, key: string, line: EventLine): void {
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
  const again = { ...line, words: line.words.slice() };
  again.words[2 * TIME_SLOT] = Number(time & 0xffff_ffffn);
  again.words[2 * TIME_SLOT + 1] = Number(time >> 32n);
  appendLine(builder, again, text, lineNumber);
}

/** Lines of rings have no text. */
const NO_BYTES = new Uint8Array(0);
