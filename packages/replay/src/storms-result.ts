/** The result of `replay storms`, as `--json` prints it. */
import {
  estimateRate,
  INVALIDATION_CAUSES,
  INVALIDATION_CLASSES,
  SAMPLED_AMBIGUOUS,
  SAMPLED_FALLBACKS,
  SAMPLED_HEADS,
  SAMPLED_HITS,
  SAMPLED_IOTLB,
  type CountedDecisions,
  type EventMark,
  type Storm,
} from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import type { Cost } from './cost-result.js';
import { SAMPLED_TRANSMIT, type FoundStorms } from './find-storms.js';
import type { Replayed } from './replay-trace.js';
import { headOf, resultHead } from './result-head.js';
import { wrongCountsSchema, type WrongCounts } from './wrong-counts.js';

const count = z.number().int().nonnegative();
const rate = z.number().nonnegative();
/** ns, decimal. */
const time = z.string();

const mark = z.object({ line: count, time });

const storm = z.object({
  /** What `--from storm:N` takes. */
  number: count,
  recording: count,
  dev: count,
  begin: time,
  end: time,
  /** s from the first event of the trace, and s. */
  begins_after: rate,
  lasts: rate,
  /** Blockable ranges over a ring of the device. */
  ranges: count,
  /** What made it a storm: ranges came too often, or were under way too long. */
  by: z.array(z.enum(['rate', 'down'])),
  /** s in which a range over a ring was under way, so that no map of the ring could be built. */
  down: rate,
  /** Ranges by enum mmu_notifier_event. */
  causes: z.record(z.string(), count),
  /** Ranges by what the kernel stack says; null where no stack was recorded. */
  classes: z.record(z.string(), count).nullable(),
  /** Who made the ranges, the most first. */
  processes: z.array(z.object({ pid: count, comm: z.string(), ranges: count })),
  /** Ranges of others, for whom there was no room. */
  other_processes: count,
  virtqueues: z.array(z.object({ id: count, ranges: count })),
  /** The events that it begins and ends with, in time. */
  first: mark,
  last: mark,
  /** Least and most line of its events in what was imported, where those of several CPUs stand in no order. */
  lines: z.tuple([count, count]),
  /** Of the device, in the storm. */
  accesses: count,
  hits: count,
  fallbacks: count,
  iotlb: count,
  ambiguous: count,
  /** Millions of packets per second, by the cost model; empty where there is none. */
  rates: z.array(
    z.object({
      smap: z.enum(['on', 'off']).nullable(),
      rate: z.tuple([rate, rate]),
      /** Less than if every access hit; ambiguous ones may have. */
      lost: z.tuple([rate, rate]),
    }),
  ),
});
export type StormResult = z.infer<typeof storm>;

export const stormsResultSchema = resultHead.extend({
  /** Ranges over rings of a device in a second that are a storm. */
  storm_rate: count,
  /** Why there are no packets per second; null where there are. */
  cost_reason: z.string().nullable(),
  /** Fallbacks of the whole trace that no range explains, in storms or not. */
  wrong_counts: wrongCountsSchema,
  storms: z.array(storm),
});
export type StormsResult = z.infer<typeof stormsResultSchema>;

export function stormsResult(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
  { storms, classOf }: FoundStorms,
  stormRate: number,
  cost: Cost,
  firstTime: bigint,
  wrong: WrongCounts,
): StormsResult {
  return {
    ...headOf(trace, replayed, completeness),
    storm_rate: stormRate,
    cost_reason: cost.reason,
    wrong_counts: wrong,
    storms: storms.map((found) => describe(found, classOf, cost, firstTime)),
  };
}

