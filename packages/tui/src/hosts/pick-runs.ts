/** Which runs of a server are followed: one of each host, under way or over lately. */
import type { WatchedRun } from '@vhostscope/fleet';

/** A run of which nothing was heard for so long is none of now, whether it ended or not, ms. */
export const LATELY_MS = 3_600_000;
/** A run that goes on is heard of all the time; one that is silent for so long may have been given up, ms. */
const SILENT_MS = 30_000;

export interface PickedRuns {
  readonly followed: readonly WatchedRun[];
  /** Hosts beyond those that can be followed. */
  readonly leftOut: readonly string[];
}

/**
 * @param now by the server's clock, ms since 1970
 * @param before the run of each host that is followed so far
 * @param most hosts at a time: those that are followed stay, then those that were heard of last
 */
export function pickRuns(
  runs: Iterable<WatchedRun>,
  now: number,
  before: ReadonlyMap<string, string>,
  most: number,
): PickedRuns {
  const byHost = new Map<string, WatchedRun[]>();
  for (const run of runs)
    if (now - run.lastMs < LATELY_MS) byHost.set(run.host, [...(byHost.get(run.host) ?? []), run]);
  const picked = [...byHost].flatMap(([host, all]) => pickOne(all, before.get(host), now) ?? []);
  const ordered = picked.toSorted(
    (a, b) =>
      Number(b.end === undefined) - Number(a.end === undefined) ||
      Number(before.has(b.host)) - Number(before.has(a.host)) ||
      b.lastMs - a.lastMs ||
      (a.host < b.host ? -1 : 1),
  );
  return {
    followed: ordered.slice(0, most),
    leftOut: ordered
      .slice(most)
      .map(({ host }) => host)
      .toSorted(),
  };
}

/** The one that was heard of last, but the one that is followed is not left while it goes on. */
function pickOne(
  runs: readonly WatchedRun[],
  followed: string | undefined,
  now: number,
): WatchedRun | undefined {
  const isGoingOn = ({ end, lastMs }: WatchedRun): boolean =>
    end === undefined && now - lastMs < SILENT_MS;
  const current = runs.find(({ run }) => run === followed);
  if (current !== undefined && isGoingOn(current)) return current;
  return runs.toSorted(
    (a, b) => Number(isGoingOn(b)) - Number(isGoingOn(a)) || b.lastMs - a.lastMs,
  )[0];
}
