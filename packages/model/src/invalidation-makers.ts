/**
 * Who makes the invalidations that touch rings, and why; needs no engine, as no design changes the answer.
 * Memory does not grow with the trace.
 */
import { commAt, hasDetail, wordsAt, type EventBatch } from './event-batch.js';
import { KIND } from './events.js';
import type { HostKind } from './engine-state.js';
import { kindTable } from './kind-table.js';
import { MOST_STACKS, noteStack, stackKey, type StackClasses } from './stack-classes.js';
import { createRingPlaces, isOverRing, notePlaces, type RingPlaces } from './storms/ring-places.js';
import { rangeStartOf } from './told-ranges.js';

export interface InvalidationMaker {
  readonly pid: number;
  /** As recorded, up to its first zero byte: escaped by the recording program, not to be trusted beyond that. */
  readonly comm: string;
  invalidations: number;
}

/** Blockable range starts over rings, each counted once however many rings it touches. */
export interface MadeInvalidations {
  readonly all: number;
  /** By enum mmu_notifier_event. */
  readonly byCause: ReadonlyMap<number, number>;
  /** By number of the class of the kernel stack; undefined where no stack was recorded. */
  readonly byClass: ReadonlyMap<number, number> | undefined;
  /** The most first. */
  readonly processes: readonly InvalidationMaker[];
  /** Invalidations of those for whom there was no room. */
  readonly others: number;
}

export interface InvalidationMakers {
  /** Looks at the events from `from` to before `to`, which follow those before in time. */
  consume(batch: EventBatch, from: number, to: number): void;
  /** Whether what follows is counted; at first it is. */
  count(isCounted: boolean): void;
  made(): MadeInvalidations;
}

const MOST_PROCESSES = 4096;
/** The class `unknown`. */
const UNKNOWN = 0;

interface State {
  /** The event that tells of a range. */
  readonly rangeStart: number;
  rings: RingPlaces;
  recording: number;
  isCounted: boolean;
  all: number;
  readonly byCause: Map<number, number>;
  /** By recording and stack. A stack may be told after the ranges that it made. */
  readonly byStack: Map<string, number>;
  readonly classes: StackClasses;
  readonly processes: Map<string, InvalidationMaker>;
  others: number;
}

/** Kinds that are looked at; all others cost one look at a table, which is nearly every event (bench/). */
const WANTED = kindTable([
  KIND.recording,
  KIND.virtqueue,
  KIND.addresses,
  KIND.reset,
  KIND.stack,
  KIND.range_start,
  KIND.core_range_start,
]);

/**
 * @param host where vhost's own callbacks are told, they count; of a stock host, the memory manager's calls
 */
export function createInvalidationMakers(host: HostKind): InvalidationMakers {
  const state: State = {
    rangeStart: rangeStartOf(host),
    rings: createRingPlaces(),
    recording: -1,
    isCounted: true,
    all: 0,
    byCause: new Map(),
    byStack: new Map(),
    classes: new Map(),
    processes: new Map(),
    others: 0,
  };
  return {
    consume: (batch, from, to) => {
      const { kind } = batch;
      for (let i = from; i < to; i++) if (WANTED[kind[i]] === 1) see(state, batch, i);
    },
    count: (isCounted) => {
      state.isCounted = isCounted;
    },
    made: () => ({
      all: state.all,
      byCause: state.byCause,
      byClass: classesOf(state),
      processes: [...state.processes.values()].toSorted(
        (a, b) => b.invalidations - a.invalidations,
      ),
      others: state.others,
    }),
  };
}

function see(state: State, batch: EventBatch, i: number): void {
  const { details } = batch;
  const row = batch.detail[i];
  const kind = batch.kind[i];
  switch (kind) {
    case KIND.recording:
      state.rings = createRingPlaces();
      state.recording++;
      return;
    case KIND.stack:
      noteStack(state.classes, state.recording, batch, i);
      return;
    case KIND.range_start:
      if (kind === state.rangeStart) begins(state, batch, i, [details.dev[row]]);
      return;
    case KIND.core_range_start:
      if (kind === state.rangeStart)
        begins(state, batch, i, state.rings.devicesOfOwner.get(details.owner[row]) ?? []);
      return;
    default:
      notePlaces(state.rings, batch, i);
  }
}

function begins(state: State, batch: EventBatch, i: number, devices: Iterable<number>): void {
  const { details } = batch;
  const row = batch.detail[i];
  if (!state.isCounted || details.blockable[row] === 0) return;
  const start = wordsAt(details.start, row);
  const end = wordsAt(details.end, row);
  let touches = false;
  for (const dev of devices) touches ||= isOverRing(state.rings, dev, start, end);
  if (!touches) return;
  state.all++;
  add(state.byCause, details.cause[row]);
  if (hasDetail(details, row, 'stack')) {
    const key = stackKey(state.recording, wordsAt(details.stack, row));
    if (state.byStack.has(key) || state.byStack.size < MOST_STACKS) add(state.byStack, key);
  }
  const pid = details.pid[row];
  const comm = commAt(details.comm, row);
  const key = `${pid} ${comm}`;
  const known = state.processes.get(key);
  if (known !== undefined) known.invalidations++;
  else if (state.processes.size < MOST_PROCESSES)
    state.processes.set(key, { pid, comm, invalidations: 1 });
  else state.others++;
}

function classesOf({ byStack, classes, all }: State): Map<number, number> | undefined {
  if (byStack.size === 0) return undefined;
  const found = new Map<number, number>();
  let told = 0;
  for (const [stack, count] of byStack) {
    add(found, classes.get(stack) ?? UNKNOWN, count);
    told += count;
  }
  if (all > told) add(found, UNKNOWN, all - told);
  return found;
}

function add<Key>(counts: Map<Key, number>, key: Key, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
