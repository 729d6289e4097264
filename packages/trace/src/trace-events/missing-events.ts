/**
 * Which events a text should hold and does not. Who records picks the events, and the text does not say
 * which: without the ranges, or the ends of maps, an answer would be sure and wrong.
 */
import { KIND } from '@vhostscope/model';

/** Kinds that a direct map depends on, and how the golden traces call the event that tells them. */
const NEEDED: readonly { readonly kind: number; readonly name: string }[] = [
  { kind: KIND.range_start, name: 'vho:range with start_end=1' },
  { kind: KIND.range_end, name: 'vho:range with start_end=0' },
  { kind: KIND.addresses, name: 'vho:uaddr' },
  { kind: KIND.unmap, name: 'vho:uninit' },
];

/**
 * In sentences; nothing of a text that has neither accesses nor rounds.
 *
 * @param seen kinds that the text holds
 * @param recorded kinds that it says were recorded, so that they just did not happen
 */
export function missingEvents(seen: ReadonlySet<number>, recorded: ReadonlySet<number>): string[] {
  if (!seen.has(KIND.access) && !seen.has(KIND.round)) return [];
  return NEEDED.filter(({ kind }) => !seen.has(kind) && !recorded.has(kind)).map(sentence);
}

function sentence({ name }: (typeof NEEDED)[number]): string {
  return `no event ${name} in this text: it was not recorded, or never happened (perf script --header tells which)`;
}

/** Those of the flaws of a text that stand although another source tells events of these kinds. */
export function stillMissing(flaws: readonly string[], seen: ReadonlySet<number>): string[] {
  const told = new Set(NEEDED.filter(({ kind }) => seen.has(kind)).map(sentence));
  return flaws.filter((flaw) => !told.has(flaw));
}
