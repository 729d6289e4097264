/** What a fleet's runs say is what `replay run` and `replay storms` say of each, and a total is the sum of them. */
import { join } from 'node:path';
import { assert, array, constantFrom, nat, option, property, record, tuple } from 'fast-check';
import { DESIGNS, type Design } from '@vhostscope/model';
import { beforeAll, describe, expect, it } from 'vitest';
import { addDecisions, noDecisions } from '../src/fleet/add-decisions.ts';
import { fleetResult, fleetResultSchema, type ReplayedRun } from '../src/fleet/fleet-result.ts';
import { replayRun, type FleetQuestion } from '../src/fleet/replay-run.ts';
import { runResultSchema, type Decisions, type RunResult } from '../src/run-result.ts';
import { stormsResultSchema } from '../src/storms-result.ts';
import { STOCK } from './export-cases.ts';
import { replay } from './in-process.ts';
import { mergeFiles } from './merged-trace.ts';
import { temporaryFolder, textOf, trace, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const NAMES = ['merged', 'fixes-v5', 'copy'];

function design(name: string): Design {
  const found = DESIGNS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no design ${name}`);
  return found;
}

const QUESTION: FleetQuestion = {
  designs: NAMES.map(design),
  platform: {},
  stormRate: 100,
  basis: { smap: undefined, calibrated: undefined },
};

async function answerOf(path: string, question = QUESTION): Promise<ReplayedRun> {
  const run = { host: 'h', run: path, source: { path, bytes: 0 } } as const;
  return (
    await replayRun(
      run,
      question,
      () => undefined,
      (visit) => visit,
    )
  ).result;
}

async function alone(path: string, ...options: string[]): Promise<RunResult> {
  const { out } = await replay('run', '--json', ...options, path);
  return runResultSchema.parse(JSON.parse(out));
}

const PARTS = ['s3', 'u4'].map((name) => join(folder, `${name}.arrows`));
const MERGED = join(folder, 'merged.arrows');

beforeAll(async () => {
  writeTrace(PARTS[0] ?? '', [textOf('s3')]);
  writeTrace(PARTS[1] ?? '', [textOf('u4')]);
  // Two recordings in one file, too.
  writeTrace(join(folder, 'both.arrows'), [textOf('u5'), textOf('s1')]);
  await mergeFiles(
    MERGED,
    PARTS.map((path) => ({ path, offset: 0n })),
    { areDifferentHosts: true },
  );
});

const CASES = [
  ...TRACES.map(({ name, path }) => [name, path] as const),
  ['a stock host', STOCK] as const,
  ['hosts merged', MERGED] as const,
  ['two recordings', join(folder, 'both.arrows')] as const,
];

describe('a run of a fleet', () => {
  it.each(CASES)('%s: decides as replay run does, by virtqueue', async (_name, path) => {
    const answer = await answerOf(path);
    for (const [at, name] of NAMES.entries()) {
      const run = await alone(path, '--design', name);
      expect(answer.comparison.designs[at]?.decisions).toEqual(run.totals);
      expect(answer.comparison.rounds).toBe(run.rounds);
      expect(
        answer.virtqueues.map(({ designs, ...virtqueue }) => ({
          ...virtqueue,
          totals: designs[at],
        })),
      ).toEqual(
        run.virtqueues.map(({ id, recording, dev, rounds, totals }) => ({
          id,
          recording,
          dev,
          rounds,
          totals,
        })),
      );
      expect(answer.comparison.complete).toBe(run.complete);
      expect(answer.comparison.damage).toEqual(run.damage);
    }
  });

  it.each(CASES)('%s: has the storms of replay storms', async (_name, path) => {
    const { storms } = await answerOf(path);
    const { out } = await replay('storms', '--json', '--design', 'merged', path);
    const told = stormsResultSchema.parse(JSON.parse(out)).storms;
    const total = (of: (storm: (typeof told)[number]) => number): number =>
      told.reduce((sum, storm) => sum + of(storm), 0);
    expect(storms.storms).toBe(told.length);
    for (const name of ['ranges', 'accesses', 'hits', 'fallbacks', 'iotlb', 'ambiguous'] as const)
      expect(storms[name]).toBe(total((storm) => storm[name]));
    for (const [cause, share] of Object.entries(storms.causes))
      expect(share).toEqual({
        ranges: total(({ causes }) => causes[cause] ?? 0),
        storms: told.filter(({ causes }) => (causes[cause] ?? 0) > 0).length,
      });
    const ranges = Object.values(storms.causes).map((share) => share.ranges);
    expect(ranges.reduce((sum, many) => sum + many, 0)).toBe(storms.ranges);
  });

  it('takes the options that replay run takes', async () => {
    const { path } = trace('s3');
    const question: FleetQuestion = {
      ...QUESTION,
      platform: { arch: 'aarch64' },
      preempt: 'voluntary',
    };
    const answer = await answerOf(path, question);
    const options = ['--arch', 'aarch64', '--preempt', 'voluntary'];
    for (const [at, name] of NAMES.entries())
      expect(answer.comparison.designs[at]?.decisions).toEqual(
        (await alone(path, ...options, '--design', name)).totals,
      );
  });

  it('was recorded for as long as its recordings lasted, and not for what lies between them', async () => {
    const { recorded_ns: both } = await answerOf(join(folder, 'both.arrows'));
    const parts = [await answerOf(trace('u5').path), await answerOf(trace('s1').path)];
    expect(BigInt(both)).toBe(parts.reduce((sum, { recorded_ns: ns }) => sum + BigInt(ns), 0n));
  });
});

describe('a fleet', () => {
  it('has the sum of what its hosts have, which is what their merged trace has', async () => {
    const question: FleetQuestion = { ...QUESTION, preempt: 'voluntary' };
    const runs = [];
    for (const path of PARTS) runs.push(await answerOf(path, question));
    const { totals } = fleetResult(runs, {
      designs: NAMES,
      storm_rate: 100,
      interrupted: false,
      passed_over: [],
    });
    for (const [at, name] of NAMES.entries()) {
      const whole = await alone(MERGED, '--design', name, '--preempt', 'voluntary');
      expect(totals.designs[at]?.decisions).toEqual(whole.totals);
      expect(totals.rounds).toBe(whole.rounds);
    }
  });

  it('has a hit ratio of sums, and the virtqueues with most fallbacks first', async () => {
    const runs = [];
    for (const { path } of TRACES.slice(0, 3)) runs.push(await answerOf(path));
    const result = fleetResult(runs, {
      designs: NAMES,
      storm_rate: 100,
      interrupted: false,
      passed_over: [],
    });
    expect(fleetResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
    let [hits, accesses] = [0, 0];
    for (const { path } of TRACES.slice(0, 3)) {
      const run = await alone(path);
      hits += run.totals.hits;
      accesses += run.totals.accesses;
    }
    expect(result.totals.designs[0]?.hit_ratio?.[0]).toBe(hits / accesses);
    const fallbacks = result.worst_virtqueues.map(({ decisions }) => decisions.fallbacks);
    expect(fallbacks).toEqual(fallbacks.toSorted((a, b) => b - a));
    const all = runs.flatMap(({ virtqueues }) =>
      virtqueues.map(({ designs: [first] }) => first?.fallbacks ?? 0),
    );
    expect(fallbacks[0]).toBe(Math.max(...all));
    expect(fallbacks).toHaveLength(all.filter((many) => many > 0).length);
  });
});

describe('sums of decisions', () => {
  const counts = record({
    accesses: nat(1e9),
    hits: nat(1e9),
    fallbacks: nat(1e9),
    iotlb: nat(1e9),
    ambiguous: nat(1e9),
  });
  const span = tuple(nat(1e9), option(nat(1e9)));
  const spans = record({
    accesses: span,
    hits: span,
    fallbacks: span,
    iotlb: span,
    ambiguous: span,
  });
  const reasons = record(
    { not_set_up: nat(99), refused_count: nat(99), gup_short: nat(99) },
    { requiredKeys: [] },
  );
  const decisions = tuple(
    counts,
    reasons,
    constantFrom('exact' as const, 'by rule' as const, 'estimated' as const),
    spans,
  ).map(([numbers, why, how, bounds]): Decisions => ({
    ...numbers,
    reasons: { ...why },
    counts: how,
    spans: how === 'estimated' ? bounds : null,
  }));

  it('are sums, in whatever order, and as sure as the least sure', () => {
    assert(
      property(array(decisions, { maxLength: 6 }), (all) => {
        const sum = all.reduce(addDecisions, noDecisions());
        expect(all.toReversed().reduce(addDecisions, noDecisions())).toEqual(sum);
        const total = (of: (one: Decisions) => number): number =>
          all.reduce((so, one) => so + of(one), 0);
        expect(sum.hits).toBe(total((one) => one.hits));
        expect(sum.ambiguous).toBe(total((one) => one.ambiguous));
        expect(sum.reasons['gup_short'] ?? 0).toBe(total((one) => one.reasons['gup_short'] ?? 0));
        const isEstimated = all.some((one) => one.counts === 'estimated');
        expect(sum.counts === 'estimated').toBe(isEstimated);
        expect(sum.counts === 'exact').toBe(all.every((one) => one.counts === 'exact'));
        expect(sum.spans === null).toBe(!isEstimated);
        if (sum.spans === null) return;
        expect(sum.spans.hits[0]).toBe(total((one) => one.spans?.hits[0] ?? one.hits));
        const isOpen = all.some((one) => one.spans !== null && one.spans.hits[1] === null);
        expect(sum.spans.hits[1]).toBe(
          isOpen ? null : total((one) => one.spans?.hits[1] ?? one.hits),
        );
      }),
    );
  });
});
