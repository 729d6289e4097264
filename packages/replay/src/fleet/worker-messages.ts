/** What the threads of a fleet say to each other. */
import type { AnsweredRun } from './replay-run.js';

export type WorkerMessage =
  /** Bytes of its run that were read, of those that are imported on the way. */
  | { readonly kind: 'progress'; readonly read: number }
  | { readonly kind: 'answer'; readonly answer: RunAnswer };

/** Of one run: what it says, or why it says nothing. */
export type RunAnswer = AnsweredRun | RunFailure;

export interface RunFailure {
  readonly error: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
  /** Of an error that nobody foresaw. */
  readonly stack?: string | undefined;
}
