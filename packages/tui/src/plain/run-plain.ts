/** Prints a session where there is no terminal: a line a second, until the trace ends or somebody ends it. */
import { EXIT } from '@vhostscope/terminal';
import { isBusy } from '../busy-session.js';
import type { DashboardView, Session } from '../dashboard.js';
import { printLines, type LineSource } from './print-lines.js';

export async function runPlain(
  session: Session,
  lineOf: (view: DashboardView) => string,
  signal: AbortSignal,
): Promise<number> {
  const lines: LineSource = {
    advance: (now, budget) => void session.advance(now, budget),
    line: () => lineOf(session.view()),
    get isEarly() {
      // On the way to its end, a trace that is opened has no numbers yet.
      return session.view().clock.seeking !== undefined;
    },
    get isBusy() {
      return isBusy(session.view());
    },
    get isOver() {
      return isAtItsEnd(session.view());
    },
    exitCode: () => {
      const view = session.view();
      return isBroken(view) || view.clock.events === 0 ? EXIT.unusable : EXIT.done;
    },
  };
  return printLines(lines, signal);
}

/** Nothing of it will be shown any more; only a socket is tried again. */
function isBroken({ source }: Pick<DashboardView, 'source'>): boolean {
  return source.isStuck || (source.state === 'gone' && source.kind !== 'socket');
}

/** All that came is in the numbers, or never will be. */
function isAtItsEnd({ source, clock }: DashboardView): boolean {
  if (source.isStuck) return true;
  const isOver = source.state === 'ended' || isBroken({ source });
  return isOver && clock.at >= clock.end && clock.seeking === undefined;
}
