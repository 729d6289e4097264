/** A hit ratio with its colour. */
import type { Decided } from '../dashboard.js';
import { hitRatio } from './figures.js';
import type { Glyphs } from './glyphs.js';
import { span, type Span } from './styled-line.js';

/** All that is less than 99 % is surely bad; what is ambiguous may be. */
const GOOD = 0.99;

export function ratioSpan(decided: Decided, glyphs: Glyphs): Span {
  const text = hitRatio(decided, glyphs);
  const { accesses, hits, ambiguous } = decided;
  if (accesses === 0) return span(text, 'faint');
  if (hits >= GOOD * accesses) return span(text, 'good');
  return span(text, hits + ambiguous >= GOOD * accesses ? 'doubt' : 'bad');
}
