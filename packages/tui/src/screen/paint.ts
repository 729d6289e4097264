/** Lines with their meanings → text with the terminal's colours. */
import type { Look } from './look.js';
import type { Line, Tone } from './styled-line.js';

/**
 * Codes of SGR. Blue against vermilion and purple are told apart by people with any of the usual colour
 * blindnesses (after Okabe and Ito), and in the middle of the scale on dark and light ground alike; of the
 * 16 colours cyan, red and magenta come nearest.
 */
const CODES: Readonly<Record<Look['colours'], Readonly<Record<Tone, string>>>> = {
  '256': {
    plain: '',
    faint: '2',
    strong: '1',
    good: '38;5;33',
    bad: '38;5;166',
    doubt: '38;5;133',
    title: '1',
    alarm: '1;38;5;166',
  },
  '16': {
    plain: '',
    faint: '2',
    strong: '1',
    good: '36',
    bad: '31',
    doubt: '35',
    title: '1',
    alarm: '1;31',
  },
  none: {
    plain: '',
    faint: '2',
    strong: '1',
    good: '',
    bad: '1',
    doubt: '',
    title: '1',
    alarm: '1;7',
  },
};

export function paint(line: Line, { colours }: Pick<Look, 'colours'>): string {
  let painted = '';
  const codes = CODES[colours];
  for (const { text, tone, isMarked } of line) {
    if (text === '') continue;
    // A marked row in one colour: a background of every piece's own would be a patchwork.
    const code = isMarked === true ? '7' : codes[tone];
    painted += code === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
  }
  return painted;
}
