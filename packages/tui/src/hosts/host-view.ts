/** A host as one row: its run as the server has it, and the numbers of its session. */
import type { ClockReading, WatchedRun } from '@vhostscope/fleet';
import type { DashboardView, Decided } from '../dashboard.js';
import type { HostView } from './hosts-view.js';

/** What is known of a run that is followed. */
export interface KnownOfRun {
  readonly view: DashboardView;
  /** Bytes of the run that were understood. */
  readonly good: number;
  readonly clock: ClockReading | undefined;
  readonly isBehind: boolean;
}

/**
 * @param now by the server's clock, ms since 1970
 * @param known undefined of a run that waits to be read
 */
export function hostView(run: WatchedRun, now: number, known: KnownOfRun | undefined): HostView {
  const { host, run: name, lastMs } = run;
  // It was stored just now, and the server's time is not known that well.
  const age = Math.max(0, now - lastMs);
  if (known === undefined) return { host, run: name, state: 'waiting', age, ...UNKNOWN };
  const { view, clock } = known;
  const { total, window, spark } = view.total;
  const numbers = storms(view);
  return {
    host,
    run: name,
    state: stateOf(run, known),
    share: shareOf(run, known),
    window,
    total,
    spark,
    rates: view.rates,
    ...numbers,
    complete: view.recording.complete,
    age,
    boottime: view.clock.events === 0 ? undefined : view.clock.boottime,
    clock,
    // Of a run that is there, what it says while nothing has come is not so.
    problems: view.source.state === 'waiting' ? [] : view.source.problems,
  };
}

/** What is judged anew at its end is not all there before it was. */
function shareOf({ bytes }: WatchedRun, { good, isBehind }: KnownOfRun): number {
  return Math.min(isBehind ? 0.99 : 1, bytes === 0 ? 0 : good / bytes);
}

function stateOf(
  { end }: WatchedRun,
  { isBehind, view: { source } }: KnownOfRun,
): HostView['state'] {
  if (isBehind) return 'reading';
  // The last piece may be on its way.
  if (end === undefined || source.state === 'waiting' || source.state === 'reading')
    return 'under way';
  return end === 'closed' ? 'finished' : 'cut';
}

function storms({ storms: all }: DashboardView): Pick<HostView, 'storms' | 'stormsUnderWay'> {
  return {
    storms: all.reduce((most, { number }) => Math.max(most, number), 0),
    stormsUnderWay: all.filter(({ isOver }) => !isOver).length,
  };
}

const NOTHING: Decided = {
  accesses: 0,
  hits: 0,
  fallbacks: 0,
  iotlb: 0,
  ambiguous: 0,
  isEstimated: false,
};

const UNKNOWN = {
  share: 0,
  window: NOTHING,
  total: NOTHING,
  spark: [],
  rates: { rounds: Number.NaN, accesses: Number.NaN, overlapping: Number.NaN },
  storms: 0,
  stormsUnderWay: 0,
  complete: 'not known yet',
  boottime: undefined,
  clock: undefined,
  problems: [],
} as const;

/**
 * The worst first: hosts in a storm, then those with the least hit ratio that is sure, then those without an access in
 * the window; what is over stands behind what goes on, and what waits to be read behind all.
 */
export function worstFirst(a: HostView, b: HostView): number {
  return (
    rankOf(a) - rankOf(b) ||
    ratioOf(a) - ratioOf(b) ||
    (a.host < b.host ? -1 : a.host > b.host ? 1 : 0)
  );
}

function rankOf({ state, stormsUnderWay, window }: HostView): number {
  if (state === 'waiting') return 4;
  if (state === 'finished' || state === 'cut') return 3;
  if (stormsUnderWay > 0) return 0;
  return window.accesses > 0 ? 1 : 2;
}

/** What is not known is not bad. */
function ratioOf({ window: { accesses, hits } }: HostView): number {
  return accesses === 0 ? 1 : hits / accesses;
}
