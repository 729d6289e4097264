/**
 * Who plays the newest events of a trace that grows. That is the player on the screen while it is live; when the
 * screen goes somewhere else, the player that it leaves goes on with them: so the way back is short, and what is
 * not kept is never missed.
 */
import type { Source, SourceTrace } from '../source/source.js';
import { wholeUntil } from './extent.js';
import type { Pace, Player } from './player.js';

export interface LiveFront {
  /** Plays them behind the screen; undefined while nobody does. */
  readonly player: Player | undefined;
  /** What is newest comes faster than it is played. */
  readonly isLagging: boolean;
  /** Beyond this moment nothing is kept, ns since the first event; undefined while all is. */
  readonly keptUntil: number | undefined;
  /** The screen is not live any more; the player on it has played what is newest. */
  leave(player: Player | undefined): void;
  /** Another player comes on the screen. */
  replace(shown: Player | undefined, by: Player): void;
  /** The screen is live again. Returns the player that it is to show. */
  join(shown: Player): Player;
  /** All players are of what is not looked at any more. */
  forget(): void;
  /**
   * Plays what is newest, and lets go what of it is not kept: nothing goes that was not played.
   *
   * @returns whether the player on the screen is the one that must play for more to be read
   */
  keepUp(shown: Player | undefined, stands: Standing, pace: Pace): boolean;
}

export interface Standing {
  readonly isLive: boolean;
  /** Live, and yet nothing is played: paused, or a jump is under way. */
  readonly isHeld: boolean;
}

export function createLiveFront(source: Source, trace: SourceTrace, first: bigint): LiveFront {
  let front: Player | undefined;
  /** The player that was live, while it is still the one on the screen. */
  let left: Player | undefined;
  let isLagging = false;
  let keptUntil: number | undefined;

  function forget(): void {
    front = undefined;
    left = undefined;
  }

  return {
    get player() {
      return front;
    },
    get isLagging() {
      return isLagging;
    },
    get keptUntil() {
      return keptUntil;
    },
    leave: (player) => {
      left = player;
    },
    replace: (shown, by) => {
      if (shown === left && shown !== by) front = shown;
    },
    join: (shown) => {
      const newest = front ?? shown;
      forget();
      return newest;
    },
    forget,
    keepUp: (shown, { isLive, isHeld }, pace) => {
      const playing = isLive ? shown : front;
      isLagging = !isHeld && playing?.play(Infinity, pace) === 'limit';
      if (source.keptBytes === undefined) return false;
      keptUntil ??= wholeUntil(trace, first, source.keptBytes);
      const newest = front ?? (isLive || shown === left ? shown : undefined);
      if (newest !== undefined) source.release(newest.merge.unreadFrom());
      return source.isBehind && (newest === undefined || newest === shown);
    },
  };
}
