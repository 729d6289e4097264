/**
 * The rings of a recording under way, as far as events say what holds until it is said anew. It is told
 * again where a trace begins and the rings are there already.
 */
import { createEventLine, KIND, SLOT, TIME_SLOT, type EventLine } from '@vhostscope/model';
import { appendLine, type EventBuilder } from './event-builder.js';

/** The latest line of each kind, by virtqueue and area. */
export type RingState = Map<string, EventLine>;

/** Not what is true of a moment only: a reset, or the registration of a notifier. */
const RING_KINDS: ReadonlySet<number> = new Set([KIND.addresses, KIND.iotlb]);

/**
 * Takes note of an event whose `vq` is an id.
 *
 * @returns whether it says something of the rings that holds from then on
 */
export function noteRingState(state: RingState, line: EventLine): boolean {
  const { kind, cpu, absent, words } = line;
  const vq = words[2 * SLOT.vq];
  if (kind === KIND.reset) {
    for (const key of state.keys()) if (key.startsWith(`${vq} `)) state.delete(key);
  }
  if (!RING_KINDS.has(kind)) return false;
  const area = kind === KIND.addresses ? words[2 * SLOT.area] : '';
  const copy = { ...createEventLine(), kind, cpu, absent };
  copy.words.set(words);
  state.set(`${vq} ${kind} ${area}`, copy);
  return true;
}

/** Tells a line of the state again, at a time of its own. */
export function appendRingLine(builder: EventBuilder, line: EventLine, time: bigint): void {
  const { words } = line;
  words[2 * TIME_SLOT] = Number(time & 0xffff_ffffn);
  words[2 * TIME_SLOT + 1] = Number(time >> 32n);
  appendLine(builder, line, NO_BYTES, 0);
}

/** Such lines have no text. */
const NO_BYTES = new Uint8Array(0);
