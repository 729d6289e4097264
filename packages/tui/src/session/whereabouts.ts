/**
 * Where in the trace the screen stands, and how it moves. A position is a moment: all events before it are in the
 * numbers. Going on is playing; going back is playing again from the start, in slices, while the screen shows what
 * it showed.
 */
import type { StepKind } from '../dashboard.js';
import type { Source } from '../source/source.js';
import { createLastMoment } from './extent.js';
import type { Judging, Looking } from './judging.js';
import { createLiveFront } from './live-front.js';
import { createPlayClock } from './play-clock.js';
import { createPlayer, type Pace, type Player } from './player.js';
import { lastMoments, NONE_BEFORE, NOT_FOUND, notKept, wantedEvent } from './step.js';
import type { Judgement } from './survey.js';
import { progressOf, type Seek, type Work } from './work.js';

/** How it goes on, as it was told before there was anything to play. */
export interface Going {
  /** Undefined: as such a trace is opened. */
  readonly isPaused: boolean | undefined;
  readonly speed: number | 'max';
}

export interface Whereabouts {
  /** Undefined while nothing was played. */
  readonly player: Player | undefined;
  /** What its numbers are of; what was chosen last may be on its way still. */
  readonly shown: Looking;
  readonly judgement: Judgement | undefined;
  readonly isPaused: boolean;
  readonly isLive: boolean;
  /** The newest events come faster than they are played. */
  readonly isLagging: boolean;
  readonly speed: number | 'max';
  /** How far a jump is, 0 to 1; undefined when none is under way. */
  readonly seeking: number | undefined;
  readonly keptUntil: number | undefined;
  /** Why the numbers may be wrong for good. */
  readonly doubt: string | undefined;
  end(): number;
  pause(): void;
  play(): void;
  goLive(): void;
  setSpeed(speed: number | 'max'): void;
  /** @returns what to say where one cannot go there */
  seek(to: number): string | undefined;
  /** @returns what to say where there is nothing to step to */
  step(kind: StepKind, by: 1 | -1, vq: number | undefined): string | undefined;
  /** What is looked at is another: all is played again up to the same moment. Returns why it cannot be. */
  lookAt(looking: Looking): string | undefined;
  /** @returns what to say of a step that has come to nothing */
  advance(now: number, pace: Pace): string | undefined;
}

const HELD_UP =
  'so much came where nothing is kept (--keep) that the screen cannot stand still any longer: it is live again';

const JUDGED_ANEW =
  'what came by now tells of another kind of recording than its beginning did: all of it is judged anew';
const NOT_JUDGED_ANEW =
  'what came by now tells of another kind of recording than its beginning did, and not all is kept (--keep): the numbers may be wrong';

