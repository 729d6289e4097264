/** What an answer about text of perf or ftrace takes for granted: the text does not say how it was recorded. */
import { isTraceEventText } from './replayable-trace.js';
import type { PlannedTrace } from './replayable-trace.js';

/**
 * In sentences; nothing of other recordings.
 *
 * @param complete as `Completeness` has it
 */
export function traceEventAssumptions(trace: PlannedTrace, complete: boolean | null): string[] {
  if (!isTraceEventText(trace)) return [];
  const { header, recordings } = trace.index;
  const hasCpus = recordings.some(({ events }) => events.size > 1);
  return [
    `${complete === false ? 'but for what is known to be missing, ' : ''}all events that a design depends on were recorded, of all CPUs and all the time`,
    ...(hasCpus && header.clock === 'unknown' ? ['the clocks of all CPUs agree'] : []),
  ];
}
