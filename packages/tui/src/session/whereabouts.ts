/**
 * Where in the trace the screen stands, and how it moves. A position is a moment: all events before it are in the
 * numbers. Going on is playing; going back is playing again from the start, in slices, while the screen shows what
 * it showed.
 *
 * Who goes back from the newest events leaves a player there (`front`), which goes on with them: so the way back
 * is short, and what is not kept is never missed.
 */
import type { Source } from '../source/source.js';
import type { StepKind } from '../dashboard.js';
import { lastMomentOf, wholeUntil } from './extent.js';
import type { Judging, Looking } from './judging.js';
import { createPlayer, type Pace, type Player } from './player.js';
import { lastMoments, wantedEvent, type MomentKind } from './step.js';
import type { Survey } from './survey.js';

/** Something that takes longer than a slice. */
type Work =
  | { readonly does: 'survey'; readonly survey: Survey; readonly to: number }
  | { readonly does: 'seek'; readonly player: Player; readonly from: number; readonly to: number }
  | { readonly does: 'step'; readonly kind: MomentKind; readonly player: Player };

export interface Whereabouts {
  /** Undefined while nothing was played. */
  readonly player: Player | undefined;
  readonly isPaused: boolean;
  readonly isLive: boolean;
  readonly speed: number | 'max';
  /** How far a jump is, 0 to 1; undefined when none is under way. */
  readonly seeking: number | undefined;
  readonly keptUntil: number | undefined;
  end(): number;
  pause(): void;
  play(): void;
  goLive(): void;
  setSpeed(speed: number | 'max'): void;
  seek(to: number): void;
  /** @returns what to say where there is nothing to step to */
  step(kind: StepKind, by: 1 | -1, vq: number | undefined): string | undefined;
  /** What is looked at is another: all is played again up to the same moment. Returns why it cannot be. */
  lookAt(looking: Looking): string | undefined;
  /** @returns what to say of a step that has come to nothing */
  advance(now: number, pace: Pace): string | undefined;
}

/** Bytes that may wait unseen for a screen that is paused, where nothing is kept any more. */
const MOST_PASSING = 256 * 2 ** 20;

