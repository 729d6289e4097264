/** Where in the input the parser is; numbers only, so that moving it costs nothing per line. */
export interface Position {
  /** 1-based. */
  line: number;
  /** What to add to `cursor` for the offset in the input. */
  base: number;
  /** Index in the buffer being read. */
  cursor: number;
  /** Byte offset in the input. */
  offset(): number;
  /** Runs `deliver` for something that began earlier in the input. */
  visit(line: number, offset: number, deliver: () => void): void;
}

/** The position before the first line. */
export function createPosition(): Position {
  return {
    line: 0,
    base: 0,
    cursor: 0,
    offset() {
      return this.base + this.cursor;
    },
    visit(line, offset, deliver) {
      const { line: savedLine, base, cursor } = this;
      this.line = line;
      this.base = offset;
      this.cursor = 0;
      deliver();
      this.line = savedLine;
      this.base = base;
      this.cursor = cursor;
    },
  };
}
