/** What is told of virtqueues, and of all of them together. */
import {
  AMBIGUOUS,
  AREA_COUNT,
  DOUBT_MEANING,
  estimateRate,
  HIT,
  OUTCOME_MEANING,
  OUTCOME_NAMES,
  SAMPLED_HEADS_OF_VQ,
  SAMPLED_ROUNDS,
  VIRTQUEUE_SAMPLE_SIZE,
  type RateChange,
} from '@vhostscope/model';
import type { Account, Judge } from '../account/account.js';
import { valuesAt, type Border, type Series } from '../account/time-window.js';
import type { AreaView, Decided, VirtqueueJudgement, VirtqueueView } from '../dashboard.js';
import {
  add,
  addRow,
  decidedOf,
  isEstimated,
  noOutcomes,
  reasonsOf,
  type Outcomes,
} from './decided.js';

/** The last while of an account. */
export interface Lately {
  readonly borders: readonly Border[];
  /** ns. */
  readonly lasts: number;
}

export function latelyOf({ window }: Account, at: number): Lately {
  const borders = window.borders(at);
  const begin = borders[0]?.time ?? at;
  return { borders, lasts: Math.max(0, at - begin) };
}

/** By what a counter has grown in the last while. */
export function grownLately(series: Series, { borders }: Lately, index: number): number {
  const [begin] = borders;
  return begin === undefined ? 0 : (series.now[index] ?? 0) - (valuesAt(series, begin)[index] ?? 0);
}

/** NaN where so little time has passed that a rate would say nothing. */
export function perSecond(count: number, { lasts }: Lately): number {
  return lasts < LEAST_TIME ? NaN : (1e9 * count) / lasts;
}

/** ns. */
const LEAST_TIME = 1e6;

/** Sums over virtqueues, or of one. */
interface Sums {
  readonly total: Outcomes;
  readonly lately: Outcomes;
  /** Hits, and hits and fallbacks, by slice. */
  readonly hits: Float64Array;
  readonly decided: Float64Array;
  isEstimated: boolean;
}

function noSums({ borders }: Lately): Sums {
  return {
    total: noOutcomes(),
    lately: noOutcomes(),
    hits: new Float64Array(borders.length),
    decided: new Float64Array(borders.length),
    isEstimated: false,
  };
}

function sumsOf({ engine, rows, ratios }: Judge, vq: number, lately: Lately): Sums {
  const { borders } = lately;
  const sums = noSums(lately);
  const row = vq * VIRTQUEUE_SAMPLE_SIZE;
  addRow(sums.total, rows.now, row);
  sums.isEstimated = isEstimated(engine.tallies, vq);
  const [begin] = borders;
  if (begin === undefined) return sums;
  const before = noOutcomes();
  addRow(before, valuesAt(rows, begin), row);
  for (let outcome = 0; outcome < before.length; outcome++)
    sums.lately[outcome] = sums.total[outcome] - before[outcome];
  for (let slice = 0; slice < borders.length; slice++) {
    const from = valuesAt(ratios, borders[slice]);
    const to = slice + 1 < borders.length ? valuesAt(ratios, borders[slice + 1]) : ratios.now;
    sums.hits[slice] = (to[2 * vq] ?? 0) - (from[2 * vq] ?? 0);
    sums.decided[slice] = (to[2 * vq + 1] ?? 0) - (from[2 * vq + 1] ?? 0);
  }
  return sums;
}

function addSums(into: Sums, from: Sums): void {
  add(into.total, from.total);
  add(into.lately, from.lately);
  for (let slice = 0; slice < into.hits.length; slice++) {
    into.hits[slice] += from.hits[slice];
    into.decided[slice] += from.decided[slice];
  }
  into.isEstimated ||= from.isEstimated;
}

function judgementOf(
  sums: Sums,
  areas: readonly AreaView[],
  count: VirtqueueJudgement['count'],
): VirtqueueJudgement {
  return {
    total: decidedOf(sums.total, sums.isEstimated),
    window: decidedOf(sums.lately, sums.isEstimated),
    areas,
    reasons: reasonsOf(sums.lately),
    count,
    spark: Array.from(sums.hits, (hits, slice) =>
      sums.decided[slice] === 0 ? NaN : hits / sums.decided[slice],
    ),
  };
}

function areasOf({ engine }: Judge, vq: number): AreaView[] {
  return Array.from({ length: AREA_COUNT }, (_, area) => {
    const map = engine.mapOf(vq, area);
    if (map === HIT) return { map: 'up', reason: undefined };
    if (map === AMBIGUOUS)
      return { map: 'ambiguous', reason: DOUBT_MEANING[engine.doubtOf(vq, area)] };
    const reason = OUTCOME_MEANING[OUTCOME_NAMES[map] ?? ''];
    return { map: 'down', reason };
  });
}

