/** Runs over threads: as many traces are open at a time as there are threads, and each thread loads the program once. */
import { Worker } from 'node:worker_threads';
import type { FleetRun } from './fleet-run.js';
import type { FleetQuestion } from './replay-run.js';
import type { RunAnswer, WorkerMessage } from './worker-messages.js';

export interface PoolOptions {
  readonly question: FleetQuestion;
  readonly workers: number;
  /** What a thread runs. */
  readonly program: URL;
  /** Bytes of all runs that were read so far. */
  readonly onProgress: (read: number) => void;
  /** Ends the threads at once; runs that are not done are `interrupted`. */
  readonly signal: AbortSignal;
}

export type PoolAnswer = RunAnswer | 'interrupted';

/** An answer for each run, in the order of the runs. */
export async function replayInThreads(
  runs: readonly FleetRun[],
  { question, workers, program, onProgress, signal }: PoolOptions,
): Promise<PoolAnswer[]> {
  const answers: PoolAnswer[] = runs.map(() => 'interrupted');
  // The longest first: one that begins last would leave the other threads idle.
  const waiting = [...runs.entries()].toSorted(([, a], [, b]) => b.source.bytes - a.source.bytes);
  const read = runs.map(() => 0);
  let readInAll = 0;
  const tell = (at: number, bytes: number): void => {
    readInAll += bytes - (read[at] ?? 0);
    read[at] = bytes;
    onProgress(readInAll);
  };
  const work = async (): Promise<void> => {
    let thread: Thread | undefined;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [at, run] = next;
        if (signal.aborted) return;
        if (thread === undefined || thread.isOver) thread = startThread(program, question);
        const answer = await ask(thread.worker, run, signal, (bytes) => tell(at, bytes));
        if (answer === 'interrupted') return;
        answers[at] = answer;
        tell(at, run.source.bytes);
      }
    } finally {
      await thread?.worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, runs.length) }, work));
  return answers;
}

interface Thread {
  readonly worker: Worker;
  isOver: boolean;
}

function startThread(program: URL, question: FleetQuestion): Thread {
  // What Node was told to load is for the program itself.
  const worker = new Worker(program, { workerData: question, execArgv: [] });
  const thread: Thread = { worker, isOver: false };
  const end = (): void => {
    thread.isOver = true;
  };
  // It may die between two runs, too.
  worker.on('error', end).on('exit', end);
  return thread;
}

/** Gives a run to a thread and waits for its answer, its death, or the user. */
async function ask(
  worker: Worker,
  run: FleetRun,
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<PoolAnswer> {
  return new Promise((resolve) => {
    const end = (answer: PoolAnswer): void => {
      worker.off('message', hear).off('error', die).off('messageerror', die).off('exit', exit);
      signal.removeEventListener('abort', interrupt);
      resolve(answer);
    };
    const hear = (message: WorkerMessage): void => {
      if (message.kind === 'progress') onRead(message.read);
      else end(message.answer);
    };
    const die = (error: unknown): void =>
      end({ error: `the thread that replayed it died: ${deathBy(error)}` });
    const exit = (code: number): void =>
      end({ error: `the thread that replayed it ended, with code ${code}` });
    const interrupt = (): void => end('interrupted');
    worker.on('message', hear).on('error', die).on('messageerror', die).on('exit', exit);
    signal.addEventListener('abort', interrupt);
    worker.postMessage(run, []);
  });
}

function deathBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out of memory' : error.message;
}