/** @throws ProgramError where the trace cannot be judged */
export function createWhereabouts(
  source: Source,
  judging: Judging,
  lookingFirst: Looking,
): Whereabouts {
  const { isFinished } = source;
  const { trace, first } = judging;
  let looking = lookingFirst;
  let player: Player | undefined;
  /** Plays the newest events of a growing trace. */
  let front: Player | undefined;
  /** The player that was live, while it is the one that is shown. */
  let left: Player | undefined;
  let work: Work | undefined;
  let isPaused = isFinished;
  let isLive = !isFinished;
  let speed: number | 'max' = 1;
  let playedAt: number | undefined;
  /** Where playing has come to; parts of a ns add up. */
  let playTo = 0;
  let keptUntil: number | undefined;
  let vqOfStep: number | undefined;

  const end = (): number =>
    Math.max(player?.account.last ?? 0, front?.account.last ?? 0, lastMomentOf(trace, first), 0);

  /** Plays from the start up to a moment; Infinity for the end. */
  function rebuild(to: number): void {
    const survey = judging.surveyFor(looking);
    if (survey !== undefined) {
      work = { does: 'survey', survey, to };
      return;
    }
    const options = judging.accountOptions(looking);
    if (options === undefined) return;
    const made = createPlayer(trace, options);
    made.account.skipUntil(to === Infinity ? end() : to);
    work = { does: 'seek', player: made, from: 0, to };
  }

  function seek(wanted: number): void {
    if (player === undefined) return;
    let to = Math.max(0, Math.min(Math.round(wanted), end() + 1));
    if (isLive) isPaused = true;
    leaveLive();
    if (keptUntil !== undefined && to > keptUntil && to !== player.at) to = keptUntil;
    playTo = to;
    if (to < player.at || (player.isAtEnd && to <= player.account.last)) rebuild(to);
    else {
      player.account.skipUntil(to);
      work = { does: 'seek', player, from: player.at, to };
    }
  }

  function step(kind: StepKind, by: 1 | -1, vq: number | undefined): string | undefined {
    if (player === undefined) return undefined;
    isPaused = true;
    leaveLive();
    const { at, account } = player;
    if (kind === 'storm') {
      const begins = [...judging.storms.values()].toSorted((a, b) => a - b);
      const found =
        by === 1 ? begins.find((begin) => begin > at) : begins.findLast((begin) => begin < at);
      if (found === undefined) return by === 1 ? NOT_FOUND.storm : NONE_BEFORE.storm;
      seek(found);
    } else if (by === 1) {
      vqOfStep = vq;
      work = { does: 'step', kind, player };
    } else {
      const [last, before] = lastMoments(kind, account, vq);
      const to = last + 1 < at ? last + 1 : before + 1;
      if (to <= 0) return NONE_BEFORE[kind];
      seek(to);
    }
    return undefined;
  }

  function leaveLive(): void {
    if (isLive) left = player;
    isLive = false;
  }

  function goLive(): void {
    isPaused = isFinished;
    isLive = !isFinished;
    work = undefined;
    if (isFinished) seek(Infinity);
    player = front ?? player;
    front = undefined;
    left = undefined;
  }

  function goOn(now: number, pace: Pace): void {
    if (player === undefined || isPaused) return;
    if (isLive) {
      player.play(Infinity, pace);
      return;
    }
    if (speed === 'max') playTo = Infinity;
    else if (playedAt !== undefined) playTo += (now - playedAt) * 1e6 * speed;
    playedAt = now;
    const bound = Math.min(
      playTo === Infinity ? Infinity : Math.floor(playTo),
      keptUntil ?? Infinity,
    );
    const stop = player.play(bound, pace);
    if (stop === 'over') isPaused = true;
    // It cannot keep up, or has come to what is newest: it goes as fast as that.
    else if (stop === 'limit' || (stop === 'waits' && playTo > end())) playTo = player.at;
    if (isFinished || player.at < Math.min(end(), keptUntil ?? Infinity)) return;
    if (stop === 'waits' || keptUntil !== undefined) goLive();
  }

  /** What is newest goes on being played, and what was replayed and is not kept goes. */
  function keepUp(pace: Pace): void {
    if (isFinished) return;
    if (!isLive) front?.play(Infinity, pace);
    const newest = isLive ? player : front;
    if (source.keptBytes !== undefined) {
      keptUntil ??= wholeUntil(trace, first, source.keptBytes);
      if (newest !== undefined && newest.merge.waiting().events === 0 && source.release())
        newest.merge.forget();
    }
    // Paused where nothing is kept: it cannot stay there for ever.
    if (front === undefined && isPaused && source.passing > MOST_PASSING) goLive();
  }

  function advanceWork(doing: Work, pace: Pace): string | undefined {
    if (doing.does === 'survey') {
      const found = doing.survey.advance(pace.deadline);
      if (found === undefined) return undefined;
      judging.take(found);
      work = undefined;
      rebuild(doing.to);
      return undefined;
    }
    if (doing.does === 'seek') {
      const { player: made, to } = doing;
      if (made.play(to, pace) === 'limit') return undefined;
      if (player === left && player !== made) front = player;
      player = made;
      playTo = made.at;
      playedAt = undefined;
      work = undefined;
      return undefined;
    }
    const { kind, player: stepping } = doing;
    const { host } = stepping.account.chosen.engine;
    const wanted = wantedEvent(kind, stepping.account, host, vqOfStep);
    const stop = stepping.play(keptUntil ?? Infinity, pace, wanted);
    if (stop === 'limit') return undefined;
    work = undefined;
    playTo = stepping.at;
    return stop === 'stopped' ? undefined : NOT_FOUND[kind];
  }

  function progress(): number | undefined {
    if (work === undefined) return undefined;
    if (work.does === 'survey') return work.survey.progress;
    const reached = work.player.account.last;
    const from = work.does === 'seek' ? work.from : 0;
    const to = work.does === 'seek' ? Math.min(work.to, end()) : end();
    return to <= from ? 1 : Math.max(0, Math.min(1, (reached - from) / (to - from)));
  }

  rebuild(isFinished ? Infinity : 0);

  return {
    get player() {
      return player;
    },
    get isPaused() {
      return isPaused;
    },
    get isLive() {
      return isLive;
    },
    get speed() {
      return speed;
    },
    get seeking() {
      return progress();
    },
    get keptUntil() {
      return keptUntil;
    },
    end,
    pause: () => {
      isPaused = true;
    },
    play: () => {
      if (player === undefined) return;
      isPaused = false;
      playedAt = undefined;
      playTo = player.at;
      if (isFinished && player.isAtEnd) seek(0);
    },
    goLive,
    setSpeed: (wanted) => {
      speed = wanted;
      playTo = player?.at ?? 0;
    },
    seek,
    step,
    lookAt: (wanted) => {
      if (keptUntil !== undefined)
        return 'not all of the trace is kept (--keep), so it cannot be seen from its start in another way';
      looking = wanted;
      front = undefined;
      left = undefined;
      if (player !== undefined || work !== undefined)
        rebuild(isLive ? Infinity : (player?.at ?? 0));
      return undefined;
    },
    advance: (now, pace) => {
      let said: string | undefined;
      while (work !== undefined && said === undefined) {
        said = advanceWork(work, pace);
        if (performance.now() >= pace.deadline) break;
      }
      if (work === undefined) goOn(now, pace);
      keepUp(pace);
      return said;
    },
  };
}

const NOT_FOUND: Readonly<Record<StepKind, string>> = {
  event: 'no event comes after this one',
  round: 'no round comes after this one',
  invalidation: 'no invalidation of a ring comes after this one',
  storm: 'no storm is known after this moment',
};
const NONE_BEFORE: Readonly<Record<StepKind, string>> = {
  event: 'no event came before this one',
  round: 'no round came before this one',
  invalidation: 'no invalidation of a ring came before this one',
  storm: 'no storm began before this moment',
};
