/** Drives a session where there is no terminal: a line a second, until the trace ends or somebody ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
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
  let isRead = true;
  let isWriting = false;
  let wake: () => void = () => undefined;
  let stop: () => void = () => undefined;
  const interrupted = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const interrupt = (): void => {
    isInterrupted = true;
    stop();
    wake();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  // Whoever read the lines has seen enough.
  process.stdout.once('error', () => {
    isRead = false;
    wake();
  });
  const tell = async (): Promise<void> => {
    isWriting = true;
    await writeOut(lineOf(session.view()));
    isWriting = false;
  };
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
        // Nobody may be reading.
        await Promise.race([tell(), interrupted]);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, isOver ? 0 : isBusy(session.view()) ? 1 : TURN_MS);
      });
    }
    if (isInterrupted) {
      // What cannot be written is not waited for.
      if (!isWriting) await Promise.race([tell(), sleep(LINE_MS, undefined, { ref: false })]);
      if (isWriting) process.stdout.destroy();
      return EXIT.interrupted;
    }
    const view = session.view();
    return isBroken(view) || view.clock.events === 0 ? EXIT.unusable : EXIT.done;
  } finally {
    for (const signal of signals) process.removeListener(signal, interrupt);
  }
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