/** @throws ProgramError where the trace cannot be judged */
export function createWhereabouts(
  source: Source,
  judging: Judging,
  lookingFirst: Looking,
  going: Going,
): Whereabouts {
  const { trace, first } = judging;
  /** Nothing more comes, and all of it can be played again. */
  let { isFinished } = source;
  let looking = lookingFirst;
  let shown = lookingFirst;
  let judgement: Judgement | undefined;
  /** On the screen. */
  let player: Player | undefined;
  const front = createLiveFront(source, trace, first);
  const lastMoment = createLastMoment(trace, first);
  let work: Work | undefined;
  let isPaused = isFinished;
  let isLive = !isFinished;
  let doubt: string | undefined;
  const clock = createPlayClock(going.speed);

  const end = (): number =>
    Math.max(player?.account.last ?? 0, front.player?.account.last ?? 0, lastMoment(), 0);

  /** Plays from the start up to a moment; Infinity for the end. */
  function rebuild(to: number, isOfEnd = false): void {
    const survey = judging.surveyFor(looking);
    if (survey !== undefined) {
      work = { does: 'survey', survey, to, isOfEnd };
      return;
    }
    const options = judging.accountOptions(looking);
    if (options === undefined) return;
    const made = createPlayer(trace, options);
    work = { does: 'seek', player: made, looking, from: 0, to };
    skipTo(made, to);
  }

  /** What is shown is of this. */
  function show(of: Looking): void {
    shown = of;
    judgement = judging.judgementOf(of.chosen);
  }

  function skipTo({ account }: Player, to: number): void {
    account.skipUntil(to === Infinity ? end() : to);
  }

  /** Where it is, or will be. */
  function heading(): number {
    return work === undefined || work.does === 'step' ? (player?.at ?? 0) : work.to;
  }

  /** Another player is on its way to take the place of the one that is shown. */
  function isRebuilding(): boolean {
    return work?.does === 'survey' || (work?.does === 'seek' && work.player !== player);
  }

  /** Whether a player that keeps only what its goal needs can go to another one. */
  function hasWindowOf(
    to: number,
    { player: made, looking: { window }, to: before }: Seek,
  ): boolean {
    return to >= before || made.at <= to - window;
  }

  /** What is on its way goes to another moment. */
  function redirect(to: number): void {
    if (work?.does === 'survey') work = { ...work, to, isOfEnd: false };
    else if (work?.does === 'seek' && hasWindowOf(to, work)) {
      skipTo(work.player, to);
      work = { ...work, to };
    } else rebuild(to);
  }

  function seek(wanted: number): string | undefined {
    // A growing trace of which nothing was played yet is nowhere else.
    if (player === undefined && !isFinished) return undefined;
    let to = Math.max(0, Math.min(Math.round(wanted), end() + 1));
    if (isLive) isPaused = true;
    leaveLive();
    let said: string | undefined;
    const { keptUntil } = front;
    if (keptUntil !== undefined && to > keptUntil && to !== player?.at) {
      to = keptUntil;
      said = notKept(keptUntil);
    }
    clock.set(to);
    if (player === undefined || isRebuilding()) redirect(to);
    else if (to < player.at || (player.isAtEnd && to <= player.account.last)) rebuild(to);
    // It is on the screen meanwhile: its window is sampled on the way.
    else work = { does: 'seek', player, looking: shown, from: player.at, to };
    return said;
  }

  function step(kind: StepKind, by: 1 | -1, vq: number | undefined): string | undefined {
    if (player === undefined) return undefined;
    if (kind === 'storm') {
      // Which storm is next is known without having come there.
      const from = heading();
      const moments = [...judging.storms.values()].toSorted((a, b) => a - b);
      const found =
        by === 1
          ? moments.find((moment) => moment > from)
          : moments.findLast((moment) => moment < from);
      isPaused = true;
      leaveLive();
      if (found === undefined) return by === 1 ? NOT_FOUND.storm : NONE_BEFORE.storm;
      return seek(found);
    }
    if (work !== undefined && work.does !== 'step')
      return 'it is still going there: step when it has come';
    isPaused = true;
    leaveLive();
    const { at, account } = player;
    if (by === 1) {
      const before = work;
      const isSame = before?.does === 'step' && before.kind === kind && before.vq === vq;
      work = { does: 'step', kind, vq, times: isSame ? before.times + 1 : 1, player };
    } else {
      const [last, before] = lastMoments(kind, account, vq);
      const to = last + 1 < at ? last + 1 : before + 1;
      if (to <= 0) return NONE_BEFORE[kind];
      return seek(to);
    }
    return undefined;
  }

  function leaveLive(): void {
    if (isLive && shown === looking) front.leave(player);
    isLive = false;
  }

  function goLive(): void {
    isPaused = isFinished;
    isLive = !isFinished;
    if (isFinished) {
      seek(Infinity);
      return;
    }
    if (player === undefined) return;
    if (shown !== looking) {
      redirect(Infinity);
      return;
    }
    work = undefined;
    player = front.join(player);
  }

  function play(): void {
    isPaused = false;
    clock.stop(player?.at ?? 0);
    // From its end there is no way but from the start again.
    if (isFinished && heading() > end()) seek(0);
  }

  /** Replays as time goes by. */
  function goOn(now: number, pace: Pace): void {
    if (player === undefined || isPaused || isLive) return;
    const { keptUntil } = front;
    const wanted = clock.reach(now);
    const stop = player.play(Math.min(wanted, keptUntil ?? Infinity), pace);
    if (stop === 'over') isPaused = true;
    // It cannot keep up, or has come to what is newest: it goes as fast as that.
    else if (stop === 'limit' || (stop === 'waits' && wanted > end())) clock.set(player.at);
    if (isFinished || player.at < Math.min(end(), keptUntil ?? Infinity)) return;
    if (stop === 'waits' || keptUntil !== undefined) goLive();
  }

  /** Who stands where nothing is kept cannot stay there for ever. */
  function keepUp(pace: Pace): string | undefined {
    if (isFinished) return undefined;
    const isHeld = isLive && (isPaused || work !== undefined);
    const mustPlay = front.keepUp(player, { isLive, isHeld }, pace);
    if (!mustPlay || (isLive && !isPaused)) return undefined;
    goLive();
    return HELD_UP;
  }

  /** What came later tells of another host than what came first: all is judged anew. */
  function lookAgain(): string | undefined {
    const newest = front.player ?? player;
    if (isFinished || work !== undefined || newest === undefined) return undefined;
    if (!judging.isOutdated(newest.account.told.byKind)) return undefined;
    if (front.keptUntil !== undefined) {
      doubt = NOT_JUDGED_ANEW;
      return undefined;
    }
    judging.forget();
    playAgain();
    return JUDGED_ANEW;
  }

  /** Up to where it is, in another way. */
  function playAgain(): void {
    front.forget();
    rebuild(isLive && player !== undefined ? Infinity : heading());
  }

  /** Nothing more comes: what was followed is a finished trace, and is judged as one. */
  function finish(): void {
    if (isFinished || source.state !== 'ended' || player === undefined || work !== undefined)
      return;
    if (isLive && !isPaused && !player.isAtEnd) return;
    if (source.keptBytes !== undefined) {
      judging.endUnkept();
      show(shown);
      return;
    }
    const to = isLive && player.isAtEnd ? Infinity : player.at;
    isPaused ||= isLive;
    isLive = false;
    isFinished = true;
    front.forget();
    judging.endWhole();
    rebuild(to, true);
  }

  function advanceWork(doing: Work, pace: Pace): string | undefined {
    if (doing.does === 'survey') {
      const found = doing.survey.advance(pace.deadline);
      if (found === undefined) return undefined;
      judging.take(found);
      work = undefined;
      if (doing.isOfEnd && judging.isByRanges(shown)) show(shown);
      else rebuild(doing.to);
      return undefined;
    }
    if (doing.does === 'seek') {
      const { player: made, to } = doing;
      if (made.play(to, pace) === 'limit') return undefined;
      front.replace(player, made);
      player = made;
      show(doing.looking);
      clock.stop(made.at);
      work = undefined;
      return undefined;
    }
    const { kind, vq, times, player: stepping } = doing;
    const { host } = stepping.account.chosen.engine;
    const wanted = wantedEvent(kind, stepping.account, host, vq);
    const { keptUntil } = front;
    const stop = stepping.play(keptUntil ?? Infinity, pace, wanted);
    if (stop === 'limit') return undefined;
    work = stop === 'stopped' && times > 1 ? { ...doing, times: times - 1 } : undefined;
    clock.set(stepping.at);
    if (stop === 'before' && keptUntil !== undefined) return notKept(keptUntil);
    return stop === 'stopped' ? undefined : NOT_FOUND[kind];
  }

  rebuild(isFinished ? Infinity : 0);
  if (going.isPaused === false) play();
  else if (going.isPaused === true) isPaused = true;

  return {
    get player() {
      return player;
    },
    get shown() {
      return shown;
    },
    get judgement() {
      return judgement;
    },
    get isPaused() {
      return isPaused;
    },
    get isLive() {
      return isLive;
    },
    get isLagging() {
      return !isFinished && front.isLagging;
    },
    get speed() {
      return clock.speed;
    },
    get seeking() {
      return work === undefined ? undefined : progressOf(work, end());
    },
    get keptUntil() {
      return front.keptUntil;
    },
    get doubt() {
      return doubt;
    },
    end,
    pause: () => {
      isPaused = true;
    },
    play,
    goLive,
    setSpeed: (wanted) => {
      clock.speed = wanted;
      clock.set(player?.at ?? 0);
    },
    seek,
    step,
    lookAt: (wanted) => {
      if (front.keptUntil !== undefined)
        return 'not all of the trace is kept (--keep), so it cannot be seen from its start in another way';
      looking = wanted;
      playAgain();
      return undefined;
    },
    advance: (now, pace) => {
      let said: string | undefined;
      while (work !== undefined && said === undefined) {
        said = advanceWork(work, pace);
        if (performance.now() >= pace.deadline) break;
      }
      if (work === undefined) goOn(now, pace);
      const heldUp = keepUp(pace);
      const again = lookAgain();
      finish();
      return said ?? heldUp ?? again;
    },
  };
}
