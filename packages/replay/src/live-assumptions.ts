/** What an answer about a live recording of a kernel with the direct-map driver takes for granted. */
import type { Design, HostKind } from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { hasFilteredRangesOf } from './replayable-trace.js';

/** In sentences; nothing of other recordings, nor of designs without maps. */
export function liveAssumptions(trace: OpenTrace, host: HostKind, { maps }: Design): string[] {
  if (host === 'stock' || maps === 'never' || !hasFilteredRangesOf(trace)) return [];
  return [
    'each access is told where its accessor begins: no callback on another CPU took the map, in the instructions ' +
      'between that and the decision',
  ];
}
