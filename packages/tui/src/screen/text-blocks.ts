/** Pieces that views are made of: titles, pairs, words over several lines. */
import { cellWidth, cutToWidth } from './cell-width.js';
import { EMPTY_LINE, fitLine, lineOf, span, type Line, type Tone } from './styled-line.js';

/** A titled part of a view, with an empty line behind it. */
export function section(title: string, lines: readonly Line[]): Line[] {
  return [lineOf(title, 'title'), ...lines.map(indented), EMPTY_LINE];
}

export function indented(line: Line): Line {
  return [span('  '), ...line];
}

/** Names and values in two columns. */
export function pairs(
  rows: readonly (readonly [name: string, value: string])[],
  width: number,
  cut: string,
): Line[] {
  const names = Math.min(
    Math.floor(width / 2),
    Math.max(0, ...rows.map(([name]) => cellWidth(name))),
  );
  return rows.map(([name, value]) => [
    ...fitLine([span(name, 'faint')], names, cut),
    span(`  ${value}`),
  ]);
}

/** Words, broken between them so that lines fit; what is longer than a line is cut into pieces. */
export function wrap(text: string, width: number, tone: Tone = 'plain'): Line[] {
  if (width < 1) return [];
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    if (line !== '' && cellWidth(line) + 1 + cellWidth(word) > width) {
      lines.push(line);
      line = '';
    }
    while (cellWidth(word) > width) {
      const piece = cutToWidth(word, width);
      // A wide character in a line that is a cell wide fits nowhere.
      if (piece === '') break;
      lines.push(piece);
      word = word.slice(piece.length);
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines.map((one) => lineOf(one, tone));
}

/** The same, in so many lines at most: the last is cut, with a sign that it was. */
export function wrapUpTo(
  most: number,
  text: string,
  width: number,
  cut: string,
  tone: Tone = 'plain',
): Line[] {
  const lines = wrap(text, width, tone);
  if (lines.length <= most) return lines;
  const rest = lines.slice(most - 1).flatMap((line) => [...line, span(' ')]);
  return [...lines.slice(0, most - 1), fitLine(rest, width, cut)];
}

/** Parts of a view in as many columns as fit, filled one after another. */
export function inColumns(
  sections: readonly (readonly Line[])[],
  width: number,
  columns: number,
  put: (parts: { lines: readonly Line[]; width: number }[]) => Line[],
): Line[] {
  if (columns <= 1) return sections.flat();
  const all = sections.reduce((sum, lines) => sum + lines.length, 0);
  const each = Math.floor(width / columns);
  const parts = Array.from({ length: columns }, () => ({ lines: [] as Line[], width: each }));
  let at = 0;
  for (const lines of sections) {
    const part = parts[at];
    // The next column, where more than half of it would be over the share of this one.
    const isFull = part !== undefined && part.lines.length + lines.length / 2 >= all / columns;
    if (isFull && part.lines.length > 0 && at < columns - 1) at++;
    parts[at]?.lines.push(...lines);
  }
  return put(parts);
}
