/** What a storm was made of. */

/** A range over a ring, as its beginning tells it. */
export interface Invalidation {
  readonly time: bigint;
  readonly line: number;
  readonly cause: number;
  /** Number of the kernel stack; undefined when it was not recorded. */
  readonly stack: bigint | undefined;
  readonly pid: number;
  readonly comm: string;
  readonly virtqueues: readonly number[];
  /** What the caller counts, as it was then. */
  readonly sample: readonly number[];
  /** Time that ranges had been under way until then, ns. */
  readonly downBefore: bigint;
  /** When it ended; undefined while it is under way. */
  ended: bigint | undefined;
}

/** Places by which a number can be traced back to events: line of the input, ns. */
export interface EventMark {
  readonly line: number;
  readonly time: bigint;
}

export interface Culprit {
  readonly pid: number;
  /** As recorded: escaped by the recording program, and not to be trusted beyond that. */
  readonly comm: string;
  ranges: number;
}

export interface Storm {
  /** From 1, in the order in which they were noticed. */
  readonly number: number;
  readonly recording: number;
  readonly dev: number;
  /** ns: from the beginning of its first range to the last event at which it was a storm. */
  begin: bigint;
  end: bigint;
  /** ns: when it was found to be one, which is later than its first range. */
  readonly noticed: bigint;
  isOver: boolean;
  ranges: number;
  /** What made it one: as many ranges in a second, or ranges under way for too much of it. */
  isByRate: boolean;
  isByDown: boolean;
  /** Time in it that ranges were under way, ns. */
  down: bigint;
  /** Ranges by enum mmu_notifier_event. */
  readonly causes: Map<number, number>;
  /** Ranges by stack; those without one, or beyond MOST_STACKS, are not here. */
  readonly stacks: Map<bigint, number>;
  readonly culprits: Map<string, Culprit>;
  /** Ranges of those that `culprits` has no room for. */
  otherCulprits: number;
  /** Ranges by virtqueue that they came over. */
  readonly virtqueues: Map<number, number>;
  /** The events that it begins and ends with, in time. */
  readonly first: EventMark;
  last: EventMark;
  /** Least and most line of its events: those of several CPUs stand in no order. */
  readonly lines: [least: number, most: number];
  /** What the caller counted in the storm. */
  counted: readonly number[];
}

const MOST_CULPRITS = 32;
const MOST_STACKS = 64;

export function createStorm(
  number: number,
  recording: number,
  dev: number,
  { time, line }: Invalidation,
  noticed: bigint,
): Storm {
  return {
    number,
    recording,
    dev,
    begin: time,
    end: time,
    noticed,
    isOver: false,
    ranges: 0,
    isByRate: false,
    isByDown: false,
    down: 0n,
    causes: new Map(),
    stacks: new Map(),
    culprits: new Map(),
    otherCulprits: 0,
    virtqueues: new Map(),
    first: { line, time },
    last: { line, time },
    lines: [line, line],
    counted: [],
  };
}

/** An event of the storm, none before the last one in time. */
export function markEvent(storm: Storm, line: number, time: bigint): void {
  storm.last = { line, time };
  storm.lines[0] = Math.min(storm.lines[0], line);
  storm.lines[1] = Math.max(storm.lines[1], line);
}

/** A range belongs to the storm. */
export function addToStorm(storm: Storm, range: Invalidation): void {
  markEvent(storm, range.line, range.time);
  storm.ranges++;
  add(storm.causes, range.cause);
  for (const vq of range.virtqueues) add(storm.virtqueues, vq);
  const { stack, pid, comm } = range;
  if (stack !== undefined && (storm.stacks.has(stack) || storm.stacks.size < MOST_STACKS))
    add(storm.stacks, stack);
  const key = `${pid} ${comm}`;
  const culprit = storm.culprits.get(key);
  if (culprit !== undefined) culprit.ranges++;
  else if (storm.culprits.size < MOST_CULPRITS) storm.culprits.set(key, { pid, comm, ranges: 1 });
  else storm.otherCulprits++;
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
