/**
 * What replay says of a stock kernel, where no map exists, against the truth: at each round the page tables are
 * asked what get_user_pages would have said, and a plain model of the merged design decides each access by it.
 * One CPU, so that the order of events is that of what they tell.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  accessOutcomes,
  ACCESSORS,
  createEngine,
  decisionOf,
  findDesign,
  KIND,
  type Design,
  type Engine,
} from '@vhostscope/model';
import { openTrace, visitTrace } from '@vhostscope/trace';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, startLoad, type Host } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';
import { createMergedDesign, type Decided, type MergedDesign } from './merged-design.js';
import { watchPageTables, type PageTableTruth } from './page-table-truth.js';

const TRACE = '/tmp/counterfactual.arrows';
const SEEDS = [1, 2, 3, 4, 5];
const RINGS = [256, 1024];
const THP = ['never', 'always'];
/** Percentage points of hit ratio. */
const TOLERANCE = 0.5;

/** Nothing takes time: what is likely, not what is sure. */
const NO_DELAYS = { flush: 0, forkFlush: 0, look: 0, setUp: 0 };

interface Run {
  readonly name: string;
  /** Seconds since boot. */
  readonly until: number;
}

let host: Host;
const folder = mkdtempSync(join(tmpdir(), 'vhostscope-host-test-'));
beforeAll(async () => {
  host = await bootHost({ cpus: 1 });
  await host.run('modprobe vhost_net');
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

test('sure answers are those of the page tables, and the likely ones come near', async () => {
  const collector = await attachCollector(host, TRACE, ['--detail', 'accesses', '--keep-pointers']);
  const stopWatching = await watchPageTables(host);
  const runs: Run[] = [];
  for (const thp of THP) {
    await host.run(`echo ${thp} > /sys/kernel/mm/transparent_hugepage/enabled`);
    for (const num of RINGS)
      for (const seed of SEEDS) {
        const load = await startLoad(host, 'net', {
          num,
          seed,
          packets: 4000,
          between: 6,
          'kvm-vm': true,
          ...(thp === 'always' && { huge: true }),
        });
        await load.go();
        await load.result;
        const { stdout } = await host.run("sleep 0.5; cut -d' ' -f1 /proc/uptime");
        runs.push({ name: `${num} entries, THP ${thp}, seed ${seed}`, until: Number(stdout) });
      }
  }
  const truth = await stopWatching();
  const outcome = await collector.stop();
  const copy = join(folder, 'trace.arrows');
  writeFileSync(copy, await host.readFile(TRACE));
  const compared = await compare(copy, truth, runs);
  process.stdout.write(`complete: ${outcome.complete}\n${tableOf(compared)}`);
  expect(outcome.complete).toBe(true);
  expect(compared.wrong).toEqual([]);
  expect(compared.design.unseen).toBeLessThan(0.01 * compared.design.rounds);
  for (const { likely, true: share } of compared.runs)
    expect(Math.abs(likely - share)).toBeLessThanOrEqual(TOLERANCE);
});

/** Per cent of the accesses of a run. */
interface ComparedRun {
  readonly name: string;
  readonly accesses: number;
  readonly true: number;
  readonly sure: number;
  readonly ambiguous: number;
  readonly likely: number;
}

interface Compared {
  readonly design: MergedDesign;
  readonly runs: readonly ComparedRun[];
  /** Sure answers that are not true. */
  readonly wrong: readonly string[];
}

async function compare(
  path: string,
  truth: PageTableTruth,
  runs: readonly Run[],
): Promise<Compared> {
  const trace = await openTrace(path);
  try {
    const [sure, likely] = [undefined, NO_DELAYS].map((delays) =>
      createEngine({
        design: findDesign('merged') as Design,
        order: 'ranges',
        preemption: 'voluntary',
        host: 'stock',
        roundAccesses: 'recorded',
        ...(delays !== undefined && { delays }),
      }),
    ) as [Engine, Engine];
    const design = createMergedDesign(truth);
    const checked = new Map<string, Decided>();
    const wrong: string[] = [];
    const sums: ReturnType<typeof sumOf>[] = [];
    /** All accesses of a virtqueue up to its latest round are judged: by the engine, and by the truth. */
    const check = (vq: number, place: string): void => {
      for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
        const said = saidOf(sure, vq, accessor);
        const true_ = design.decided(vq, accessor);
        const key = `${vq} ${accessor}`;
        const before = checked.get(key) ?? { hits: 0, fallbacks: 0, saidHits: 0, saidFallbacks: 0 };
        const last = before as Decided & { saidHits: number; saidFallbacks: number };
        if (
          said.hit - last.saidHits > true_.hits - last.hits ||
          said.fallback - last.saidFallbacks > true_.fallbacks - last.fallbacks
        )
          wrong.push(
            `${place}: vq ${vq} ${ACCESSORS[accessor]}: said ${said.hit - last.saidHits} hits, ${said.fallback - last.saidFallbacks} fallbacks; true ${true_.hits - last.hits}, ${true_.fallbacks - last.fallbacks}`,
          );
        checked.set(key, {
          ...true_,
          saidHits: said.hit,
          saidFallbacks: said.fallback,
        } as Decided);
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

function saidOf(engine: Engine, vq: number, accessor: number) {
  const said = { hit: 0, fallback: 0, iotlb: 0, ambiguous: 0 };
  for (const [outcome, n] of accessOutcomes(engine.tallies, vq, accessor).entries())
    if (n > 0) said[decisionOf(outcome)] += n;
  return said;
}

/** Of all accesses so far. */
function sumOf(sure: Engine, likely: Engine, design: MergedDesign) {
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

type Sum = ReturnType<typeof sumOf>;

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

function tableOf({ runs, design, wrong }: Compared): string {
  const rows = runs.map(
    ({ name, accesses, true: share, sure, ambiguous, likely }) =>
      `${name}: ${accesses} accesses, hits ${share.toFixed(2)} % true, ${sure.toFixed(2)} % sure, ${ambiguous.toFixed(2)} % ambiguous, ${likely.toFixed(2)} % likely`,
  );
  return `${rows.join('\n')}\n${design.rounds} rounds, the page tables of ${design.unseen} not seen; ${wrong.length} sure answers wrong\n`;
}