/** Where nothing bounds a count, the engine's bound lies beyond this. */
const UNBOUNDED = 2 ** 27;

function countOf({ engine }: Judge, vq: number): VirtqueueJudgement['count'] {
  const { low, high } = engine.countOf(vq);
  return {
    least: low <= -UNBOUNDED ? undefined : low,
    most: high >= UNBOUNDED ? undefined : high,
  };
}

/** Packets per second gained in the last while, by the cost model. */
export function gainedBy(
  rates: RateChange | undefined,
  packets: number,
  { accesses, hits, ambiguous }: Decided,
): VirtqueueView['gained'] {
  if (rates === undefined) return undefined;
  const estimate = estimateRate(rates, { packets, accesses, hits, ambiguous });
  if (estimate === undefined) return undefined;
  const [least, most] = estimate.rate;
  return [least - rates.before, most - rates.before];
}

export interface AllVirtqueues {
  readonly virtqueues: readonly VirtqueueView[];
  readonly total: VirtqueueJudgement;
  readonly besideTotal: VirtqueueJudgement | undefined;
  readonly rates: VirtqueueView['rates'];
}

/** @param rates the measured rates of the chosen design, if any */
export function viewVirtqueues(
  account: Account,
  lately: Lately,
  rates: RateChange | undefined,
  commOf: (pid: number) => string,
): AllVirtqueues {
  const { chosen, beside, virtqueues, transmitting, rings, overlapping } = account;
  for (const judge of [chosen, beside]) {
    judge?.rows.refresh();
    judge?.ratios.refresh();
  }
  overlapping.refresh();
  const all = { chosen: noSums(lately), beside: noSums(lately) };
  const sum = { rounds: 0, heads: 0, accesses: 0 };
  const views = virtqueues.all.map(({ id, dev, owner, place }): VirtqueueView => {
    const row = id * VIRTQUEUE_SAMPLE_SIZE;
    const ofChosen = sumsOf(chosen, id, lately);
    addSums(all.chosen, ofChosen);
    const judged = judgementOf(ofChosen, areasOf(chosen, id), countOf(chosen, id));
    let judgedBeside: VirtqueueJudgement | undefined;
    if (beside !== undefined) {
      const ofBeside = sumsOf(beside, id, lately);
      addSums(all.beside, ofBeside);
      judgedBeside = judgementOf(ofBeside, areasOf(beside, id), countOf(beside, id));
    }
    const rounds = grownLately(chosen.rows, lately, row + SAMPLED_ROUNDS);
    const heads = grownLately(chosen.rows, lately, row + SAMPLED_HEADS_OF_VQ);
    const over = grownLately(overlapping, lately, id);
    sum.rounds += rounds;
    sum.heads += heads;
    sum.accesses += judged.window.accesses;
    const transmits = transmitting.has(id);
    const desc = rings.places.get(id)?.[0];
    return {
      vq: id,
      dev,
      owner: owner === undefined ? undefined : { pid: owner, comm: commOf(owner) },
      index: place,
      num: desc === undefined ? undefined : Number(desc.last - desc.first + 1n) / DESCRIPTOR_BYTES,
      transmits,
      rates: {
        rounds: perSecond(rounds, lately),
        accesses: perSecond(judged.window.accesses, lately),
        heads: perSecond(heads, lately),
        overlapping: perSecond(over, lately),
      },
      chosen: judged,
      beside: judgedBeside,
      gained: transmits ? gainedBy(rates, heads, judged.window) : undefined,
    };
  });
  return {
    virtqueues: views,
    total: judgementOf(all.chosen, [], NO_COUNT),
    besideTotal: beside === undefined ? undefined : judgementOf(all.beside, [], NO_COUNT),
    rates: {
      rounds: perSecond(sum.rounds, lately),
      accesses: perSecond(sum.accesses, lately),
      heads: perSecond(sum.heads, lately),
      overlapping: perSecond(rangesLately(account, lately), lately),
    },
  };
}

/** Ranges over rings, each once. */
function rangesLately({ byMaker }: Account, { borders: [begin] }: Lately): number {
  if (begin === undefined) return 0;
  const sum = (counts: Float64Array): number => counts.reduce((all, count) => all + count, 0);
  return sum(byMaker.now) - sum(valuesAt(byMaker, begin));
}

const DESCRIPTOR_BYTES = 16;
const NO_COUNT = { least: undefined, most: undefined };
