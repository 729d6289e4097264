/** How many cells of a terminal a text takes. */
import stringWidth from 'string-width';

/** Nearly all text is: one cell a character. */
const PLAIN =
  /^[\u0020-\u007e\u2013\u2026\u2190-\u2193\u2248\u2500-\u259f\u25b2\u25bc\u25b8\u25c2\u00b5\u00b7\u00b1]*$/;

export function cellWidth(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** As much of the beginning of a text as fits. */
export function cutToWidth(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, width);
  let cut = '';
  let left = width;
  for (const character of text) {
    const wide = stringWidth(character);
    if (wide > left) break;
    cut += character;
    left -= wide;
  }
  return cut;
}

/** As much of the end of a text as fits, behind a sign that its beginning was cut; all of it where that fits. */
export function keepEnd(text: string, width: number, cutSign: string): string {
  if (cellWidth(text) <= width) return text;
  let kept = '';
  let left = width - 1;
  for (const character of Array.from(text).toReversed()) {
    left -= cellWidth(character);
    if (left < 0) break;
    kept = `${character}${kept}`;
  }
  return `${cutSign}${kept}`;
}
