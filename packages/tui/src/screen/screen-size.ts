/** How large a terminal must be. */
import { lineOf, type Line } from './styled-line.js';

/** Cells and rows of the terminal. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const LEAST: ScreenSize = { columns: 80, rows: 24 };

export function isTooSmall({ columns, rows }: ScreenSize): boolean {
  return columns < LEAST.columns || rows < LEAST.rows;
}

export function tooSmallLines({ columns, rows }: ScreenSize): Line[] {
  return [
    lineOf(`needs ${LEAST.columns}x${LEAST.rows}`, 'strong'),
    lineOf(`this is ${columns}x${rows}`),
    lineOf('q leaves', 'faint'),
  ];
}
