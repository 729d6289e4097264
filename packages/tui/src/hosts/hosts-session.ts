/** Follows a run of each host of a server: a session for each, as the dashboard of one run has, and all within bounds. */
import type { ClockReading, Fleet, WatchedRun, RunName, RunWatch } from '@vhostscope/fleet';
import { pinsPages } from '@vhostscope/replay';
import { messageOf } from '@vhostscope/terminal';
import { isBusy } from '../busy-session.js';
import type { DashboardView, Session } from '../dashboard.js';
import type { SessionOptions } from '../session/session-options.js';
import { openSession } from '../session/session.js';
import { followRun } from '../source/server-run.js';
import type { Source } from '../source/source.js';
import { hostView, worstFirst } from './host-view.js';
import type { HostsView } from './hosts-view.js';
import { pickRuns } from './pick-runs.js';

export interface HostsSession {
  /** The newest numbers; the same object until something has changed. Cheap. */
  view(): HostsView;
  /** Replays what has come, for at most about `budget` ms. Returns whether the view is another one. */
  advance(now: number, budget: number): boolean;
  /** What has come is not yet replayed. */
  readonly isBusy: boolean;
  /** A run in a session of its own, read from its beginning. @throws OutputError where nothing can be kept */
  open(run: RunName): Session;
  close(): Promise<void>;
}

/** So many hosts are followed at most: each has an engine, a file that keeps what came, and a share of one CPU. */
export const MOST_HOSTS = 32;
/** Runs that are read from their beginning at a time: each has some megabytes on the way. */
const READ_AT_ONCE = 4;
/** A reading that comes no further for so long lets the next one begin, ms. */
const STALLED_MS = 5000;
/** Between two looks at the numbers, and at which runs there are, ms. */
const VIEW_EVERY_MS = 500;
/** Between two looks at the clocks of the hosts, ms. */
const CLOCK_EVERY_MS = 60_000;
/** Beyond what is kept, so much of a run waits for the engine, bytes. */
const MOST_PASSING = 8 * 2 ** 20;

type Server = Pick<Fleet, 'url' | 'isCut' | 'readRun' | 'readClocks' | 'close'>;

/** A host that is followed. */
interface Followed {
  run: WatchedRun;
  readonly source: Source;
  readonly session: Session;
  shown: DashboardView;
  clock: ClockReading | undefined;
  isClockAsked: boolean;
  /** Bytes of the run that were understood, and when they became more. */
  good: number;
  cameFurtherAt: number;
}

