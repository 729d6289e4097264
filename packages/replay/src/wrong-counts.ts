/**
 * Fallbacks that no range explains: `invalidate_count` was wrong, which `replay hazards` proves. Answers that count
 * fallbacks point there.
 */
import {
  accessOutcomes,
  ACCESSORS,
  createHazardWatch,
  OUTCOME_NAMES,
  sharesCallbacks,
  type FoundHazards,
  type Tallies,
} from '@vhostscope/model';
import { counted } from '@vhostscope/terminal';
import { visitTrace, type OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import { listVirtqueues } from './recording-list.js';
import { engineOf, watched, type Replayed } from './replay-trace.js';
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

/**
 * Those that are proven and made accesses fall back. Unless hazards were looked for already that takes another pass,
 * but only where the count was not 0 when an area was to be mapped.
 *
 * @param found what the replay has found, if it looked
 */
export function wrongCounts(
  trace: OpenTrace,
  replayed: Replayed,
  found: FoundHazards | undefined,
): WrongCounts {
  const { engine, design } = replayed;
  if (!sharesCallbacks(design) || !hasRefused(trace, engine.tallies)) return [];
  const { counts } = found ?? lookForHazards(trace, replayed);
  return (['stuck_count', 'negative_count'] as const).flatMap((kind) => {
    const proven = counts.get(`${kind} proven`);
    if (proven === undefined || proven.accesses === 0) return [];
    return [{ kind, count: proven.count, fallbacks: proven.accesses }];
  });
}

const REFUSED = OUTCOME_NAMES.indexOf('refused_count');

function hasRefused(trace: OpenTrace, tallies: Tallies): boolean {
  return listVirtqueues(trace).some(({ id }) =>
    [...ACCESSORS.keys()].some(
      (accessor) => (accessOutcomes(tallies, id, accessor)[REFUSED] ?? 0) > 0,
    ),
  );
}

function lookForHazards(trace: OpenTrace, replayed: Replayed): FoundHazards {
  const engine = engineOf(replayed);
  const watch = createHazardWatch(engine, replayed.span);
  const visit = watched((batch, from, to) => engine.consume(batch, from, to), [watch]);
  visitTrace(trace.fd, trace.index, visit);
  engine.finish();
  watch.finish();
  return watch.found;
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
