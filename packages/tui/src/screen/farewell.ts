/** What is said of a file that was to be written as the dashboard is left, and the exit code. */
import { EXIT } from '@vhostscope/terminal';
import type { DashboardView } from '../dashboard.js';

export interface Farewell {
  readonly text: string | undefined;
  readonly exitCode: number;
}

/** @param drawn the view that stood on the screen last */
export function farewellOf(
  { saved }: Pick<DashboardView, 'saved'>,
  drawn: Pick<DashboardView, 'saved' | 'answer'> | undefined,
): Farewell {
  if (saved === undefined || isTold(saved, drawn)) return { text: undefined, exitCode: EXIT.done };
  return { text: saved.text, exitCode: saved.isError ? EXIT.unusable : EXIT.done };
}

/** Whether it has been on the screen, and not only another word that came behind it. */
function isTold(
  saved: DashboardView['saved'],
  drawn: Pick<DashboardView, 'saved' | 'answer'> | undefined,
): boolean {
  return drawn?.saved === saved && drawn?.answer?.text === saved?.text;
}
