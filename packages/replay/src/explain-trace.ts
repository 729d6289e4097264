/** Feeds an engine up to one event, and notes what a virtqueue went through until then. */
import {
  ACCESSORS,
  accessOutcomes,
  AREAS,
  EVENT_NAMES,
  KIND,
  NO_ACCESSOR,
  NOT_OBSERVED,
  timeAt,
  type Engine,
  type EventBatch,
  type VirtqueueSnapshot,
} from '@vhostscope/model';
import { visitTrace, type OpenTrace } from '@vhostscope/trace';
import { takeDerived, takeDoubt, type DerivedAccesses } from './derived-accesses.js';
import { createCountWatch, watchCount, type CountMoved, type CountWatch } from './count-moved.js';
import type { Target } from './explain-target.js';
import { engineOf, type Replayed } from './replay-trace.js';

/** An event of the virtqueue. */
export interface Happening {
  readonly recording: number;
  readonly line: number;
  readonly time: bigint;
  readonly cpu: number;
  readonly event: string;
  readonly vq: number;
  readonly accessor: string | undefined;
  readonly area: string | undefined;
  /** As it was seen: `observed` of an access, `result` of an attempt. */
  readonly observed: number | undefined;
  /** How many accesses it stands for. */
  readonly n: number;
}

/** Where the map of an area came to be as it is. */
export interface Since {
  readonly line: number;
  readonly time: bigint;
  readonly event: string;
}

export interface Round {
  readonly begin: Happening;
  readonly attempts: readonly Happening[];
  readonly accesses: number;
}

export interface Explained {
  readonly event: Happening;
  /** Number of the access among those of the trace, from 1; undefined when it is no access. */
  readonly number: bigint | undefined;
  /** Of a stock host: accesses that follow from the event, and why, where they are ambiguous for one reason. */
  readonly derived: readonly DerivedAccesses[];
  readonly doubt: number | undefined;
  /** Outcome that the engine counted for an access. */
  readonly outcome: number | undefined;
  readonly before: VirtqueueSnapshot;
  readonly after: VirtqueueSnapshot;
  readonly since: readonly (Since | undefined)[];
  /** The last round that began, with what was seen of it; the event included. */
  readonly round: Round | undefined;
  /** Undefined while the count is 0. */
  readonly countMoved: CountMoved | undefined;
}

interface Progress {
  place: number;
  recording: number;
  accesses: bigint;
  maps: number[];
  since: (Since | undefined)[];
  round: { begin: Happening; attempts: Happening[]; accesses: number } | undefined;
  readonly count: CountWatch;
  explained: Explained | undefined;
}

export function explainTrace(trace: OpenTrace, replayed: Replayed, target: Target): Explained {
  const engine = engineOf(replayed);
  const progress: Progress = {
    place: 0,
    recording: -1,
    accesses: 0n,
    maps: AREAS.map((_, area) => engine.mapOf(target.vq, area)),
    since: AREAS.map(() => undefined),
    round: undefined,
    count: createCountWatch(),
    explained: undefined,
  };
  visitTrace(trace.fd, trace.index, (batch, from, to) => {
    for (let i = from; i < to && progress.explained === undefined; i++)
      step(engine, progress, batch, i, target);
  });
  if (progress.explained === undefined) throw new Error('the event was found, and is gone');
  return progress.explained;
}

function step(
  engine: Engine,
  progress: Progress,
  batch: EventBatch,
  i: number,
  { vq, place }: Target,
): void {
  const kind = batch.kind[i] ?? 0;
  if (kind === KIND.recording) progress.recording++;
  if (kind === KIND.access) progress.accesses += BigInt(batch.n[i] ?? 0);
  if (progress.place++ < place) {
    engine.consume(batch, i, i + 1);
    follow(engine, progress, batch, i, vq);
    return;
  }
  const before = engine.inspect(vq);
  // What was counted until now is not of this event.
  takeDerived(engine, vq);
  takeDoubt(engine);
  const counts = outcomesOf(engine, batch, i);
  engine.consume(batch, i, i + 1);
  follow(engine, progress, batch, i, vq);
  const isAccess = kind === KIND.access;
  const counted = outcomesOf(engine, batch, i);
  progress.explained = {
    event: happening(progress, batch, i),
    number: isAccess ? progress.accesses : undefined,
    outcome: isAccess ? counted.findIndex((count, at) => count !== (counts[at] ?? 0)) : undefined,
    derived: takeDerived(engine, vq),
    doubt: takeDoubt(engine),
    before,
    after: engine.inspect(vq),
    since: progress.since,
    round: progress.round,
    countMoved: progress.count.moved,
  };
}

/** How the accesses of event `i`'s kind have been counted so far, by outcome. */
function outcomesOf({ tallies }: Engine, batch: EventBatch, i: number): number[] {
  return accessOutcomes(tallies, batch.vq[i] ?? 0, batch.accessor[i] ?? 0);
}

/** Notes what event `i` was to the virtqueue. */
function follow(
  engine: Engine,
  progress: Progress,
  batch: EventBatch,
  i: number,
  vq: number,
): void {
  const kind = batch.kind[i];
  watchCount(progress.count, engine, batch, i, vq);
  if (batch.vq[i] === vq) {
    if (kind === KIND.round)
      progress.round = { begin: happening(progress, batch, i), attempts: [], accesses: 0 };
    if (kind === KIND.unmap || kind === KIND.reset) progress.round = undefined;
    const { round } = progress;
    if (round !== undefined && kind === KIND.prefetch)
      round.attempts.push(happening(progress, batch, i));
    if (round !== undefined && kind === KIND.access) round.accesses += batch.n[i] ?? 0;
  }
  for (let area = 0; area < AREAS.length; area++) {
    const map = engine.mapOf(vq, area);
    if (map === progress.maps[area]) continue;
    progress.maps[area] = map;
    const { line, time, event } = happening(progress, batch, i);
    progress.since[area] = { line, time, event };
  }
}

function happening({ recording }: Progress, batch: EventBatch, i: number): Happening {
  const kind = batch.kind[i] ?? 0;
  const detail = batch.detail[i] ?? 0;
  const isAccess = kind === KIND.access;
  const accessor = batch.accessor[i] ?? NO_ACCESSOR;
  const observed = batch.observed[i] ?? NOT_OBSERVED;
  const hasArea = WITH_AREA.has(kind);
  return {
    recording: Math.max(0, recording),
    line: batch.line[i] ?? 0,
    time: timeAt(batch, i),
    cpu: batch.cpu,
    event: EVENT_NAMES[kind] ?? String(kind),
    vq: batch.vq[i] ?? 0,
    accessor: isAccess ? ACCESSORS[accessor] : undefined,
    area: hasArea ? AREAS[batch.details.area[detail] ?? 0] : undefined,
    observed: isAccess
      ? observed === NOT_OBSERVED
        ? undefined
        : observed
      : kind === KIND.prefetch
        ? batch.details.result[detail]
        : undefined,
    n: isAccess ? (batch.n[i] ?? 0) : 0,
  };
}

const WITH_AREA: ReadonlySet<number> = new Set([
  KIND.prefetch,
  KIND.effect_start,
  KIND.effect_end,
  KIND.addresses,
]);
