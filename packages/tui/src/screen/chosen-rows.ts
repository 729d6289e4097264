/** Which rows a list shows, in which order: filter, search, sort. */
import type { CauseView, StormView, VirtqueueJudgement, VirtqueueView } from '../dashboard.js';
import type { CauseSortKey, FilterKey, ScreenState, SortKey } from './screen-state.js';

/**
 * Virtqueues as the state asks for them. The worst are those with most accesses in the window that surely or
 * maybe miss the map; without any in the window, those of the whole trace.
 */
export function shownVirtqueues(
  virtqueues: readonly VirtqueueView[],
  {
    sort,
    isReversed,
    filter,
    search,
  }: Pick<ScreenState, 'sort' | 'isReversed' | 'filter' | 'search'>,
): VirtqueueView[] {
  const wanted = search.toLowerCase();
  const shown = virtqueues
    .filter((one) => FILTERS[filter](one) && (wanted === '' || describe(one).includes(wanted)))
    .toSorted((a, b) => ORDERS[sort](a, b) || a.vq - b.vq);
  return isReversed ? shown.toReversed() : shown;
}

/** What a search looks through. */
function describe({ vq, dev, owner, index, transmits, chosen }: VirtqueueView): string {
  return [
    `vq ${vq}`,
    dev === undefined ? '' : `dev ${dev}`,
    index === undefined ? '' : `index ${index}`,
    owner === undefined ? '' : `${owner.comm} pid ${owner.pid}`,
    transmits ? 'tx' : '',
    ...chosen.reasons.map(([reason]) => reason),
  ]
    .join(' ')
    .toLowerCase();
}

const FILTERS: Readonly<Record<FilterKey, (one: VirtqueueView) => boolean>> = {
  all: () => true,
  // Of what is not known nothing is left out.
  active: ({ rates }) => rates.accesses !== 0 || rates.rounds !== 0,
  'not all hits': ({ chosen }) => chosen.total.hits < chosen.total.accesses,
  invalidated: ({ rates }) => rates.overlapping !== 0,
  transmit: ({ transmits }) => transmits,
};

const ORDERS: Readonly<Record<SortKey, (a: VirtqueueView, b: VirtqueueView) => number>> = {
  worst: (a, b) =>
    missed(b.chosen.window) - missed(a.chosen.window) ||
    missed(b.chosen.total) - missed(a.chosen.total),
  number: () => 0,
  accesses: (a, b) => b.rates.accesses - a.rates.accesses,
  invalidations: (a, b) => b.rates.overlapping - a.rates.overlapping,
};

function missed({ accesses, hits }: VirtqueueJudgement['window']): number {
  return accesses - hits;
}

/** Index of the chosen row; that of the first where it is not in the list. */
export function chosenIndex<Row>(rows: readonly Row[], isChosen: (row: Row) => boolean): number {
  return Math.max(0, rows.findIndex(isChosen));
}

export function searchedStorms(storms: readonly StormView[], search: string): readonly StormView[] {
  if (search === '') return storms;
  const wanted = search.toLowerCase();
  return storms.filter((storm) =>
    [
      `storm ${storm.number} dev ${storm.dev}`,
      ...storm.causes.map(([name]) => name),
      ...storm.processes.map(({ pid, comm }) => `${comm} pid ${pid}`),
    ]
      .join(' ')
      .toLowerCase()
      .includes(wanted),
  );
}

/** Causes as the state asks for them; of as many, those with more ranges first. */
export function shownCauses(
  causes: readonly CauseView[],
  {
    search,
    causeSort,
    areCausesReversed,
  }: Pick<ScreenState, 'search' | 'causeSort' | 'areCausesReversed'>,
): CauseView[] {
  const wanted = search.toLowerCase();
  const shown = causes
    .filter(({ cause, className, pid, comm }) =>
      `${cause} ${className ?? ''} ${comm} pid ${pid}`.toLowerCase().includes(wanted),
    )
    .toSorted((a, b) => CAUSE_ORDERS[causeSort](a, b) || b.ranges - a.ranges);
  return areCausesReversed ? shown.toReversed() : shown;
}

const CAUSE_ORDERS: Readonly<Record<CauseSortKey, (a: CauseView, b: CauseView) => number>> = {
  fallbacks: (a, b) => b.fallbacks - a.fallbacks,
  ranges: () => 0,
  now: (a, b) => b.inWindow - a.inWindow,
  process: (a, b) => (a.comm === b.comm ? a.pid - b.pid : a.comm < b.comm ? -1 : 1),
};
