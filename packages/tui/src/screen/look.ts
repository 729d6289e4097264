/** What the terminal can show. */
import { printable } from '@vhostscope/terminal';
import { ASCII_GLYPHS, UNICODE_GLYPHS, type Glyphs } from './glyphs.js';

export interface Look {
  readonly glyphs: Glyphs;
  /** `none` as NO_COLOR asks for; bold, faint and reverse remain. */
  readonly colours: 'none' | '16' | '256';
  readonly isAscii: boolean;
}

/**
 * @param env of the process
 * @param depth bits of colour that the terminal has, 1 for none
 */
export function lookOf(env: Readonly<Record<string, string | undefined>>, depth: number): Look {
  // As the C library chooses: the first that is set.
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((name) => name) ?? '';
  const isAscii = !/utf-?8/i.test(locale);
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || depth < 4;
  return {
    glyphs: isAscii ? ASCII_GLYPHS : UNICODE_GLYPHS,
    colours: isPlain ? 'none' : depth < 8 ? '16' : '256',
    isAscii,
  };
}

/** A name from elsewhere, as this terminal can show it. */
export function safeName(text: string, { isAscii }: Look): string {
  const safe = printable(text);
  return isAscii ? safe.replace(/[^\u0020-\u007e]/gu, escaped) : safe;
}

/** Words of our own, which may hold signs that are not ASCII. */
export function words(text: string, look: Look): string {
  if (!look.isAscii) return printable(text);
  return safeName(
    text
      .replaceAll('…', '..')
      .replaceAll('≈', '~')
      .replaceAll('–', '-')
      .replaceAll('µ', 'u')
      .replaceAll('∞', 'inf'),
    look,
  );
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
