/** Decisions of the model on a stock host's recording, beside those that follow from its page tables. */
import {
  accessOutcomes,
  ACCESSORS,
  createEngine,
  decisionOf,
  findDesign,
  KIND,
  NO_DELAYS,
  type Decision,
  type Delays,
  type Design,
  type Engine,
} from '@vhostscope/model';
import { openTrace, visitTrace } from '@vhostscope/trace';
import { createMergedDesign, type MergedDesign } from './merged-design.js';
import type { PageTableTruth } from './page-table-truth.js';

/** A part of a recording. */
export interface Run {
  readonly name: string;
  /** Seconds since boot. */
  readonly until: number;
}

/** Per cent of the accesses of a run. */
export interface ComparedRun {
  readonly name: string;
  readonly accesses: number;
  readonly true: number;
  readonly sure: number;
  readonly ambiguous: number;
  readonly likely: number;
}

export interface Compared {
  readonly design: MergedDesign;
  readonly runs: readonly ComparedRun[];
  /** Sure answers that are not true. */
  readonly wrong: readonly string[];
}

/** @param path a trace of one CPU that tells every access, with kernel pointers */
export async function compareWithTruth(
  path: string,
  pageTables: PageTableTruth,
  runs: readonly Run[],
): Promise<Compared> {
  const trace = await openTrace(path);
  try {
    const sure = createMerged();
    const likely = createMerged(NO_DELAYS);
    const design = createMergedDesign(pageTables);
    const latest = new Map<string, Judged>();
    const wrong: string[] = [];
    const sums: Sum[] = [];
    /** All accesses of a virtqueue up to its latest round are judged: by the engine, and by the truth. */
    const check = (vq: number, place: string): void => {
      for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
        const key = `${vq} ${accessor}`;
        const before = latest.get(key) ?? NOTHING_JUDGED;
        const { hit, fallback } = saidOf(sure, vq, accessor);
        const { hits, fallbacks } = design.decided(vq, accessor);
        const said = [hit - before.hit, fallback - before.fallback] as const;
        const truth = [hits - before.hits, fallbacks - before.fallbacks] as const;
        if (said[0] > truth[0] || said[1] > truth[1])
          wrong.push(
            `${place}: ${ACCESSORS[accessor]} of vq ${vq}: ${said.join(' hits and ')} fallbacks, where ${truth.join(' and ')} are true`,
          );
        latest.set(key, { hit, fallback, hits, fallbacks });
      }
    };
    visitTrace(trace.fd, trace.index, (batch, from, to) => {
      for (let row = from; row < to; row++) {
        const { kind, time, vq } = batch;
        const seconds = (2 ** 32 * (time[2 * row + 1] ?? 0) + (time[2 * row] ?? 0)) / 1e9;
        if (kind[row] === KIND.round) {
          while (seconds > (runs[sums.length]?.until ?? Infinity))
            sums.push(sumOf(sure, likely, design));
          check(vq[row] ?? 0, `${runs[sums.length]?.name} at ${seconds.toFixed(6)}`);
        }
        design.feed(batch, row);
        for (const engine of [sure, likely]) engine.consume(batch, row, row + 1);
      }
    });
    for (const engine of [sure, likely]) engine.finish();
    while (sums.length < runs.length) sums.push(sumOf(sure, likely, design));
    return {
      design,
      wrong,
      runs: runs.map(({ name }, run) => shares(name, sums[run], sums[run - 1])),
    };
  } finally {
    trace.close();
  }
}

function createMerged(delays?: Delays): Engine {
  return createEngine({
    design: findDesign('merged') as Design,
    order: 'ranges',
    preemption: 'voluntary',
    host: 'stock',
    roundAccesses: 'recorded',
    ...(delays !== undefined && { delays }),
  });
}

/** Of an accessor of a virtqueue: what the model said for sure, and what is true. */
interface Judged {
  readonly hit: number;
  readonly fallback: number;
  readonly hits: number;
  readonly fallbacks: number;
}

const NOTHING_JUDGED: Judged = { hit: 0, fallback: 0, hits: 0, fallbacks: 0 };

function saidOf(engine: Engine, vq: number, accessor: number): Record<Decision, number> {
  const said = { hit: 0, fallback: 0, iotlb: 0, ambiguous: 0 };
  for (const [outcome, n] of accessOutcomes(engine.tallies, vq, accessor).entries())
    if (n > 0) said[decisionOf(outcome)] += n;
  return said;
}

/** Of all accesses so far. */
function sumOf(sure: Engine, likely: Engine, design: MergedDesign): Sum {
  const sum = { all: 0, true: 0, sure: 0, ambiguous: 0, likely: 0, likelyAll: 0 };
  for (const vq of design.rings.keys())
    for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
      const { hits, fallbacks } = design.decided(vq, accessor);
      const said = saidOf(sure, vq, accessor);
      const guessed = saidOf(likely, vq, accessor);
      sum.all += hits + fallbacks;
      sum.true += hits;
      sum.sure += said.hit;
      sum.ambiguous += said.ambiguous;
      sum.likely += guessed.hit;
      sum.likelyAll += guessed.hit + guessed.fallback;
    }
  return sum;
}

/** Accesses, by what became of them. */
interface Sum {
  all: number;
  true: number;
  sure: number;
  ambiguous: number;
  likely: number;
  likelyAll: number;
}

function shares(name: string, now: Sum | undefined, before: Sum | undefined): ComparedRun {
  const of = (what: keyof Sum): number => (now?.[what] ?? 0) - (before?.[what] ?? 0);
  const share = (what: keyof Sum): number => (100 * of(what)) / of('all');
  return {
    name,
    accesses: of('all'),
    true: share('true'),
    sure: share('sure'),
    ambiguous: share('ambiguous'),
    likely: (100 * of('likely')) / of('likelyAll'),
  };
}

export function tableOf({ runs, design, wrong }: Compared): string {
  const rows = runs.map(
    ({ name, accesses, true: share, sure, ambiguous, likely }) =>
      `${name}: ${accesses} accesses, hits ${share.toFixed(2)} % true, ${sure.toFixed(2)} % sure, ${ambiguous.toFixed(2)} % ambiguous, ${likely.toFixed(2)} % likely`,
  );
  return `${rows.join('\n')}\n${design.rounds} rounds, the page tables of ${design.unseen} not seen; ${wrong.length} sure answers wrong\n`;
}
