/** The result of `replay explain`, as `--json` prints it. */
import {
  AMBIGUOUS,
  AREA_OF_ACCESSOR,
  ACCESSORS,
  AREAS,
  decisionOf,
  EVENT_NAMES,
  INVALIDATION_CAUSES,
  OUTCOME_MEANING,
  OUTCOME_NAMES,
  type AreaSnapshot,
  type CallbackSnapshot,
  type VirtqueueSnapshot,
} from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import { derivedAccesses, describeDerived } from './explain-derived.js';
import { countMoved } from './count-moved.js';
import { boundOf, widthReasons } from './explain-reasons.js';
import type { Explained, Happening, Since } from './explain-trace.js';
import { headOf, resultHead } from './result-head.js';
import type { Replayed } from './replay-trace.js';

const count = z.number().int().nonnegative();
const integer = z.number().int();
/** Least and greatest; null where nothing bounds it. */
const interval = z.tuple([integer.nullable(), integer.nullable()]);

const happening = z.object({
  recording: count,
  /** Line of the input, from 1. */
  line: count,
  /** ns, CLOCK_BOOTTIME, decimal. */
  time: z.string(),
  cpu: count,
  event: z.string(),
  vq: count,
  accessor: z.string().nullable(),
  area: z.string().nullable(),
  /** What the kernel decided: of an access, or of an attempt to map; null where that was not seen. */
  observed: z.string().nullable(),
  /** Accesses that the event stands for. */
  n: count,
});
export type HappeningResult = z.infer<typeof happening>;

const area = z.object({
  area: z.string(),
  /** What an access would become by the map alone. */
  map: z.string(),
  /** Why, in words. */
  reason: z.string(),
  /** The event that showed it; null when it was so from the beginning. */
  since: z.object({ line: count, time: z.string(), event: z.string() }).nullable(),
  /** First and last byte of the area, hex; null when it has none or it is not known. */
  range: z.tuple([z.string(), z.string()]).nullable(),
  /** The attempt of a round that is not judged yet: the counts that it may have met. */
  attempt: z.object({ invalidate_count: interval, pages: z.string().nullable() }).nullable(),
});
export type AreaResult = z.infer<typeof area>;

const callback = z.object({
  event: z.enum(['range_start', 'range_end']),
  dev: count,
  line: count,
  time: z.string(),
  cpu: count,
  /** Another one like it has returned, and nobody knows which: place and time may be of that one. */
  one_of_several: z.boolean(),
  pid: count,
  /** Of a traced host: not for a terminal. */
  comm: z.string(),
  cause: z.string(),
  /** User addresses, hex; `end` is exclusive for the memory manager. */
  start: z.string(),
  end: z.string(),
  /** done: surely; may: it may have happened; perhaps: it may also never happen. */
  effects: z.array(z.object({ vq: count, area: z.string(), state: z.string() })),
  /** What would show that its effects have happened, in words. */
  bounds: z.array(z.string()),
});
export type CallbackResult = z.infer<typeof callback>;

const state = z.object({
  dev: count.nullable(),
  notifier: z.enum(['registered', 'unregistered', 'unknown']),
  iotlb: z.boolean(),
  /** Callbacks may be under way that were entered before anything was known. */
  unseen_callbacks: z.boolean(),
  invalidate_count: interval,
  /** Why that interval is as wide as it is, in words; empty where it is one value. */
  width: z.array(z.string()),
  areas: z.array(area),
  callbacks: z.array(callback),
});
export type StateResult = z.infer<typeof state>;

export const explainResultSchema = resultHead.extend({
  vq: count,
  event: happening,
  /** Number of an access in time order, from 1; the last one where the event stands for several. */
  access: z.string().nullable(),
  /** What the design makes of an access, or of an attempt to map; null of other events. */
  predicted: z
    .object({
      decision: z.enum(['hit', 'fallback', 'iotlb', 'ambiguous', 'refused', 'tried', 'mapped']),
      /** The reason of a fallback; null otherwise. */
      outcome: z.string().nullable(),
      reason: z.string(),
    })
    .nullable(),
  /** Of a stock host: the accesses that follow from the event, by accessor; else, and of other events, empty. */
  derived: z.array(derivedAccesses),
  /** What last moved invalidate_count off 0; null where it is surely 0. */
  count_moved: countMoved.nullable(),
  before: state,
  after: state,
  /** The last round that began, as far as the event; null when none did since the ring was set up. */
  round: z.object({ begin: happening, attempts: z.array(happening), accesses: count }).nullable(),
  /** The last events that touched the maps or the count, oldest first. */
  history: z.array(
    z.object({
      line: count,
      time: z.string(),
      cpu: count,
      event: z.string(),
      area: z.string().nullable(),
      invalidate_count: z.tuple([integer, integer]),
    }),
  ),
});
export type ExplainResult = z.infer<typeof explainResultSchema>;

