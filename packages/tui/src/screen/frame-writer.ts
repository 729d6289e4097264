/**
 * Brings frames to the terminal: only rows that have changed are written, each at its place and in one piece
 * with the others, so that nothing flickers and nothing scrolls. (Ink 6.8 itself either erases all rows of a
 * frame first, or, where it is to write changed rows only, miscounts them by one.)
 */
export interface FrameWriter {
  /** @param rows none of them wider than the terminal */
  show(rows: readonly string[]): void;
  /** The terminal has been cleared: the next frame is written whole. */
  forget(): void;
}

export function createFrameWriter(write: (text: string) => unknown): FrameWriter {
  let shown: readonly string[] = [];
  return {
    show: (rows) => {
      let changes = '';
      for (let row = 0; row < Math.max(rows.length, shown.length); row++) {
        const text = rows[row] ?? '';
        if (text === (shown[row] ?? '')) continue;
        // To the beginning of the row, the row, and what was behind it away.
        changes += `\u001b[${row + 1};1H${text}\u001b[0m\u001b[K`;
      }
      shown = rows;
      if (changes !== '') write(changes);
    },
    forget: () => {
      shown = [];
    },
  };
}
