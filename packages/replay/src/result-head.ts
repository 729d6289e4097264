/** What every result of a replay says first: of what, how, and how far its trace can be trusted. */
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import { liveSinceOf, liveSinceSchema } from './event-place.js';
import { mergedHosts, mergedHostsSchema } from './merged-hosts.js';
import { recordingAssumptions } from './recording-assumptions.js';
import type { Replayed } from './replay-trace.js';
import { stockAssumptions } from './stock-assumptions.js';
import { describeSpan, spanSchema } from './time-span.js';

export const resultHead = z.object({
  trace: z.string(),
  design: z.string(),
  /** Why the platform switches the design off, so that nothing hits; null where it does not. */
  switched_off: z.string().nullable(),
  order: z.enum(['effects', 'ranges']),
  order_reason: z.string(),
  /** Preemption of the recording kernel that `ranges` assumed. */
  preemption: z.enum(['voluntary', 'full', 'unknown']),
  /** Whether recorded attempts to map settled what the ranges leave open (--use-observations). */
  uses_observations: z.boolean(),
  /** `stock`: the kernel had no direct map; the answer tells of one that did not run. */
  host: z.enum(['direct-map', 'stock']),
  /** When the first event of a live recording or a merged trace was, ns, decimal; null of an imported text. */
  live_since: liveSinceSchema,
  /** Of a trace that was merged of several hosts: which virtqueues are of which; null of others. */
  hosts: mergedHostsSchema,
  /** What was counted, from the first time to before the second; null for all of the trace. */
  span: spanSchema,
  /** What the answer takes for granted, in sentences; of a direct map on a kernel that ran one, only where it was recorded live. */
  assumptions: z.array(z.string()),
  /** Whether every event arrived; null when nobody counted. */
  complete: z.boolean().nullable(),
  /** How many were lost, decimal, by who lost them. */
  lost: z.record(z.string(), z.string()),
  damage: z.array(z.string()),
});
export type ResultHead = z.infer<typeof resultHead>;

const AT_BORDERS =
  'a round that goes over the border of the span counts where it ends, with all its accesses';

export function headOf(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
): ResultHead {
  return {
    trace: trace.name,
    design: replayed.design.name,
    switched_off: replayed.design.switchedOff ?? null,
    order: replayed.order,
    order_reason: replayed.orderReason,
    preemption: replayed.preemption,
    uses_observations: replayed.engine.usesObservations,
    host: replayed.host,
    live_since: liveSinceOf(trace),
    hosts: mergedHosts(trace.index.header),
    span: describeSpan(replayed.span),
    assumptions: [
      ...(replayed.host === 'stock' && replayed.span !== undefined ? [AT_BORDERS] : []),
      ...recordingAssumptions(trace, replayed, completeness.complete),
      ...(replayed.host === 'stock' && replayed.design.maps !== 'never'
        ? stockAssumptions(trace, replayed.engine.tallies, replayed.preemption)
        : []),
    ],
    complete: completeness.complete,
    lost: { ...completeness.lost },
    damage: [...completeness.damage],
  };
}