export function openHosts(
  fleet: Server,
  watch: Pick<RunWatch, 'runs' | 'isCaughtUp' | 'trouble' | 'now' | 'close'>,
  options: SessionOptions,
  most = MOST_HOSTS,
): HostsSession {
  /** By host; those that wait have no session. */
  const followed = new Map<string, Followed>();
  const pinning = options.designs.filter(pinsPages).map(({ name }) => name);
  let waiting: readonly WatchedRun[] = [];
  let leftOut: readonly string[] = [];
  let trouble: string | undefined;
  const closing = new Set<Promise<void>>();
  /** Of the hosts in turn, the one that comes first. */
  let turn = 0;
  let lookedAt = -Infinity;
  let clocksAt = -Infinity;
  let shown: HostsView | undefined;

  /** Who closes the source of one run does not close the server. */
  const lent = {
    readRun: fleet.readRun,
    close: async () => Promise.resolve(),
    get isCut() {
      return fleet.isCut;
    },
  };
  // Rows are of one design, and all of them together keep what one dashboard does.
  const each: SessionOptions = {
    ...options,
    beside: undefined,
    keep: Math.floor(options.keep / most),
  };

  function follow(run: WatchedRun, now: number): void {
    const source = followRun(lent, run, each.keep, MOST_PASSING);
    const session = openSession(each, source);
    followed.set(run.host, {
      run,
      source,
      session,
      shown: session.view(),
      clock: undefined,
      isClockAsked: false,
      good: 0,
      cameFurtherAt: now,
    });
  }

  function leave(host: string, { session }: Followed): void {
    followed.delete(host);
    const closed = session.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  /** Which runs there are may have changed. */
  function pick(now: number): void {
    // Of what goes on while the server is away, or this machine asleep, nobody has heard until it has answered.
    if (!watch.isCaughtUp || fleet.isCut) return;
    const before = new Map(
      [...followed.values(), ...waiting.map((run) => ({ run }))].map(({ run }) => [
        run.host,
        run.run,
      ]),
    );
    const picked = pickRuns(watch.runs.values(), watch.now(), before, most);
    ({ leftOut } = picked);
    const wanted = new Map(picked.followed.map((run) => [run.host, run]));
    for (const [host, one] of followed) {
      const run = wanted.get(host);
      if (run?.run === one.run.run) one.run = run;
      else leave(host, one);
    }
    const others = picked.followed.filter(({ host }) => !followed.has(host));
    const reading = [...followed.values()].filter((one) => isReading(one, now)).length;
    const begun = others.slice(0, Math.max(0, READ_AT_ONCE - reading));
    waiting = others;
    trouble = undefined;
    for (const run of begun) {
      try {
        follow(run, now);
      } catch (error) {
        // No room to keep what comes: the others go on.
        trouble = messageOf(error);
        break;
      }
    }
    waiting = others.filter(({ host }) => !followed.has(host));
  }

  /** It is on its way to what is newest. */
  function isReading(one: Followed, now: number): boolean {
    return isBehind(one) && now - one.cameFurtherAt < STALLED_MS;
  }

  function look(now: number): void {
    let isNew = false;
    for (const one of followed.values()) {
      one.shown = one.session.view();
      const good = one.source.trace?.index.goodBytes ?? 0;
      if (good > one.good) one.cameFurtherAt = now;
      one.good = good;
      isNew ||= one.clock === undefined && !one.isClockAsked;
    }
    if (!isNew && now - clocksAt < CLOCK_EVERY_MS) return;
    clocksAt = now;
    const asked = [...followed.values()];
    for (const one of asked) one.isClockAsked = true;
    void readClocks(asked);
  }

  /** Of a clock that cannot be asked for now it is said that it is not known. */
  async function readClocks(asked: readonly Followed[]): Promise<void> {
    const clockOf = await fleet.readClocks().catch(() => undefined);
    for (const one of asked) one.clock = clockOf?.(one.run) ?? one.clock;
  }

  function view(): HostsView {
    const now = watch.now();
    const rows = [
      ...[...followed.values()].map((one) =>
        hostView(one.run, now, {
          view: one.shown,
          good: one.good,
          clock: one.clock,
          isBehind: isBehind(one),
        }),
      ),
      ...waiting.map((run) => hostView(run, now, undefined)),
    ];
    return {
      server: fleet.url.name,
      problems: [
        ...(fleet.isCut
          ? ['the connection to the server is cut; it is tried again']
          : watch.trouble === undefined
            ? []
            : [watch.trouble]),
        ...(trouble === undefined ? [] : [trouble]),
      ],
      isListed: watch.isCaughtUp,
      design: options.design.name,
      pinning,
      window: options.window,
      hosts: rows.toSorted(worstFirst),
      most,
      leftOut,
    };
  }

  return {
    view: () => (shown ??= view()),
    advance: (now, budget) => {
      const end = performance.now() + budget;
      const all = [...followed.values()];
      for (const at of all.keys()) {
        const left = end - performance.now();
        if (at > 0 && left <= 0) break;
        // Who was not reached comes first in the next turn.
        turn++;
        all[turn % all.length]?.session.advance(now, Math.max(1, left / (all.length - at)));
      }
      if (now - lookedAt < VIEW_EVERY_MS) return false;
      lookedAt = now;
      look(now);
      pick(now);
      shown = undefined;
      return true;
    },
    get isBusy() {
      return [...followed.values()].some((one) => isBusy(one.shown));
    },
    open: (run) => {
      const source = followRun(lent, run, options.keep);
      return openSession(options, source);
    },
    close: async () => {
      for (const [host, one] of followed) leave(host, one);
      await watch.close();
      await Promise.all(closing);
      await fleet.close();
    },
  };
}

/** More of the run is on the server, or was read, than is in the numbers. */
function isBehind({ run, good, shown: { clock, source } }: Followed): boolean {
  if (clock.seeking !== undefined) return true;
  if (source.isStuck || source.state === 'ended' || source.state === 'gone') return false;
  return good < run.bytes - (clock.events === 0 ? 0 : A_MOMENT_BYTES);
}

/** What comes all the time may be on its way, bytes. */
const A_MOMENT_BYTES = 1 << 19;
