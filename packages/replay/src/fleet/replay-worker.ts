/** A process that replays the runs that it is given, one after the other, until nobody gives any more. */
import { messageOf, ProgramError } from '@vhostscope/terminal';
import { InputError, OutputError, TraceFormatError } from '@vhostscope/trace';
import { replayRun } from './replay-run.js';
import { whileAsked } from './while-asked.js';
import type { RunAnswer, WorkerJob, WorkerMessage } from './worker-messages.js';

/** A bar is drawn ten times a second; a message for each piece that is read would be many more. */
const PAUSE_MS = 100;
/** One whose parent has died has another. Should that have been before this, it is heard when a trace is opened. */
const PARENT = process.ppid;

// Ctrl-C in a terminal is told to all that runs in it: who gives the runs decides what becomes of this process.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (job: WorkerJob) => {
  void answerTo(job).then((answer) => tell({ kind: 'answer', answer }));
});
process.once('disconnect', () => process.exit());

async function answerTo({ run, question }: WorkerJob): Promise<RunAnswer> {
  let told = Date.now();
  try {
    return await replayRun(
      run,
      question,
      (read) => {
        const now = Date.now();
        if (now - told < PAUSE_MS) return;
        told = now;
        tell({ kind: 'progress', read });
      },
      (visit) => whileAsked(visit, () => process.ppid === PARENT || process.exit()),
    );
  } catch (error) {
    return failureOf(error);
  }
}

/** Where nobody listens any more, the end has come, or does at once. */
function tell(message: WorkerMessage): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

/** What speaks with servers is loaded only for that: its errors are known by what they tell. */
function isAway(error: ProgramError): boolean {
  return 'isAway' in error && error.isAway === true;
}

function failureOf(error: unknown): RunAnswer {
  if (error instanceof ProgramError)
    return { error: error.message, advice: error.advice, isPassing: isAway(error) };
  if (
    error instanceof InputError ||
    error instanceof OutputError ||
    error instanceof TraceFormatError
  )
    return { error: error.message };
  return {
    error: `unexpected error: ${messageOf(error)}`,
    advice: 'this is a bug; run again with --debug for the stack trace',
    ...(error instanceof Error && { stack: error.stack }),
  };
}