export function explainResult(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
  explained: Explained,
): ExplainResult {
  const { before, after, since, round } = explained;
  return {
    ...headOf(trace, replayed, completeness),
    vq: after.vq,
    event: describeHappening(explained.event),
    access: explained.number === undefined ? null : String(explained.number),
    predicted: predictedOf(explained),
    derived: describeDerived(explained),
    count_moved: explained.countMoved ?? null,
    before: describeState(before, []),
    after: describeState(after, since),
    round:
      round === undefined
        ? null
        : {
            begin: describeHappening(round.begin),
            attempts: round.attempts.map(describeHappening),
            accesses: round.accesses,
          },
    history: after.history.map(({ line, time, cpu, kind, area: number, countLow, countHigh }) => ({
      line,
      time: String(time),
      cpu,
      event: EVENT_NAMES[kind] ?? String(kind),
      area: AREAS[number] ?? null,
      invalidate_count: [countLow, countHigh],
    })),
  };
}

const OBSERVED_DECISIONS = ['fallback', 'hit', 'iotlb'];

function describeHappening(found: Happening): HappeningResult {
  const { observed, time, accessor } = found;
  const words =
    found.event === 'access'
      ? OBSERVED_DECISIONS[observed ?? -1]
      : observed === undefined
        ? undefined
        : observed === -14
          ? 'refused (result -14)'
          : `tried (result ${observed})`;
  return {
    ...found,
    time: String(time),
    accessor: accessor ?? null,
    area: found.area ?? null,
    observed: words ?? null,
  };
}

function predictedOf({ event, outcome, before, after }: Explained): ExplainResult['predicted'] {
  if (event.event === 'prefetch') return predictedAttempt(event, before);
  if (event.accessor === undefined) return null;
  const number = AREA_OF_ACCESSOR[ACCESSORS.findIndex((name) => name === event.accessor)] ?? 0;
  const snapshot = after.areas[number];
  const code = outcome === undefined || outcome < 0 ? (snapshot?.map ?? AMBIGUOUS) : outcome;
  const name = OUTCOME_NAMES[code] ?? '';
  const decision = decisionOf(code);
  return {
    decision,
    outcome: decision === 'fallback' ? name : null,
    reason:
      decision === 'ambiguous'
        ? (snapshot?.doubt ?? OUTCOME_MEANING[name] ?? '')
        : (OUTCOME_MEANING[name] ?? ''),
  };
}

function predictedAttempt(event: Happening, before: VirtqueueSnapshot): ExplainResult['predicted'] {
  const snapshot = before.areas.find(({ area: number }) => AREAS[number] === event.area);
  if (snapshot !== undefined && OUTCOME_NAMES[snapshot.map] === 'hit')
    return { decision: 'mapped', outcome: null, reason: 'the area has a map: nothing to attempt' };
  const { least = -Infinity, most = Infinity } = before.count;
  if (least > 0 || most < 0)
    return { decision: 'refused', outcome: null, reason: OUTCOME_MEANING['refused_count'] ?? '' };
  if (least === 0 && most === 0)
    return { decision: 'tried', outcome: null, reason: 'invalidate_count is 0' };
  return {
    decision: 'ambiguous',
    outcome: null,
    reason: 'invalidate_count may be 0 or not: the attempt may be tried or refused',
  };
}

function describeState(
  snapshot: VirtqueueSnapshot,
  since: readonly (Since | undefined)[],
): StateResult {
  const { count: bounds } = snapshot;
  return {
    dev: snapshot.dev ?? null,
    notifier: snapshot.notifier,
    iotlb: snapshot.iotlb,
    unseen_callbacks: snapshot.mayHaveUnseen,
    invalidate_count: [bounds.least ?? null, bounds.most ?? null],
    width: widthReasons(snapshot),
    areas: snapshot.areas.map((found) => describeArea(found, since[found.area])),
    callbacks: snapshot.callbacks.map((found) => describeCallback(snapshot, found)),
  };
}

function describeArea(found: AreaSnapshot, since: Since | undefined): AreaResult {
  const { range, attempt, doubt } = found;
  const name = OUTCOME_NAMES[found.map] ?? '';
  return {
    area: AREAS[found.area] ?? '',
    map: name,
    reason: doubt ?? OUTCOME_MEANING[name] ?? '',
    since:
      since === undefined
        ? null
        : { line: since.line, time: String(since.time), event: since.event },
    range: range === undefined || range === null ? null : [hex(range.first), hex(range.last)],
    attempt:
      attempt === undefined
        ? null
        : {
            invalidate_count: [attempt.least ?? null, attempt.most ?? null],
            pages: attempt.pages === undefined ? null : (OUTCOME_NAMES[attempt.pages] ?? null),
          },
  };
}

function describeCallback(snapshot: VirtqueueSnapshot, found: CallbackSnapshot): CallbackResult {
  return {
    event: found.isStart ? 'range_start' : 'range_end',
    dev: found.dev,
    line: found.line,
    time: String(found.time),
    cpu: found.cpu,
    one_of_several: found.isOneOfSeveral,
    pid: found.pid,
    comm: found.comm,
    cause: INVALIDATION_CAUSES[found.cause] ?? String(found.cause),
    start: hex(found.start),
    end: hex(found.end),
    effects: found.effects.map(({ vq, area: number, state: how }) => ({
      vq,
      area: AREAS[number] ?? '',
      state: how,
    })),
    bounds: boundOf(snapshot, found),
  };
}

function hex(address: bigint): string {
  return `0x${BigInt.asUintN(64, address).toString(16)}`;
}
