/**
 * Signs that stand for whole rows. Ink looks at every character of every row at every frame, which costs ten
 * times what all the rest does; so it gets one sign for each row, lays those out, and the rows are put back
 * for them on the way to the terminal.
 */
export interface RowTokens {
  /** A character that stands for the row. */
  readonly tokenOf: (row: string) => string;
  /** The row; what is no token is itself. */
  rowOf(token: string): string;
  /** There is no room for the rows of another frame: begin anew. */
  isFull(): boolean;
}

/** Private characters, which no printable text holds: names are escaped where they have some. */
const FIRST = 0xe000;
const LAST = 0xf8ff;
/** Kept free for the rows of one frame. */
const RESERVE = 512;

export function createRowTokens(): RowTokens {
  const tokens = new Map<string, string>();
  const rows: string[] = [];
  return {
    tokenOf: (row) => {
      const known = tokens.get(row);
      if (known !== undefined) return known;
      const token = String.fromCharCode(FIRST + rows.length);
      tokens.set(row, token);
      rows.push(row);
      return token;
    },
    rowOf: (token) => rows[token.charCodeAt(0) - FIRST] ?? token,
    isFull: () => rows.length > LAST - FIRST - RESERVE,
  };
}
