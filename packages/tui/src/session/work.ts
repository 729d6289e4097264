/** What a position does that takes longer than a slice, and how far it is. */
import type { Looking } from './judging.js';
import type { Player } from './player.js';
import type { MomentKind } from './step.js';
import type { Survey } from './survey.js';

export interface Seek {
  readonly does: 'seek';
  readonly player: Player;
  readonly looking: Looking;
  readonly from: number;
  readonly to: number;
}

export type Work =
  | {
      readonly does: 'survey';
      readonly survey: Survey;
      readonly to: number;
      /** Of a trace that was followed to its end: where all comes out by ranges, what is shown may stay. */
      readonly isOfEnd: boolean;
    }
  | Seek
  | {
      readonly does: 'step';
      readonly kind: MomentKind;
      /** Undefined: of any. */
      readonly vq: number | undefined;
      /** How many of them are still to come: a key was pressed as often. */
      readonly times: number;
      readonly player: Player;
    };

/**
 * @param end last event of the trace
 * @returns 0 to 1
 */
export function progressOf(work: Work, end: number): number {
  if (work.does === 'survey') return work.survey.progress;
  const reached = work.player.account.last;
  const from = work.does === 'seek' ? work.from : 0;
  const to = work.does === 'seek' ? Math.min(work.to, end) : end;
  return to <= from ? 1 : Math.max(0, Math.min(1, (reached - from) / (to - from)));
}
