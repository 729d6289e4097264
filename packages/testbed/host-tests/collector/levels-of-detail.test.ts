/**
 * The three levels of detail tell the same story: what `rounds` and `calls` leave out follows by rule. One
 * recording of every access is judged as each of them, and five runs of one seed are recorded at each.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  accessOutcomes,
  ACCESSORS,
  COUNTER_FIELDS,
  createEngine,
  decisionOf,
  DESIGNS,
  KIND,
  NO_ACCESSOR,
  NOT_OBSERVED,
  type Decision,
  type Design,
  type EventBatch,
  type RoundAccesses,
  type Tallies,
} from '@vhostscope/model';
import { openTrace, visitTrace } from '@vhostscope/trace';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootHost, startLoad, type Host } from '../../src/index.js';
import { attachCollector } from './attached-collector.js';

const MERGED = DESIGNS.find(({ name }) => name === 'merged') as Design;
const TRACE = '/tmp/levels.arrows';
const RUNS = 5;
/** Percentage points of hit ratio. */
const TOLERANCE = 0.5;
/** Per cent of a run's accesses: far from what these runs give, and where something is broken. */
const LEAST_HITS = 10;
const MOST_AMBIGUOUS = 85;
const LEVELS = { rounds: 'derived', calls: 'counted', accesses: 'recorded' } as const;

/** Of the accesses of a run: how many, and per cent. */
interface Shares {
  readonly accesses: number;
  readonly hits: number;
  readonly ambiguous: number;
}

