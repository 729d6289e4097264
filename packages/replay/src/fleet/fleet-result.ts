/** The result of `replay fleet`, as `--json` prints it. The schema is the contract; keys are stable. */
import { z } from 'zod';
import { comparedTraceSchema } from '../compare-result.js';
import { decisionsSchema } from '../run-result.js';
import { addStorms, noStorms, stormSumsSchema } from './storm-sums.js';
import { noDecisions, addDecisions } from './add-decisions.js';
import { worstVirtqueues, worstVirtqueueSchema } from './worst-virtqueues.js';

const count = z.number().int().nonnegative();

const names = {
  /** Of the folder or the file: a trace does not name its host. */
  host: z.string(),
  /** Tells it from others of the host. */
  run: z.string(),
  path: z.string(),
};

export const replayedRunSchema = z.object({
  status: z.literal('replayed'),
  ...names,
  /** Of a live recording; null of an import. */
  kernel: z.string().nullable(),
  /** How many hosts were merged into the trace, where they are different; null elsewhere. */
  merged_hosts: count.nullable(),
  /** From the first event of each of its recordings to the last: ns, decimal. */
  recorded_ns: z.string(),
  /** As `replay compare --json` has it. */
  comparison: comparedTraceSchema,
  /** Of `replay storms --json`, summed up. */
  storms: stormSumsSchema,
  virtqueues: z.array(
    z.object({
      id: count,
      recording: count,
      dev: count.nullable(),
      rounds: count,
      /** As `replay run --json` has them, by place in `designs`. */
      designs: z.array(decisionsSchema),
    }),
  ),
});
export type ReplayedRun = z.infer<typeof replayedRunSchema>;

const failedRun = z.object({
  /**
   * `interrupted`: not replayed to its end when the user wanted it to end. `not answered`: by no other machine, of a
   * fleet that is shared; nobody has tried to read it, or none has told.
   */
  status: z.enum(['unreadable', 'not answered', 'interrupted']),
  ...names,
  /** Why, in words. */
  error: z.string(),
});
export type FailedRun = z.infer<typeof failedRun>;

const runSchema = z.discriminatedUnion('status', [replayedRunSchema, failedRun]);
export type FleetRunResult = z.infer<typeof runSchema>;

/** Over runs that were replayed. */
const sums = z.object({
  /** ns, decimal. */
  recorded_ns: z.string(),
  rounds: count,
  /** By place in `designs`. */
  designs: z.array(
    z.object({
      design: z.string(),
      decisions: decisionsSchema,
      /** Hits of all accesses, least and most: a ratio of sums. Null of none. */
      hit_ratio: z.tuple([z.number(), z.number()]).nullable(),
      /** Attempts to map that surely were made, and those with all that may have been. */
      attempts_span: z.tuple([count, count]),
    }),
  ),
  storms: stormSumsSchema,
});
export type FleetSums = z.infer<typeof sums>;

export const fleetResultSchema = z.object({
  /** Storms, and the worst virtqueues, are told under the first. */
  designs: z.array(z.string()),
  /** Ranges over rings of a device in a second that are a storm. */
  storm_rate: count,
  interrupted: z.boolean(),
  /** Files of the folders that are not named as traces are. */
  passed_over: z.array(z.string()),
  /** By host and run; times of different runs are in no order. */
  runs: z.array(runSchema),
  totals: sums.extend({
    hosts: count,
    runs: count,
    unreadable: count,
    not_answered: count,
    interrupted: count,
    /** Of those that were replayed: something is known to be missing; nobody counted. */
    incomplete: count,
    uncounted: count,
  }),
  /** With the most fallbacks first; only those with any, and of these the first. */
  worst_virtqueues: z.array(worstVirtqueueSchema),
});
export type FleetResult = z.infer<typeof fleetResultSchema>;

export function fleetResult(
  runs: readonly FleetRunResult[],
  about: Pick<FleetResult, 'designs' | 'storm_rate' | 'interrupted' | 'passed_over'>,
): FleetResult {
  const replayed = replayedOf(runs);
  const having = (status: FleetRunResult['status']): number =>
    runs.filter((run) => run.status === status).length;
  const complete = replayed.map(({ comparison }) => comparison.complete);
  return {
    ...about,
    runs: [...runs],
    totals: {
      ...sumsOf(replayed, about.designs),
      hosts: new Set(runs.map(({ host }) => host)).size,
      runs: runs.length,
      unreadable: having('unreadable'),
      not_answered: having('not answered'),
      interrupted: having('interrupted'),
      incomplete: complete.filter((one) => one === false).length,
      uncounted: complete.filter((one) => one === null).length,
    },
    worst_virtqueues: worstVirtqueues(replayed),
  };
}

export function replayedOf(runs: readonly FleetRunResult[]): ReplayedRun[] {
  return runs.filter((run) => run.status === 'replayed');
}

/** Every figure is the sum of those of the runs, and a ratio one of sums. */
function sumsOf(runs: readonly ReplayedRun[], designs: readonly string[]): FleetSums {
  return {
    recorded_ns: String(runs.reduce((sum, { recorded_ns: ns }) => sum + BigInt(ns), 0n)),
    rounds: runs.reduce((sum, { comparison }) => sum + comparison.rounds, 0),
    designs: designs.map((design, at) => {
      const rows = runs.flatMap(({ comparison }) => comparison.designs[at] ?? []);
      const decisions = rows.map((row) => row.decisions).reduce(addDecisions, noDecisions());
      const { accesses, hits, ambiguous } = decisions;
      return {
        design,
        decisions,
        hit_ratio: accesses === 0 ? null : [hits / accesses, (hits + ambiguous) / accesses],
        attempts_span: rows.reduce<[number, number]>(
          ([least, most], { attempts_span: [a, b] }) => [least + a, most + b],
          [0, 0],
        ),
      };
    }),
    storms: runs.map(({ storms }) => storms).reduce(addStorms, noStorms()),
  };
}
