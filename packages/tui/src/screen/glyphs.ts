/** The signs that the screen is drawn with: those of Unicode, or ASCII where the terminal may not know others. */
export interface Glyphs {
  /** A text was cut here; a cell wide. */
  readonly cut: string;
  /** From least to most, of a sparkline. */
  readonly levels: readonly string[];
  /** Part of a bar. */
  readonly bar: string;
  readonly up: string;
  readonly down: string;
  readonly ambiguous: string;
  readonly unknown: string;
  readonly none: string;
  readonly cursor: string;
  readonly between: string;
  readonly about: string;
  readonly nothing: string;
  readonly rule: string;
  readonly playing: string;
  readonly paused: string;
  readonly live: string;
  readonly infinite: string;
  readonly micro: string;
}

export const UNICODE_GLYPHS: Glyphs = {
  cut: '…',
  levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  bar: '█',
  up: '█',
  down: '▁',
  ambiguous: '▒',
  unknown: '?',
  none: '·',
  cursor: '▸',
  between: '…',
  about: '≈',
  nothing: '–',
  rule: '─',
  playing: '▸',
  paused: '■',
  live: '●',
  infinite: '∞',
  micro: 'µ',
};

export const ASCII_GLYPHS: Glyphs = {
  cut: '~',
  levels: ['_', '.', '-', ':', '=', '+', '*', '#'],
  bar: '#',
  up: '#',
  down: '_',
  ambiguous: '?',
  unknown: '?',
  none: '.',
  cursor: '>',
  between: '..',
  about: '~',
  nothing: '-',
  rule: '-',
  playing: '>',
  paused: '=',
  live: '*',
  infinite: 'inf',
  micro: 'u',
};
