/** The one model behind the screen, whatever the source. */
import { messageOf } from '@vhostscope/terminal';
import { DamagedBatchError, withName } from '@vhostscope/trace';
import type { Command, DashboardView, Session } from '../dashboard.js';
import type { Source, SourceTrace } from '../source/source.js';
import { createViewBuilder } from '../view/dashboard-view.js';
import { createLoad } from '../view/own-load.js';
import { createClockCheck } from './clock-check.js';
import { createJudging, type Judging, type Looking } from './judging.js';
import { createSaving } from './saving.js';
import type { SessionOptions } from './session-options.js';
import { createWhereabouts, type Going, type Whereabouts } from './whereabouts.js';

/** ms between two views, at least, and where nothing happens. */
const VIEW_EVERY = 100;
const IDLE_VIEW_EVERY = 1000;
/** ms from the first batch of a growing trace on, in which all of its CPUs are to be heard of. */
const SETTLING = 500;
/** ns. */
const LEAST_WINDOW = 1e6;

export function openSession(options: SessionOptions, source: Source): Session {
  const build = createViewBuilder(options.designs);
  const load = createLoad();
  const clocks = createClockCheck();
  const saving = createSaving();
  let looking: Looking = {
    chosen: options.design,
    beside: options.beside,
    window: options.window,
  };
  /** What is read. */
  let opened: SourceTrace | undefined;
  let judging: Judging | undefined;
  let where: Whereabouts | undefined;
  /** What was told before there was anything to play. */
  let going: Going = { isPaused: undefined, speed: 1 };
  let vq: number | undefined;
  let failure: string | undefined;
  let answer: DashboardView['answer'];
  let unsaved: string | undefined;
  let shown: DashboardView | undefined;
  let isStale = true;
  /** What the view told of. */
  let stood = '';
  let viewedAt = -Infinity;
  let clock = 0;
  let openedAt = 0;

  const say = (text: string | undefined, isError = false): void => {
    if (text === undefined) return;
    answer = { number: (answer?.number ?? 0) + 1, text, isError };
    isStale = true;
  };

  function open(trace: SourceTrace): void {
    opened = trace;
    const found = createJudging(options, source, trace);
    if (found === undefined) return;
    judging = found;
    // A recorder that came back tells another trace, at the speed of the first.
    where = createWhereabouts(source, found, looking, {
      isPaused: where === undefined ? going.isPaused : undefined,
      speed: where?.speed ?? going.speed,
    });
    openedAt = clock;
  }

  function lookAt(wanted: Looking): void {
    const refused = where?.lookAt(wanted);
    if (refused === undefined) looking = wanted;
    else say(refused, true);
  }

  function choose(which: 'design' | 'beside', name: string | undefined): void {
    const design = options.designs.find((one) => one.name === name);
    if (name !== undefined && design === undefined) say(`no design is called ${name}`, true);
    else if (which === 'beside') lookAt({ ...looking, beside: design });
    else if (design !== undefined) lookAt({ ...looking, chosen: design });
  }

  function save(path: string): void {
    const { trace } = source;
    if (trace === undefined) say('there is no trace yet that could be saved', true);
    else saving.begin(trace, source.keptBytes, path, say);
  }

  function advance(now: number, budget: number): void {
    const isStanding = where !== undefined && (!where.isLive || where.isPaused);
    source.refresh(now, !isStanding && saving.underWay === undefined);
    const { trace } = source;
    if (trace !== undefined && trace !== judging?.trace) open(trace);
    const isOver = source.isFinished || source.state === 'ended' || source.state === 'gone';
    // Nothing can be played; another trace may take its place.
    if (source.lost !== undefined) return;
    // Of a CPU that was not heard of yet nobody knows what it will tell.
    if (!isOver && now - openedAt < SETTLING) return;
    say(where?.advance(now, { deadline: performance.now() + budget, now, isOver }));
  }

  /** What changes when anything does. */
  function standing(): string {
    if (failure !== undefined) return failure;
    try {
      const { player, seeking } = where ?? {};
      const { state, problems } = source;
      const { progress } = saving.underWay ?? {};
      return [state, player?.at, player?.account.events, seeking, progress, ...problems].join();
    } catch (error) {
      return goesOnWithout(error) ? standing() : fail(error);
    }
  }

  function view(): DashboardView {
    const made = build({
      options,
      source,
      player: where?.player,
      first: judging?.first ?? 0n,
      judgement: where?.judgement,
      looking: where?.shown ?? looking,
      wanted: looking,
      vq,
      failure,
      doubt: where?.doubt,
      answer,
      saving: saving.underWay,
      saved: saving.last,
      areClocksAlike: judging === undefined || clocks.areAlike(judging.trace),
      own: load.measure(clock),
      clock: {
        end: where?.end() ?? 0,
        isPaused: where?.isPaused ?? going.isPaused ?? source.isFinished,
        isLive: where?.isLive ?? !source.isFinished,
        isLagging: where?.isLagging ?? false,
        speed: where?.speed ?? going.speed,
        // A jump in which it failed comes to no end.
        seeking: failure === undefined && source.lost === undefined ? where?.seeking : undefined,
        keptUntil: where?.keptUntil,
      },
    });
    // One that only lasts is noticed whenever somebody looks: the first moment that was found stays.
    for (const { number, from } of made.storms)
      if (judging?.storms.has(number) === false) judging.storms.set(number, from);
    return made;
  }

  /** Where a batch is damaged, whether what is left of the trace takes its place: it is played anew. */
  function goesOnWithout(error: unknown): boolean {
    if (!(error instanceof DamagedBatchError)) return false;
    // Another one may have come since it was opened.
    if (source.trace !== opened || !source.endAt(error)) return false;
    judging = undefined;
    where = undefined;
    try {
      if (source.trace !== undefined) open(source.trace);
    } catch (another) {
      if (!goesOnWithout(another)) fail(another);
    }
    return true;
  }

  /** Nothing goes on any more, and nothing is kept for it. */
  function fail(error: unknown): string {
    if (failure === undefined) source.stop();
    failure = messageOf(withName(source.name, error));
    return failure;
  }

  /** A file that was cut cannot be asked any more: what was shown stays. */
  function guardedView(): DashboardView {
    try {
      return view();
    } catch (error) {
      if (goesOnWithout(error)) return guardedView();
      const reason = fail(error);
      if (shown === undefined) throw error;
      const others = shown.source.problems.filter((problem) => problem !== reason);
      return {
        ...shown,
        clock: { ...shown.clock, seeking: undefined },
        source: {
          ...shown.source,
          state: source.state,
          problems: [reason, ...others],
          isStuck: true,
        },
      };
    }
  }

  /** Whether a command can be obeyed without what was read being read again. */
  function needsNothingRead(command: Command): boolean {
    if (command.do === 'live') return source.state !== 'ended';
    return ['pause', 'play', 'speed', 'look at'].includes(command.do);
  }

  function tell(command: Command): void {
    if (source.lost !== undefined && !needsNothingRead(command)) return say(source.lost, true);
    switch (command.do) {
      case 'pause':
        going = { ...going, isPaused: true };
        return where?.pause();
      case 'play':
        going = { ...going, isPaused: false };
        return where?.play();
      case 'live':
        going = { ...going, isPaused: undefined };
        return where?.goLive();
      case 'speed':
        going = { ...going, speed: command.speed };
        return where?.setSpeed(command.speed);
      case 'step':
        return say(where?.step(command.kind, command.by, vq));
      case 'seek':
        return say(where?.seek(command.at));
      case 'seek storm': {
        const known = judging?.storms ?? new Map<number, number>();
        const from = known.get(command.number);
        if (from === undefined)
          say(
            known.size === 0
              ? 'no storm is known'
              : `no storm ${command.number} is known: the newest is ${Math.max(...known.keys())}`,
            true,
          );
        else say(where?.seek(from));
        return;
      }
      case 'design':
      case 'beside':
        return choose(command.do, command.name);
      case 'window':
        return lookAt({ ...looking, window: Math.max(LEAST_WINDOW, command.ns) });
      case 'look at':
        ({ vq } = command);
        return;
      case 'save':
        save(command.path);
    }
  }

  return {
    view: () => {
      if (shown !== undefined && !isStale) return shown;
      shown = guardedView();
      isStale = false;
      stood = standing();
      viewedAt = clock;
      return shown;
    },
    tell: (command) => {
      isStale = true;
      attempt(() => tell(command));
    },
    advance: (now, budget) => {
      clock = now;
      attempt(() => {
        if (failure === undefined) advance(now, budget);
      });
      if (isStale) return true;
      const elapsed = now - viewedAt;
      // Its own load changes all the time.
      if (elapsed >= IDLE_VIEW_EVERY || (elapsed >= VIEW_EVERY && standing() !== stood))
        isStale = true;
      return isStale;
    },
    close: async () => {
      unsaved = await saving.giveUp();
      await source.close();
    },
    get unsaved() {
      return unsaved;
    },
  };

  /** What is wrong with a trace shows as it is read: the screen stays up and says so. */
  function attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!goesOnWithout(error)) fail(error);
      isStale = true;
    }
  }
}