let host: Host;
const folder = mkdtempSync(join(tmpdir(), 'vhostscope-host-test-'));
beforeAll(async () => {
  host = await bootHost({ cpus: 2 });
  await host.run('modprobe vhost_net');
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

test.each(Object.entries(LEVELS))('--detail %s', async (level, own) => {
  const collector = await attachCollector(host, TRACE, ['--detail', level]);
  // Seconds since boot, between two runs.
  const borders: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const load = await startLoad(host, 'net', {
      packets: 3000,
      seed: 5,
      between: 4,
      'kvm-vm': true,
    });
    await load.go();
    await load.result;
    borders.push(Number((await host.run("sleep 1; cut -d' ' -f1 /proc/uptime")).stdout));
  }
  expect((await collector.stop()).complete).toBe(true);
  const copy = join(folder, `${level}.arrows`);
  writeFileSync(copy, await host.readFile(TRACE));
  const runs = await sharesByRun(copy, level, own, borders);
  expect(runs).toHaveLength(RUNS);
  const hits = runs.map(({ hits: share }) => share);
  process.stdout.write(
    `${level}: hits ${hits.map((share) => share.toFixed(1)).join(' ')} %, spread ${(Math.max(...hits) - Math.min(...hits)).toFixed(1)} points; ambiguous ${runs.map(({ ambiguous }) => ambiguous.toFixed(1)).join(' ')} %\n`,
  );
  for (const { hits: share, ambiguous } of runs) {
    expect(share).toBeGreaterThan(LEAST_HITS);
    expect(ambiguous).toBeLessThan(MOST_AMBIGUOUS);
  }
  if (level !== 'accesses') return;
  for (const [name, view] of [
    ['rounds', LEVELS.rounds],
    ['calls', LEVELS.calls],
  ] as const) {
    const shares = await sharesByRun(copy, level, view, borders);
    for (const [run, { hits: share, accesses, ambiguous }] of runs.entries()) {
      const seen = shares[run];
      process.stdout.write(
        `run ${run}, as ${name}: hits ${seen?.hits.toFixed(2)} instead of ${share.toFixed(2)} %, ambiguous ${seen?.ambiguous.toFixed(2)} instead of ${ambiguous.toFixed(2)} %, accesses ${seen?.accesses} instead of ${accesses}\n`,
      );
      expect(Math.abs((seen?.hits ?? 0) - share)).toBeLessThanOrEqual(TOLERANCE);
    }
  }
});

/** What a design with a direct map would have met in each run, as the accesses are told, counted or derived. */
async function sharesByRun(
  path: string,
  level: string,
  roundAccesses: RoundAccesses,
  borders: readonly number[],
): Promise<Shares[]> {
  const trace = await openTrace(path);
  try {
    const engine = createEngine({
      design: MERGED,
      order: 'ranges',
      preemption: 'voluntary',
      host: 'stock',
      roundAccesses,
    });
    const sums: Record<Decision, number>[] = [];
    const inRound = new Set<number>();
    const counters = createCounters();
    visitTrace(trace.fd, trace.index, (batch, from, to) => {
      const { time, kind, vq } = batch;
      for (let row = from; row < to; row++) {
        const seconds = (2 ** 32 * (time[2 * row + 1] ?? 0) + (time[2 * row] ?? 0)) / 1e9;
        // The table of virtqueues comes first, whenever it was written.
        if (kind[row] === KIND.round)
          while (seconds > (borders[sums.length] ?? Infinity)) sums.push(sumOf(engine.tallies));
        if (roundAccesses === 'counted' && level !== 'calls') {
          // Counted in the kernel, and told when a round begins and before it ends.
          if (kind[row] === KIND.access) {
            counters.count(batch, row);
            continue;
          }
          if (kind[row] === KIND.round || kind[row] === KIND.round_end)
            engine.consume(counters.told(batch, row), 0, 1);
          if (kind[row] === KIND.reset) counters.forget(vq[row] ?? 0);
        }
        if (kind[row] === KIND.round) inRound.add(vq[row] ?? 0);
        if (kind[row] === KIND.round_end) inRound.delete(vq[row] ?? 0);
        // What a recording of the level rounds does not hold.
        const isLeftOut =
          roundAccesses === 'derived' && kind[row] === KIND.access && inRound.has(vq[row] ?? 0);
        if (!isLeftOut) engine.consume(batch, row, row + 1);
      }
    });
    engine.finish();
    if (sums.length < borders.length) sums.push(sumOf(engine.tallies));
    return sums.map((sum, run) => {
      const before = sums[run - 1];
      const of = (decision: Decision): number => sum[decision] - (before?.[decision] ?? 0);
      const accesses = of('hit') + of('fallback') + of('ambiguous');
      return {
        accesses,
        hits: (100 * of('hit')) / accesses,
        ambiguous: (100 * of('ambiguous')) / accesses,
      };
    });
  } finally {
    trace.close();
  }
}

/** What the program counts at `--detail calls`, from the accesses of a recording of all of them. */
function createCounters() {
  const ofVq = new Map<number, Uint32Array>();
  const known = (vq: number): Uint32Array => {
    const counts = ofVq.get(vq) ?? new Uint32Array(COUNTER_FIELDS.length);
    ofVq.set(vq, counts);
    return counts;
  };
  return {
    count: ({ vq, accessor, n }: EventBatch, row: number): void => {
      const counts = known(vq[row] ?? 0);
      const at = (accessor[row] ?? 0) - 1;
      counts[at] = (counts[at] ?? 0) + (n[row] ?? 0);
    },
    forget: (vq: number): void => void ofVq.delete(vq),
    /** A `counted` event of the virtqueue and the time of a row. */
    told: (batch: EventBatch, row: number): EventBatch => {
      const vq = batch.vq[row] ?? 0;
      const told = Object.fromEntries(
        COUNTER_FIELDS.map((field, at) => [field, Uint32Array.of(known(vq)[at] ?? 0)]),
      );
      return {
        ...batch,
        length: 1,
        time: batch.time.slice(2 * row, 2 * row + 2),
        line: batch.line.slice(row, row + 1),
        kind: Uint8Array.of(KIND.counted),
        vq: Uint32Array.of(vq),
        accessor: Uint8Array.of(NO_ACCESSOR),
        observed: Uint8Array.of(NOT_OBSERVED),
        n: Uint32Array.of(0),
        detail: Int32Array.of(0, 1),
        details: { ...batch.details, ...told },
      };
    },
  };
}

/** All decisions so far. */
function sumOf(tallies: Tallies): Record<Decision, number> {
  const sum = { hit: 0, fallback: 0, iotlb: 0, ambiguous: 0 };
  for (let vq = 0; vq < MAX_VIRTQUEUES; vq++)
    for (const accessor of ACCESSORS.keys())
      for (const [outcome, n] of accessOutcomes(tallies, vq, accessor).entries())
        if (n > 0) sum[decisionOf(outcome)] += n;
  return sum;
}

/** Ids of a few runs. */
const MAX_VIRTQUEUES = 64;
