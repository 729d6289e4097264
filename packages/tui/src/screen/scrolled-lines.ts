/** Views that have more lines than fit: which of them are shown, and how far down there is anything to see. */
import type { DashboardView } from '../dashboard.js';
import { causeLines } from './cause-lines.js';
import type { Frame } from './frame.js';
import { helpLines } from './help-lines.js';
import { queueLines } from './queue-lines.js';
import { recordingLines } from './recording-lines.js';
import type { ScreenState } from './screen-state.js';
import { lineOf, type Line } from './styled-line.js';

/**
 * The lines that are shown; the last of them says how many are not, below it.
 *
 * @param fixed so many lines stay above those that scroll
 */
export function scrolledLines(
  lines: readonly Line[],
  scroll: number,
  { height }: Pick<Frame, 'height'>,
  fixed = 0,
): Line[] {
  const last = Math.max(0, lines.length - height);
  const first = fixed + Math.max(0, Math.min(scroll, last));
  const shown = [...lines.slice(0, fixed), ...lines.slice(first, first + height - fixed)];
  const below = lines.length - first - (height - fixed);
  if (below <= 0) return shown;
  return [...shown.slice(0, -1), lineOf(`${below + 1} more lines: Down, PgDn`, 'faint')];
}

/** By how many lines what is shown can be scrolled. */
export function lastScroll(view: DashboardView, state: ScreenState, frame: Frame): number {
  return Math.max(0, linesOf(view, state, frame).length - frame.height);
}

function linesOf(view: DashboardView, state: ScreenState, frame: Frame): readonly Line[] {
  if (state.isHelp) return helpLines(frame);
  switch (state.view) {
    case 'queue':
      return queueLines(view, frame);
    case 'causes':
      return causeLines(view.causes, view.total.total.fallbacks, state, frame);
    case 'recording':
      return recordingLines(view.recording, view.source, view.clock.keptUntil, frame);
    case 'overview':
    case 'storms':
      return [];
  }
}
