/**
 * A process that replays runs, started when there is one, and again where it died.
 *
 * Processes, as threads of one share its map of memory: whenever V8 takes pages, gives them back or changes what may be
 * run, all of them wait. So do the threads that V8 has for itself, to compile and to collect garbage, and the cores have
 * other processes to run: each has one thread only. Measured by `npm run bench:fleet`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { messageOf } from '@vhostscope/terminal';
import type { RunFailure, WorkerAnswer, WorkerJob, WorkerMessage } from './worker-messages.js';

export interface WorkerProcess {
  /**
   * Gives it a run, and waits for the answer, its death, or the user: then it ends at once.
   *
   * @param onRead bytes of the run that were read so far
   * @throws NoProcessError
   */
  ask(job: WorkerJob, signal: AbortSignal, onRead: (bytes: number) => void): Promise<WorkerAnswer>;
  /** Ends it; resolves when it has. */
  end(): Promise<void>;
}

/** Of what Node was told, the processes are to have this, too; what it was to load was for the program. */
const OF_MEMORY = /^--(?:max-old-space-size|max-semi-space-size|max-heap-size)=/;

/** No process could be started: there are too many, or too many files are open. */
export class NoProcessError extends Error {
  constructor(reason: unknown) {
    super(`no process could be started that replays it: ${messageOf(reason)}`);
  }
}

/** Tells such a process where a program is one file. */
export const WORKER_ARGUMENT = '--as-replay-worker';

/** @param program a file that it runs, see `workerProgram` */
export function createWorkerProcess(program: URL): WorkerProcess {
  let running: ChildProcess | undefined;

  function start(): ChildProcess {
    const child = fork(program, [WORKER_ARGUMENT], {
      // It reads runs from servers, too: all of the environment is its own.
      env: process.env,
      execArgv: ['--single-threaded', ...process.execArgv.filter((flag) => OF_MEMORY.test(flag))],
      serialization: 'advanced',
      // A stack trace of V8 is for nobody.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const end = (): void => {
      if (running === child) running = undefined;
    };
    // It may die between two runs, too.
    child.on('error', end).on('exit', end);
    return child;
  }

  return {
    ask: async (job, signal, onRead) => {
      if (signal.aborted) return 'interrupted';
      // As many processes as there are hear of the one end.
      setMaxListeners(0, signal);
      try {
        running ??= start();
      } catch (error) {
        throw new NoProcessError(error);
      }
      return askOf(running, job, signal, onRead);
    },
    end: async () => {
      const child = running;
      if (child === undefined) return;
      const ended = once(child, 'exit');
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

async function askOf(
  child: ChildProcess,
  job: WorkerJob,
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      child.off('message', hear).off('error', fail).off('exit', exit);
      signal.removeEventListener('abort', interrupt);
    };
    const end = (answer: WorkerAnswer): void => {
      leave();
      resolve(answer);
    };
    const hear = (message: WorkerMessage): void => {
      if (message.kind === 'progress') onRead(message.read);
      else end(message.answer);
    };
    const fail = (error: Error): void => {
      leave();
      reject(new NoProcessError(error));
    };
    const exit = (code: number | null, by: NodeJS.Signals | null): void => end(deathBy(code, by));
    const interrupt = (): void => {
      child.kill('SIGKILL');
      end('interrupted');
    };
    child.on('message', hear).on('error', fail).on('exit', exit);
    signal.addEventListener('abort', interrupt);
    // Where it cannot be told, it has died, and that is heard.
    child.send(job, () => undefined);
  });
}

function deathBy(code: number | null, signal: NodeJS.Signals | null): WorkerAnswer {
  // Ctrl-C, before it could tell that this is nothing to it.
  if (signal === 'SIGINT' || signal === 'SIGHUP') return 'interrupted';
  return { ...reasonOfDeath(code, signal), isPassing: true };
}

function reasonOfDeath(code: number | null, signal: NodeJS.Signals | null): RunFailure {
  if (signal === 'SIGABRT')
    return {
      error: 'the process that replayed it ran out of memory',
      advice: 'NODE_OPTIONS=--max-old-space-size=8000 lets each have 8 GB',
    };
  if (signal === 'SIGKILL')
    return { error: 'the process that replayed it was killed; the system may be out of memory' };
  return {
    error: `the process that replayed it ended, with ${signal ?? `code ${code ?? 'unknown'}`}`,
  };
}
