/** What a terminal shows and takes keys for: the dashboard of a run, or the hosts of a server. */
import type { ReactElement } from 'react';
import type { ScreenSize } from './screen-size.js';

export interface Stage {
  /**
   * Works for at most about `budget` ms.
   *
   * @returns whether what is to be seen is another
   */
  advance(now: number, budget: number): boolean;
  /** It has more to do than time itself brings. */
  readonly isBusy: boolean;
  /** It is to be left, by itself, as what was waited for is done. */
  readonly isOver: boolean;
  /** What is to be seen now. */
  draw(size: ScreenSize, onKeys: ((keys: readonly string[]) => void) | undefined): ReactElement;
  /** @param key a name as in the table of keys */
  press(key: string, size: ScreenSize): Leave | undefined;
  /** What is said as it is left, and with which exit code. */
  farewell(): { readonly text: string | undefined; readonly exitCode: number };
}

/** What becomes of the program; `back` to what it was opened from. */
export type Leave = 'quit' | 'interrupt' | 'suspend' | 'back';
