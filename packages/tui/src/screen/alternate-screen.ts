/** The terminal's other screen, so that what was on it before comes back. */

/** Other screen, cleared, cursor hidden. */
const ENTER = '\u001b[?1049h\u001b[H\u001b[2J\u001b[?25l';
/** Colours off, cursor shown, first screen. */
const LEAVE = '\u001b[0m\u001b[?25h\u001b[?1049l';
const CLEAR = '\u001b[H\u001b[2J';

export interface AlternateScreen {
  enter(): void;
  /** Does nothing where it has been left. */
  leave(): void;
  clear(): void;
}

/** @param write to the terminal, at once */
export function createAlternateScreen(write: (text: string) => unknown): AlternateScreen {
  let isEntered = false;
  return {
    enter: () => {
      isEntered = true;
      write(ENTER);
    },
    leave: () => {
      if (!isEntered) return;
      isEntered = false;
      write(LEAVE);
    },
    clear: () => {
      if (isEntered) write(CLEAR);
    },
  };
}
