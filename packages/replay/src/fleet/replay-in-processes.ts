/** Runs over processes: as many traces are open at a time as there are processes, and each loads the program once. */
import type { FleetRun } from './fleet-run.js';
import type { FleetQuestion } from './replay-run.js';
import type { WorkerAnswer } from './worker-messages.js';
import { createWorkerProcess, NoProcessError } from './worker-process.js';

export interface ReplayOptions {
  readonly question: FleetQuestion;
  readonly workers: number;
  /** What a process runs. */
  readonly program: URL;
  /** Bytes of all runs that were read so far. */
  readonly onProgress: (read: number) => void;
  /** Ends the processes at once; runs that are not done are `interrupted`. */
  readonly signal: AbortSignal;
}

/** An answer for each run, in the order of the runs. */
export async function replayInProcesses(
  runs: readonly FleetRun[],
  { question, workers, program, onProgress, signal }: ReplayOptions,
): Promise<WorkerAnswer[]> {
  const answers: WorkerAnswer[] = runs.map(() => 'interrupted');
  // The longest first: one that begins last would leave the other processes idle.
  const waiting = [...runs.entries()].toSorted(([, a], [, b]) => b.source.bytes - a.source.bytes);
  const read = runs.map(() => 0);
  let readInAll = 0;
  const tell = (at: number, bytes: number): void => {
    readInAll += bytes - (read[at] ?? 0);
    read[at] = bytes;
    onProgress(readInAll);
  };
  let working = Math.min(workers, runs.length);
  const work = async (): Promise<void> => {
    const worker = createWorkerProcess(program);
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [at, run] = next;
        try {
          const answer = await worker.ask({ run, question }, signal, (bytes) => tell(at, bytes));
          if (answer === 'interrupted') return;
          answers[at] = answer;
        } catch (error) {
          if (!(error instanceof NoProcessError)) throw error;
          if (working > 1) {
            // Those that could be started do the rest.
            waiting.unshift(next);
            return;
          }
          answers[at] = { error: `${run.source.path}: ${error.message}` };
        }
        tell(at, run.source.bytes);
      }
    } finally {
      working--;
      await worker.end();
    }
  };
  await Promise.all(Array.from({ length: working }, work));
  return answers;
}
