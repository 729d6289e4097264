/** What an answer about a live recording of a kernel with the direct-map driver takes for granted. */
import type { Design, HostKind } from '@vhostscope/model';
import { hasFilteredRangesOf, type PlannedTrace } from './replayable-trace.js';

/** In sentences; nothing of other recordings, nor of designs without maps. */
export function liveAssumptions(trace: PlannedTrace, host: HostKind, { maps }: Design): string[] {
  if (host === 'stock' || maps === 'never' || !hasFilteredRangesOf(trace)) return [];
  return [
    'each access is told where its accessor begins: no callback on another CPU took the map, in the instructions ' +
      'between that and the decision',
  ];
}
