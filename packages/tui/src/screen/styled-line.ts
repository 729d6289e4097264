/** Lines of the screen as data: pieces of text with what they mean. Colours come last, see paint.ts. */
import { cellWidth, cutToWidth } from './cell-width.js';

/**
 * What a piece of text says by its colour; every one of them is told by words or signs too, so that the screen
 * can be read without colours.
 */
export type Tone = 'plain' | 'faint' | 'strong' | 'good' | 'bad' | 'doubt' | 'title' | 'alarm';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
  /** The row that the keys act on. */
  readonly isMarked?: boolean;
}

export type Line = readonly Span[];

export const EMPTY_LINE: Line = [];

/** @param text printable, without line breaks */
export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone };
}

export function lineOf(text: string, tone: Tone = 'plain'): Line {
  return [{ text, tone }];
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + cellWidth(text), 0);
}

/** What a line says, without its colours. */
export function plainText(line: Line): string {
  return line.map(({ text }) => text).join('');
}

/**
 * The line, exactly `width` cells wide: cut, with a sign that it was, or filled with blanks.
 *
 * @param cutSign a cell wide
 */
export function fitLine(line: Line, width: number, cutSign: string): Line {
  if (width <= 0) return EMPTY_LINE;
  const all = widthOf(line);
  if (all === width) return line;
  if (all < width) return [...line, span(' '.repeat(width - all))];
  const fitted: Span[] = [];
  let left = width - 1;
  for (const piece of line) {
    const wide = cellWidth(piece.text);
    if (wide <= left) {
      fitted.push(piece);
      left -= wide;
      continue;
    }
    const text = cutToWidth(piece.text, left);
    // Half of a wide character has no place.
    const gap = ' '.repeat(left - cellWidth(text));
    fitted.push({ ...piece, text: `${text}${gap}${cutSign}` });
    return fitted;
  }
  return fitted;
}

/** The line as the one that the keys act on. */
export function marked(line: Line): Line {
  return line.map((piece) => ({ ...piece, isMarked: true }));
}

/** Left and right end of a line; where both do not fit, the left one is cut. */
export function spread(left: Line, right: Line, width: number, cutSign: string): Line {
  const rightWidth = widthOf(right);
  if (rightWidth >= width) return fitLine(right, width, cutSign);
  return [...fitLine(left, width - rightWidth - 1, cutSign), span(' '), ...right];
}

/** Parts side by side, each as wide as it is told; all as high as the highest. */
export function beside(
  parts: readonly { readonly lines: readonly Line[]; readonly width: number }[],
  cutSign: string,
): Line[] {
  const height = Math.max(0, ...parts.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    parts.flatMap(({ lines, width }) => fitLine(lines[row] ?? EMPTY_LINE, width, cutSign)),
  );
}
