/** Prints a line a second where there is no terminal, until there is no more to tell or somebody ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, writeOut } from '@vhostscope/terminal';
import { onInterruption } from '../interruption.js';

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

/**
 * @param signal of an interruption
 * @returns the exit code
 */
export async function printLines(source: LineSource, signal: AbortSignal): Promise<number> {
  let isRead = true;
  let isWriting = false;
  let wake: () => void = () => undefined;
  let stop: () => void = () => undefined;
  const interrupted = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const forget = onInterruption(signal, () => {
    stop();
    wake();
  });
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
    while (!signal.aborted && !isOver && isRead) {
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
    if (signal.aborted) {
      // What cannot be written is not waited for, and the last line is told once.
      if (!isWriting && !isOver)
        await Promise.race([tell(), sleep(LINE_MS, undefined, { ref: false })]);
      if (isWriting) process.stdout.destroy();
      return EXIT.interrupted;
    }
    return source.exitCode();
  } finally {
    forget();
  }
}
