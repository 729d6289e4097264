/** Prints a line a second where there is no terminal, until there is no more to tell or somebody ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, STOP_SIGNALS, writeOut } from '@vhostscope/terminal';

/** What lines are made of. */
export interface LineSource {
  /** Works for at most about `budget` ms. */
  advance(now: number, budget: number): void;
  /** Of what there is now. */
  line(): string;
  /** There are no numbers yet. */
  readonly isEarly: boolean;
  /** It has more to do than time itself brings. */
  readonly isBusy: boolean;
  /** Nothing more comes. */
  readonly isOver: boolean;
  /** When it is over, or nobody reads it. */
  exitCode(): number;
}

const LINE_MS = 1000;
/** Between two turns. */
const TURN_MS = 50;
const BUDGET_MS = 40;

/** @returns the exit code */
export async function printLines(source: LineSource): Promise<number> {
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
  for (const signal of STOP_SIGNALS) process.on(signal, interrupt);
  // Whoever read the lines has seen enough.
  process.stdout.once('error', () => {
    isRead = false;
    wake();
  });
  const tell = async (): Promise<void> => {
    isWriting = true;
    await writeOut(source.line());
    isWriting = false;
  };
  try {
    let next = performance.now() + LINE_MS;
    let isOver = false;
    while (!isInterrupted && !isOver && isRead) {
      source.advance(performance.now(), BUDGET_MS);
      ({ isOver } = source);
      const now = performance.now();
      if (isOver || (now >= next && !source.isEarly)) {
        next = Math.max(next + LINE_MS, now);
        // Nobody may be reading.
        await Promise.race([tell(), interrupted]);
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, isOver ? 0 : source.isBusy ? 1 : TURN_MS);
      });
    }
    if (isInterrupted) {
      // What cannot be written is not waited for.
      if (!isWriting) await Promise.race([tell(), sleep(LINE_MS, undefined, { ref: false })]);
      if (isWriting) process.stdout.destroy();
      return EXIT.interrupted;
    }
    return source.exitCode();
  } finally {
    for (const signal of STOP_SIGNALS) process.removeListener(signal, interrupt);
  }
}
