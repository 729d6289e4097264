/** What an answer takes for granted by its design and by how the trace was recorded. */
import type { Order, Preemption } from '@vhostscope/model';
import { designAssumptions } from './design-assumptions.js';
import { liveAssumptions } from './live-assumptions.js';
import { mergedAssumptions } from './merged-assumptions.js';
import type { Recorded } from './replay-plan.js';
import type { PlannedTrace } from './replayable-trace.js';
import { traceEventAssumptions } from './trace-event-assumptions.js';

/** In sentences; those about a kernel that did not run are in stock-assumptions.ts. */
export function recordingAssumptions(
  trace: PlannedTrace,
  judged: Recorded & { readonly order: Order },
  complete: boolean | null,
): string[] {
  return [
    ...otherPreemption(trace, judged),
    ...designAssumptions(judged.design),
    ...liveAssumptions(trace, judged.host, judged.design),
    ...traceEventAssumptions(trace, complete),
    ...mergedAssumptions(trace),
  ];
}

/** Of an answer that --preempt bases on something else than what was recorded. */
export function otherPreemption(
  { index }: Pick<PlannedTrace, 'index'>,
  { order, preemption }: { readonly order: Order; readonly preemption: Preemption },
): string[] {
  const recorded = index.header.preemption;
  if (order === 'effects' || recorded === undefined || recorded === preemption) return [];
  return [
    `preemption of the recording kernel was ${preemption}, as --preempt says; the trace says ${recorded}`,
  ];
}
