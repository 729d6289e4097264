/** Drives a session where there is no terminal: a line a second, until the trace ends or somebody ends it. */
import { EXIT, writeOut } from '@vhostscope/terminal';
import { isBusy } from '../busy-session.js';
import type { DashboardView, Session } from '../dashboard.js';

const LINE_MS = 1000;
/** Between two turns of the session. */
const TURN_MS = 50;
const BUDGET_MS = 40;

export async function runPlain(
  session: Session,
  lineOf: (view: DashboardView) => string,
): Promise<number> {
  let isInterrupted = false;
  let wake: () => void = () => undefined;
  const interrupt = (): void => {
    isInterrupted = true;
    wake();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  let isRead = true;
  // Whoever read the lines has seen enough.
  process.stdout.once('error', () => {
    isRead = false;
    wake();
  });
  try {
    let next = performance.now() + LINE_MS;
    let isOver = false;
    while (!isInterrupted && !isOver && isRead) {
      session.advance(performance.now(), BUDGET_MS);
      isOver = isAtItsEnd(session.view());
      const now = performance.now();
      // On the way to its end, a trace that is opened has no numbers yet.
      if (isOver || (now >= next && session.view().clock.seeking === undefined)) {
        next = Math.max(next + LINE_MS, now);
        await writeOut(lineOf(session.view()));
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, isOver ? 0 : isBusy(session.view()) ? 1 : TURN_MS);
      });
    }
  } finally {
    for (const signal of signals) process.removeListener(signal, interrupt);
  }
  if (isInterrupted) await writeOut(lineOf(session.view()));
  return isInterrupted ? EXIT.interrupted : EXIT.done;
}

function isAtItsEnd({ source, clock }: DashboardView): boolean {
  return source.state === 'ended' && clock.at >= clock.end && clock.seeking === undefined;
}
