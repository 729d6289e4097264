/** A thread that replays the runs that it is given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf, ProgramError } from '@vhostscope/terminal';
import { InputError, OutputError, TraceFormatError } from '@vhostscope/trace';
import type { FleetRun } from './fleet-run.js';
import { replayRun, type FleetQuestion } from './replay-run.js';
import type { RunAnswer, WorkerMessage } from './worker-messages.js';

/** A bar is drawn ten times a second; a message for each piece that is read would be many more. */
const PAUSE_MS = 100;

const question = workerData as FleetQuestion;

parentPort?.on('message', (run: FleetRun) => {
  void answerTo(run).then((answer) => tell({ kind: 'answer', answer }));
});

async function answerTo(run: FleetRun): Promise<RunAnswer> {
  let told = Date.now();
  try {
    return await replayRun(run, question, (read) => {
      const now = Date.now();
      if (now - told < PAUSE_MS) return;
      told = now;
      tell({ kind: 'progress', read });
    });
  } catch (error) {
    return failureOf(error);
  }
}

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message, []);
}

function failureOf(error: unknown): RunAnswer {
  if (error instanceof ProgramError) return { error: error.message, advice: error.advice };
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
