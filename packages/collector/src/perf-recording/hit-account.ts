/**
 * Holds what the kernel says of its probes, how often each was hit, against the events that arrived: what was hit
 * and did not arrive is lost, whoever lost it. Both are only comparable between two moments at which no event of the
 * probe was under way. So the hits are read several times where the recording begins, and where it ends and the
 * probes are still attached, and of each probe those readings count during which the fewest of its events happened.
 */
import type { ProbeHits } from './tracefs-probes.js';

export interface HitAccount {
  /** What the kernel said between two moments, ns; to be told before events from then on are. */
  noteHits(
    where: 'begin' | 'end',
    from: bigint,
    until: bigint,
    hits: ReadonlyMap<string, ProbeHits>,
  ): void;
  /** An event of a probe has arrived. */
  hear(event: string, time: bigint): void;
  /** All that will ever arrive has. */
  reckon(): Reckoning;
}

export interface Reckoning {
  /** Events that were hit and did not arrive, at least. */
  readonly lost: bigint;
  /** So many more may be missing. */
  readonly unknown: bigint;
  /** Hits at which a probe did nothing. */
  readonly misses: bigint;
  /** Probes of which the kernel did not say how often they were hit. */
  readonly uncounted: readonly string[];
}

interface Reading {
  readonly from: bigint;
  readonly until: bigint;
  readonly hits: ReadonlyMap<string, ProbeHits>;
  /** By event: those that happened while it was made, and those after it. */
  readonly during: Map<string, bigint>;
  readonly after: Map<string, bigint>;
}

/** @param events names of all that are probed */
export function createHitAccount(events: readonly string[]): HitAccount {
  const readings: Record<'begin' | 'end', Reading[]> = { begin: [], end: [] };
  return {
    noteHits: (where, from, until, hits) =>
      readings[where].push({ from, until, hits, during: new Map(), after: new Map() }),
    hear: (event, time) => {
      for (const where of [readings.begin, readings.end])
        for (const { from, until, during, after } of where) {
          if (time < from) continue;
          const counts = time <= until ? during : after;
          counts.set(event, countOf(counts, event) + 1n);
        }
    },
    reckon: () => {
      let lost = 0n;
      let unknown = 0n;
      let misses = 0n;
      const uncounted: string[] = [];
      for (const event of events) {
        const begin = balanceOf(readings.begin, event);
        const end = balanceOf(readings.end, event);
        if (begin === undefined || end === undefined) {
          uncounted.push(event);
          continue;
        }
        const least = atLeastNone(end.least - begin.most);
        lost += least;
        unknown += atLeastNone(end.most - begin.least) - least;
        misses += end.misses - begin.misses;
      }
      return { lost, unknown, misses, uncounted };
    },
  };
}

/** Hits up to a reading and arrivals after it: all that was hit, but for what is lost before it. */
interface Balance {
  readonly least: bigint;
  readonly most: bigint;
  readonly misses: bigint;
}

/**
 * By the readings during which the fewest events of a probe happened. An event may be counted in the kernel a while
 * before it gets its time: then it stands on both sides, and the balance is too great.
 */
function balanceOf(readings: readonly Reading[], event: string): Balance | undefined {
  const balances = readings.flatMap(({ hits, after, during }) => {
    const told = hits.get(event);
    if (told === undefined) return [];
    const least = told.hits + countOf(after, event);
    return { least, most: least + countOf(during, event), misses: told.misses };
  });
  const quiet = balances.toSorted((a, b) => Number(a.most - a.least - (b.most - b.least)));
  const [first] = quiet;
  if (first === undefined) return undefined;
  return quiet
    .filter(({ least, most }) => most - least === first.most - first.least)
    .reduce((best, other) => (other.least < best.least ? other : best));
}

function countOf(counts: ReadonlyMap<string, bigint>, event: string): bigint {
  return counts.get(event) ?? 0n;
}

function atLeastNone(count: bigint): bigint {
  return count > 0n ? count : 0n;
}
