/**
 * What the hosts of a server come to at one moment: the contract between the session that follows them and whoever
 * draws or prints it. Names are as they were published, and whoever draws them makes them printable.
 *
 * Every host has a clock of its own. Ages are by the server's; nothing here sets moments of two hosts in an order.
 */
import type { ClockReading } from '@vhostscope/fleet';
import type { DashboardView, Decided, RecordingView } from '../dashboard.js';

/** A host, by the run of it that is followed. */
export interface HostView {
  readonly host: string;
  readonly run: string;
  /**
   * `waiting`: others are read first; `reading`: the numbers are of a moment that has gone by, as what came before it is
   * still being read; `under way`; `finished` by its writer; `cut`: it ended without that.
   */
  readonly state: 'waiting' | 'reading' | 'under way' | 'finished' | 'cut';
  /** How much of what the server has is in the numbers, 0 to 1. */
  readonly share: number;
  /** In the window before the newest moment, and in all of the run. */
  readonly window: Decided;
  readonly total: Decided;
  /** Hits to hits and fallbacks by slice of the window, oldest first; NaN where nothing was decided. */
  readonly spark: readonly number[];
  /** Per second in the window; NaN where too little of it has passed. */
  readonly rates: Pick<DashboardView['rates'], 'rounds' | 'accesses' | 'overlapping'>;
  /** In all, and those that are under way. */
  readonly storms: number;
  readonly stormsUnderWay: number;
  readonly complete: RecordingView['complete'];
  /** Since the server got its last piece, ms: so far is what is shown behind, at least. */
  readonly age: number;
  /** The newest moment in the numbers, ns of the host's clock; undefined where there is none. */
  readonly boottime: bigint | undefined;
  /** From the host's clock to the server's; undefined where nobody has measured it. */
  readonly clock: ClockReading | undefined;
  /** What is wrong, worst first. */
  readonly problems: readonly string[];
}

export interface HostsView {
  /** The server, as it is named in messages. */
  readonly server: string;
  /** What is wrong with the server, in words. */
  readonly problems: readonly string[];
  /** Which runs there are is known by now. */
  readonly isListed: boolean;
  readonly design: string;
  /** See DashboardView. */
  readonly pinning: readonly string[];
  /** ns */
  readonly window: number;
  /** The worst first. */
  readonly hosts: readonly HostView[];
  /** So many are followed at most. */
  readonly most: number;
  /** Hosts that would be shown if more could be followed. */
  readonly leftOut: readonly string[];
}
