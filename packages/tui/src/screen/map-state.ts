/** States of the maps of a virtqueue's areas as signs. */
import type { AreaView, VirtqueueJudgement } from '../dashboard.js';
import type { Glyphs } from './glyphs.js';
import { span, type Span, type Tone } from './styled-line.js';

export const AREA_NAMES = ['desc', 'avail', 'used'] as const;

export const MAP_TONES: Readonly<Record<AreaView['map'] | 'none', Tone>> = {
  up: 'good',
  down: 'bad',
  ambiguous: 'doubt',
  unknown: 'faint',
  none: 'faint',
};

export function mapSign(map: AreaView['map'] | 'none', glyphs: Glyphs): string {
  return glyphs[map];
}

/** Desc, avail and used as a word of three letters, in capitals where the map is up: "DAu", "?" where not known. */
export function mapsWord(areas: readonly AreaView[]): string {
  return areas
    .map(({ map }, at) => {
      const letter = AREA_NAMES[at]?.[0] ?? '';
      if (map === 'up') return letter.toUpperCase();
      return map === 'down' ? letter : map === 'ambiguous' ? '~' : '?';
    })
    .join('');
}

/** The worst of the areas gives the colour. */
export function mapsSpan({ areas }: VirtqueueJudgement): Span {
  const all = areas.map(({ map }) => map);
  const worst =
    (['down', 'ambiguous', 'unknown'] as const).find((map) => all.includes(map)) ?? 'up';
  return span(mapsWord(areas), areas.length === 0 ? 'faint' : MAP_TONES[worst]);
}
