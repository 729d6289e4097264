/** The sentence of a report that matters first, and what its reader has to know with it. */
import { OUTCOME_MEANING, type Design } from '@vhostscope/model';
import { counted, grouped, percent } from '@vhostscope/terminal';
import type { RunResult } from '../run-result.js';
import { about, hitRatio } from '../text-parts.js';

export function headlineOf({ totals, host }: RunResult, design: Design): string {
  const { accesses, hits, ambiguous } = totals;
  const all = about(totals.counts === 'estimated', counted(accesses, 'access', 'accesses'));
  if (accesses === 0)
    return 'The trace holds no access of ring metadata, so there is no hit ratio.';
  if (design.maps === 'never')
    return `${design.name} maps nothing: all of ${all} of ring metadata are copies.`;
  const would = host === 'stock' ? 'would have hit' : 'hit';
  if (hits + ambiguous === 0)
    return `Under ${design.name}, none of ${all} of ring metadata ${would} the direct map.`;
  if (ambiguous === accesses)
    return `The trace cannot tell, for any of ${all} of ring metadata, whether it ${would} the direct map under ${design.name}.`;
  const share = hitRatio(totals).replace(' … ', ' to ');
  return `Under ${design.name}, ${share} of ${all} of ring metadata ${would} the direct map.`;
}

export function cautionsOf(run: RunResult, design: Design): string[] {
  const { totals, ranges, complete, damage, host, virtqueues, assumptions, span } = run;
  const { accesses, ambiguous } = totals;
  const cautions: string[] = [];
  if (complete === false)
    cautions.push(
      'Events are missing, so answers may be wrong, also where they are not ambiguous: see completeness.',
    );
  else if (damage.length > 0) cautions.push('The trace is damaged: see completeness.');
  if (span !== null)
    cautions.push(
      `Only a part of the trace is counted, from ${span.from ?? 'its beginning'} to ${span.to ?? 'its end'} (ns).`,
    );
  if (ambiguous > 0)
    cautions.push(
      `The trace cannot tell for ${percent(ambiguous, accesses)} of the accesses: the hit ratio lies between its two ends.`,
    );
  const unseen = virtqueues.filter(({ invalidations }) => invalidations === 0).length;
  if (host === 'stock' && unseen > 0)
    cautions.push(
      `No invalidation was seen near the rings of ${counted(unseen, 'virtqueue')}: hits there are what they would be without any.`,
    );
  if (assumptions.length > 0)
    cautions.push(
      'The recorded kernel had no direct map: this is what a design would have met, on assumptions that are listed below.',
    );
  const reason = mainReason(run);
  if (reason !== undefined && design.maps !== 'never') cautions.push(reason);
  if (accesses > 0 && ranges.start === 0 && host === 'direct-map')
    cautions.push('No invalidation was recorded.');
  return cautions;
}

function mainReason({ totals }: RunResult): string | undefined {
  const { fallbacks, reasons } = totals;
  const [name, count] = Object.entries(reasons).toSorted(([, a], [, b]) => b - a)[0] ?? [];
  if (name === undefined || count === undefined) return undefined;
  const isEstimated = totals.counts === 'estimated';
  const all = about(isEstimated, counted(fallbacks, 'fallback'));
  const which =
    count === fallbacks ? `All ${all}` : `${about(isEstimated, grouped(count))} of ${all}`;
  return `${which}: ${OUTCOME_MEANING[name] ?? name}.`;
}
