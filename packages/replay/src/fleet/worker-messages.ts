/** What is said between who wants runs replayed and the processes that do it: plain data. */
import type { FleetRun } from './fleet-run.js';
import type { AnsweredRun, FleetQuestion } from './replay-run.js';

export interface WorkerJob {
  readonly run: FleetRun;
  readonly question: FleetQuestion;
}

export type WorkerMessage =
  /** Bytes of its run that were read, of those that are imported on the way. */
  | { readonly kind: 'progress'; readonly read: number }
  | { readonly kind: 'answer'; readonly answer: RunAnswer };

/** Of one run: what it says, or why it says nothing. */
export type RunAnswer = AnsweredRun | RunFailure;

/** Also of a run that nobody wanted to wait for. */
export type WorkerAnswer = RunAnswer | 'interrupted';

export interface RunFailure {
  readonly error: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
  /** It may come out otherwise another time, or elsewhere. */
  readonly isPassing?: boolean | undefined;
  /** No worker has said anything of it: it may be as good as any. */
  readonly isUnanswered?: boolean | undefined;
  /** Of an error that nobody foresaw. */
  readonly stack?: string | undefined;
}
