/** What `replay run` says of a trace, to hold the dashboard's numbers against. */
import { completenessOf, replayTrace, runResult, WRONG_COUNTS } from '@vhostscope/replay';
import { openTrace } from '@vhostscope/trace';
import type { Decided } from '../src/dashboard.ts';
import { design } from './driven-session.ts';

type Totals = Omit<Decided, 'isEstimated'>;

/** Of decisions what both tell. */
export function totalsOf({ accesses, hits, fallbacks, iotlb, ambiguous }: Totals): Totals {
  return { accesses, hits, fallbacks, iotlb, ambiguous };
}

/** @param order while a trace may grow, `ranges` */
export async function replayedTotals(
  path: string,
  name = 'merged',
  order: 'auto' | 'ranges' = 'auto',
): Promise<Totals> {
  const trace = await openTrace(path);
  const all = replayTrace(trace, design(name), { order }, undefined, WRONG_COUNTS);
  const basis = { smap: undefined, calibrated: undefined };
  const { totals } = runResult(trace, all, completenessOf(trace), basis, undefined);
  trace.close();
  return totalsOf(totals);
}
