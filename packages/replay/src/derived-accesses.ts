/** Accesses of a stock host that follow from an event, taken out of the tallies of an engine that is stepped. */
import { ACCESSORS, derivedIndex, OUTCOME_NAMES, type Engine } from '@vhostscope/model';

/** Accesses of one kind that a round made, and what became of them. */
export interface DerivedAccesses {
  readonly accessor: number;
  readonly outcome: number;
  /** At least, at most (Infinity where nothing bounds them), and the estimate. */
  readonly least: number;
  readonly most: number;
  readonly estimate: number;
}

export const NO_ACCESSES: readonly DerivedAccesses[] = [];

/** What was counted since the last time. The engine is the caller's own: its tallies are read nowhere else. */
export function takeDerived({ tallies }: Engine, vq: number): readonly DerivedAccesses[] {
  const { derived } = tallies;
  if (derived === undefined) return NO_ACCESSES;
  const { least, most, estimate } = derived;
  const found: DerivedAccesses[] = [];
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    for (let outcome = 0; outcome < OUTCOME_NAMES.length; outcome++) {
      const place = derivedIndex(vq, accessor, outcome);
      if ((most[place] ?? 0) === 0) continue;
      found.push({
        accessor,
        outcome,
        least: least[place] ?? 0,
        most: most[place] ?? 0,
        estimate: estimate[place] ?? 0,
      });
      least[place] = 0;
      most[place] = 0;
      estimate[place] = 0;
    }
  }
  return found;
}

/** Why what came since the last time is ambiguous; undefined where several reasons mix. */
export function takeDoubt({ tallies }: Engine): number | undefined {
  const doubts = tallies.derived?.doubts;
  if (doubts === undefined) return undefined;
  let found: number | undefined;
  let kinds = 0;
  for (const [doubt, accesses] of doubts.entries()) {
    if (accesses === 0) continue;
    found = doubt;
    kinds++;
    doubts[doubt] = 0;
  }
  return kinds === 1 ? found : undefined;
}
