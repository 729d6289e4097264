/** Who made the invalidations over rings, and why: as `--json` prints it, and for people. */
import {
  INVALIDATION_CAUSES,
  INVALIDATION_CLASSES,
  type MadeInvalidations,
} from '@vhostscope/model';
import { counted, grouped, printable } from '@vhostscope/terminal';
import { z } from 'zod';
import { listLines, wrapped } from './text-parts.js';

const count = z.number().int().nonnegative();

export const makersSchema = z.object({
  /** Blockable range starts that touch rings, each once; no design changes that. */
  invalidations: count,
  /** By enum mmu_notifier_event. */
  causes: z.record(z.string(), count),
  /** By what the kernel stack says; null where no stack was recorded. */
  classes: z.record(z.string(), count).nullable(),
  /** The most first, told apart by both, over all recordings. `comm` is of a traced host: not for a terminal. */
  processes: z.array(z.object({ pid: count, comm: z.string(), invalidations: count })),
  /** Of processes for which there was no room. */
  other_processes: count,
  /** Of those, made by threads named as vhost workers are (vhost-PID). */
  by_workers: count,
});
export type Makers = z.infer<typeof makersSchema>;

/** As `vhost_dev_set_owner` names its worker. */
const WORKER = /^vhost-\d+$/;

export function makersResult(made: MadeInvalidations): Makers {
  return {
    invalidations: made.all,
    causes: named(made.byCause, INVALIDATION_CAUSES),
    classes: made.byClass === undefined ? null : named(made.byClass, INVALIDATION_CLASSES),
    processes: made.processes.map(({ pid, comm, invalidations }) => ({ pid, comm, invalidations })),
    other_processes: made.others,
    by_workers: made.processes.reduce(
      (sum, { comm, invalidations }) => sum + (WORKER.test(comm) ? invalidations : 0),
      0,
    ),
  };
}

function named(
  counts: ReadonlyMap<number, number>,
  names: readonly string[],
): Record<string, number> {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.map(([code, times]) => [names[code] ?? String(code), times]));
}

const MOST_SHOWN = 5;

export function makersLines(makers: Makers): string[] {
  const { invalidations, causes, classes, processes, by_workers: byWorkers } = makers;
  if (invalidations === 0) return [];
  const shares = (counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts).map(([name, times]) => `${name} ${grouped(times)}`);
  const shown = processes.slice(0, MOST_SHOWN);
  const who = shown.map(
    ({ pid, comm, invalidations: times }) => `${printable(comm)} (pid ${pid}) ${grouped(times)}`,
  );
  const rest = invalidations - shown.reduce((sum, { invalidations: times }) => sum + times, 0);
  if (rest > 0) who.push(`others ${grouped(rest)}`);
  return [
    '',
    `who invalidates the rings: ${counted(invalidations, 'invalidation')}`,
    ...(classes === null
      ? listLines('  causes', shares(causes))
      : listLines('  why', shares(classes))),
    ...listLines('  who', who),
    ...(byWorkers === 0
      ? []
      : wrapped(
          '  ',
          `${grouped(byWorkers)} by threads named as vhost workers are: their own copies to a ring, mostly (copy on ` +
            'write), which a map would have spared',
        )),
  ];
}
