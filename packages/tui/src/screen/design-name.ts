/** Names of designs as the screen shows them. */
import { words, type Look } from './look.js';

/** Marked where it pins the pages of every ring, as `replay compare` marks it: its hits have another price. */
export const PINS_MARK = '(pins)';

/** @param pinning names of the designs that are marked */
export function designName(name: string, pinning: readonly string[], look: Look): string {
  return `${words(name, look)}${pinning.includes(name) ? ` ${PINS_MARK}` : ''}`;
}
