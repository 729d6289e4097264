/**
 * Which probes tell the same. Of a function that is inlined `perf probe` makes a probe for each place, `name`, `name_1`,
 * `name_2`; made twice at one place, all that happens there is told twice.
 */

/** The first name under which a kind of event came. */
export interface FirstName {
  /** With its place in the kernel. */
  readonly bytes: Uint8Array;
  /** What it has in common with those of the other places. */
  readonly base: string;
  /** Names by their place. */
  readonly byPlace: Map<string, string>;
}

/** An inlined function has fewer places; beyond them two probes at one place are not found out. */
const KEPT_PLACES = 64;

export function firstName(bytes: Uint8Array, name: string, base: string, place: string): FirstName {
  return { bytes, base, byPlace: new Map([[place, name]]) };
}

/** Why an event of a kind is told a second time; undefined where it is not. */
export function toldBefore(
  first: FirstName,
  name: string,
  base: string,
  place: string,
): string | undefined {
  if (first.base !== base)
    return `${base} tells what ${first.base} told before: leave one of them out, or all is counted twice`;
  if (place === '' || place === UNKNOWN) return undefined;
  const other = first.byPlace.get(place) ?? name;
  if (other !== name)
    return `${name} is at the place of ${other}: leave one of them out, or all is counted twice`;
  if (first.byPlace.size < KEPT_PLACES) first.byPlace.set(place, name);
  return undefined;
}

/** Of one whose address was not to be shown. */
const UNKNOWN = '(0)';

const LF = 0x0a;
const BLANK = 0x20;
const OPEN = 0x28;
const CLOSE = 0x29;

/** Just past the place of a probe, which stands in parentheses before its fields; `start` where there is none. */
export function placeEnd(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at] === BLANK) at++;
  if (bytes[at] !== OPEN) return start;
  while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CLOSE) at++;
  return bytes[at] === CLOSE ? at + 1 : start;
}
