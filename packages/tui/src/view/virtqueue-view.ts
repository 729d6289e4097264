/** What is told of virtqueues, and of all of them together. */
import {
  AMBIGUOUS,
  AREA_COUNT,
  DOUBT_MEANING,
  estimateRate,
  HIT,
  OUTCOME_MEANING,
  OUTCOME_NAMES,
  OUTCOMES,
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

/** What a design has made of one virtqueue after another; what it made of all of them adds up. */
interface Tally {
  readonly judge: Judge;
  /** Counters where the last while begins; undefined where it has no beginning. */
  readonly before: Float64Array | undefined;
  /** Ratios where each slice of it begins, and now. */
  readonly ratios: readonly Float64Array[];
  /** Of all: accesses in all and of late; hits, and hits and fallbacks, by slice. */
  readonly total: Outcomes;
  readonly lately: Outcomes;
  readonly hits: Float64Array;
  readonly decided: Float64Array;
  isEstimated: boolean;
  /** As long as a spark is. */
  readonly noSpark: readonly number[];
}

function startTally(judge: Judge, { borders }: Lately): Tally {
  const [begin] = borders;
  return {
    judge,
    before: begin === undefined ? undefined : valuesAt(judge.rows, begin),
    ratios: [...borders.map((border) => valuesAt(judge.ratios, border)), judge.ratios.now],
    total: noOutcomes(),
    lately: noOutcomes(),
    hits: new Float64Array(borders.length),
    decided: new Float64Array(borders.length),
    isEstimated: false,
    noSpark: borders.map(() => NaN),
  };
}

/** Of one virtqueue, which is added to what there is of all. HOT: ten times a second for each. */
function tallyOf(all: Tally, vq: number): VirtqueueJudgement {
  const { judge, before } = all;
  const row = vq * VIRTQUEUE_SAMPLE_SIZE;
  const total = noOutcomes();
  const lately = noOutcomes();
  addRow(total, judge.rows.now, row);
  if (before !== undefined) {
    addRow(lately, before, row);
    for (let outcome = 0; outcome < OUTCOMES; outcome++)
      lately[outcome] = total[outcome] - lately[outcome];
  }
  add(all.total, total);
  add(all.lately, lately);
  const mayBeOther = isEstimated(judge.engine.tallies, vq);
  all.isEstimated ||= mayBeOther;
  return {
    total: decidedOf(total, mayBeOther),
    window: decidedOf(lately, mayBeOther),
    areas: areasOf(judge, vq),
    reasons: reasonsOf(lately),
    count: countOf(judge, vq),
    spark: sparkOf(all, vq),
  };
}

/** Hits to what was decided by slice; both are added to those of all. HOT. */
function sparkOf(
  { ratios, hits: allHits, decided: allDecided, noSpark }: Tally,
  vq: number,
): number[] {
  const place = 2 * vq;
  const spark = noSpark.slice();
  let hits = 0;
  let decided = 0;
  for (let border = 0; border < ratios.length; border++) {
    const values = ratios[border];
    // Where there were fewer, it was not there yet.
    const isThere = place < values.length;
    const hitsNow = isThere ? values[place] : 0;
    const decidedNow = isThere ? values[place + 1] : 0;
    if (border > 0) {
      allHits[border - 1] += hitsNow - hits;
      allDecided[border - 1] += decidedNow - decided;
      spark[border - 1] = shareOf(hitsNow - hits, decidedNow - decided);
    }
    hits = hitsNow;
    decided = decidedNow;
  }
  return spark;
}

function shareOf(hits: number, decided: number): number {
  return decided === 0 ? NaN : hits / decided;
}

function tallyOfAll(all: Tally): VirtqueueJudgement {
  return {
    total: decidedOf(all.total, all.isEstimated),
    window: decidedOf(all.lately, all.isEstimated),
    areas: [],
    reasons: reasonsOf(all.lately),
    count: NO_COUNT,
    spark: Array.from(all.hits, (hits, slice) => shareOf(hits, all.decided[slice])),
  };
}

function areasOf({ engine }: Judge, vq: number): AreaView[] {
  const areas: AreaView[] = [];
  for (let area = 0; area < AREA_COUNT; area++) {
    const map = engine.mapOf(vq, area);
    areas.push(map === AMBIGUOUS ? DOUBTFUL[engine.doubtOf(vq, area)] : MAPS[map]);
  }
  return areas;
}

/** By outcome, and by doubt: there are a few dozen, and nobody changes them. */
const MAPS: readonly AreaView[] = OUTCOME_NAMES.map((name, outcome) =>
  outcome === HIT
    ? { map: 'up', reason: undefined }
    : { map: 'down', reason: OUTCOME_MEANING[name] },
);
const DOUBTFUL: readonly AreaView[] = DOUBT_MEANING.map((reason) => ({ map: 'ambiguous', reason }));

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
  const all = {
    chosen: startTally(chosen, lately),
    beside: beside === undefined ? undefined : startTally(beside, lately),
  };
  const sum = { rounds: 0, heads: 0, accesses: 0 };
  const views = virtqueues.all.map(({ id, dev, owner, place }): VirtqueueView => {
    const row = id * VIRTQUEUE_SAMPLE_SIZE;
    const judged = tallyOf(all.chosen, id);
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
      beside: all.beside && tallyOf(all.beside, id),
      gained: transmits ? gainedBy(rates, heads, judged.window) : undefined,
    };
  });
  return {
    virtqueues: views,
    total: tallyOfAll(all.chosen),
    besideTotal: all.beside && tallyOfAll(all.beside),
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
