/** One line on stderr that is written over, and goes: what is under way stands on it. */
export interface PassingLine {
  show(text: string): void;
  clear(): void;
}

/**
 * What is behind the cursor away. Not from the beginning of the line on: where that is the first of the screen, tmux
 * takes it for the screen being cleared, and keeps what stood there.
 */
const AWAY = '\u001b[J';
const WITHOUT_WRAP = '\u001b[?7l';
const WRAPPING = '\u001b[?7h';

/**
 * The cursor waits where the line begins: of a terminal that becomes narrower, and makes several lines of one, it
 * stands at the first of them then.
 *
 * @returns undefined where stderr is no terminal that can write over a line
 */
export function openPassingLine(): PassingLine | undefined {
  const { stderr } = process;
  if (!stderr.isTTY || process.env['TERM'] === 'dumb') return undefined;
  return {
    show: (text) => {
      const fitting = text.slice(0, Math.max(0, stderr.columns - 1));
      // Of a terminal that has become narrower just now the width is not known yet.
      stderr.write(`\r${WITHOUT_WRAP}${fitting}${AWAY}${WRAPPING}\r`);
    },
    clear: () => {
      stderr.write(`\r ${AWAY}\r`);
    },
  };
}