function describe(
  found: Storm,
  classOf: FoundStorms['classOf'],
  cost: Cost,
  firstTime: bigint,
): StormResult {
  const { begin, end, counted } = found;
  return {
    number: found.number,
    recording: Math.max(0, found.recording),
    dev: found.dev,
    begin: String(begin),
    end: String(end),
    begins_after: Math.max(0, inSeconds(begin - firstTime)),
    lasts: inSeconds(end - begin),
    ranges: found.ranges,
    by: [
      ...(found.isByRate ? ['rate' as const] : []),
      ...(found.isByDown ? ['down' as const] : []),
    ],
    down: inSeconds(found.down),
    causes: causesOf(found),
    classes: classesOf(found, classOf),
    processes: processesOf(found),
    other_processes: found.otherCulprits,
    virtqueues: [...found.virtqueues]
      .map(([id, ranges]) => ({ id, ranges }))
      .toSorted((a, b) => a.id - b.id),
    first: markOf(found.first),
    last: markOf(found.last),
    lines: found.lines,
    ...decisionsIn(found),
    rates: ratesOf(transmittedIn(counted), cost),
  };
}

/** What was accessed of the device in a storm. */
export function decisionsIn({
  counted,
}: Pick<Storm, 'counted'>): Pick<
  StormResult,
  'accesses' | 'hits' | 'fallbacks' | 'iotlb' | 'ambiguous'
> {
  const sampled = (place: number): number => counted[place] ?? 0;
  const [hits, fallbacks, iotlb, ambiguous] = [
    sampled(SAMPLED_HITS),
    sampled(SAMPLED_FALLBACKS),
    sampled(SAMPLED_IOTLB),
    sampled(SAMPLED_AMBIGUOUS),
  ];
  return { accesses: hits + fallbacks + iotlb + ambiguous, hits, fallbacks, iotlb, ambiguous };
}

function markOf({ line, time: at }: EventMark): StormResult['first'] {
  return { line, time: String(at) };
}

function inSeconds(ns: bigint): number {
  return Number(ns) / 1e9;
}

function named(
  counts: ReadonlyMap<number, number>,
  nameOf: (code: number) => string,
): Record<string, number> {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.map(([code, ranges]) => [nameOf(code), ranges]));
}

/** Ranges by cause, the most first. */
export function causesOf({ causes }: Storm): Record<string, number> {
  return named(causes, (cause) => INVALIDATION_CAUSES[cause] ?? String(cause));
}

/** Who made the ranges, the most first. */
export function processesOf({ culprits }: Storm): StormResult['processes'] {
  return [...culprits.values()]
    .toSorted((a, b) => b.ranges - a.ranges)
    .map(({ pid, comm, ranges }) => ({ pid, comm, ranges }));
}

/** What no stack tells is `unknown`, the class of number 0. Null where no stack was recorded. */
export function classesOf(
  { stacks, ranges, recording }: Storm,
  classOf: FoundStorms['classOf'],
): Record<string, number> | null {
  if (stacks.size === 0) return null;
  const counts = new Map<number, number>();
  let told = 0;
  const add = (code: number, found: number): void => {
    counts.set(code, (counts.get(code) ?? 0) + found);
  };
  for (const [stack, found] of stacks) {
    add(classOf(recording, stack) ?? 0, found);
    told += found;
  }
  if (ranges > told) add(0, ranges - told);
  return named(counts, (code) => INVALIDATION_CLASSES[code] ?? String(code));
}

/** What was sampled of the virtqueues that transmit, as the cost model takes it. */
export function transmittedIn(counted: readonly number[]): CountedDecisions {
  const of = (place: number): number => counted[SAMPLED_TRANSMIT + place] ?? 0;
  const [hits, ambiguous] = [of(SAMPLED_HITS), of(SAMPLED_AMBIGUOUS)];
  const accesses = hits + ambiguous + of(SAMPLED_FALLBACKS) + of(SAMPLED_IOTLB);
  return { packets: of(SAMPLED_HEADS), accesses, hits, ambiguous };
}

function ratesOf(decisions: CountedDecisions, { rates }: Cost): StormResult['rates'] {
  return rates.flatMap(({ smap, copied, mapped }) => {
    // A design that maps nothing loses nothing in a storm.
    if (mapped === null) return [];
    const estimate = estimateRate({ before: copied, after: mapped }, decisions);
    if (estimate === undefined) return [];
    const [least, most] = estimate.rate;
    const lost = (one: number): number => Math.max(0, mapped - one);
    return [{ smap, rate: [least, most], lost: [lost(most), lost(least)] }];
  });
}
