/**
 * Fallbacks that no range explains: `invalidate_count` was wrong, which `replay hazards` proves. Answers that count
 * fallbacks point there.
 */
import { counted } from '@vhostscope/terminal';
import { z } from 'zod';
import { foundIn, type Replayed } from './replay-trace.js';
import { about, wrapped } from './text-parts.js';

const count = z.number().int().nonnegative();

export const wrongCountsSchema = z.array(
  z.object({
    kind: z.enum(['stuck_count', 'negative_count']),
    /** How often it was. */
    count,
    /** As long as it was, also outside of a span that it touches. */
    fallbacks: count,
  }),
);
export type WrongCounts = z.infer<typeof wrongCountsSchema>;

/** Those that are proven and made accesses fall back. */
export function wrongCounts(replayed: Replayed): WrongCounts {
  const found = foundIn(replayed);
  return (['stuck_count', 'negative_count'] as const).flatMap((kind) => {
    const proven = found.counts.get(`${kind} proven`);
    if (proven === undefined || proven.accesses === 0) return [];
    return [{ kind, count: proven.count, fallbacks: proven.accesses }];
  });
}

const NAME = { stuck_count: 'a stuck count', negative_count: 'a negative count' } as const;

/** Where to look for what ranges do not explain. */
export function wrongCountLines(
  found: WrongCounts,
  { order, host, span }: Pick<Replayed, 'order' | 'host'> & { readonly span: object | null },
): string[] {
  const least = order === 'ranges' ? 'at least ' : '';
  const where = span === null ? '' : ' that touches the span, in it or not';
  return found.flatMap(({ kind, fallbacks }) => {
    const many = about(host === 'stock', counted(fallbacks, 'fallback'));
    return wrapped(
      '',
      `${least}${many} after ${NAME[kind]}${where}, which no range explains: replay hazards`,
      '  ',
    );
  });
}
