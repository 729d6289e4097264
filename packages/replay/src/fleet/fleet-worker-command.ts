/** `replay fleet-worker`: takes runs from the queue of a server, and puts their answers there. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  jobId,
  KEEP_EVERY_MS,
  openJobQueue,
  parseServerUrl,
  urlOfRun,
  type JobQueue,
  type TakenJob,
} from '@vhostscope/fleet';
import { counted, EXIT, messageOf, say, STOP_SIGNALS } from '@vhostscope/terminal';
import { workerProgram } from '../worker-program.js';
import { programDigest } from './program-digest.js';
import { answerOfBytes, bytesOfAnswer, jobOfBytes, type SharedJob } from './shared-job.js';
import { readWorkers } from './worker-count.js';
import type { RunAnswer, WorkerAnswer } from './worker-messages.js';
import { createWorkerProcess, NoProcessError, type WorkerProcess } from './worker-process.js';

export interface FleetWorkerOptions {
  readonly workers?: string;
}

/** A job is waited for as long at a time, ms. */
const WAIT_MS = 2000;
const TRY_EVERY_MS = 1000;
/** What may pass is tried again so often, by whoever takes the job then, and not before so long, ms. */
const PASSING_TRIES = 5;
const NOT_BEFORE_MS = 5000;
/** A job that was given away so often and never done kills who takes it: those that give it back when they end do not. */
const MOST_TRIES = 50;

/** @throws ProgramError, FleetError */
export async function fleetWorkerCommand(
  text: string,
  options: FleetWorkerOptions,
): Promise<number> {
  const url = parseServerUrl(text);
  const workers = readWorkers(options.workers);
  const program = workerProgram();
  const queue = await openJobQueue(url, programDigest(program));
  const abort = new AbortController();
  const { signal } = abort;
  const stop = (): void => abort.abort();
  for (const one of STOP_SIGNALS) process.once(one, stop);
  let trouble: string | undefined;
  /** What is wrong with the server is told once. */
  const note = (now: string | undefined): void => {
    if (now !== trouble) say('replay', now ?? `${url.name} answers again`);
    trouble = now;
  };
  const work = async (): Promise<void> => {
    const worker = createWorkerProcess(program);
    while (!signal.aborted) {
      try {
        const job = await queue.take(WAIT_MS);
        note(undefined);
        if (job !== undefined) await workOn(job, { queue, worker, signal });
      } catch (error) {
        if (signal.aborted) break;
        note(`${messageOf(error)}; tried again every second`);
        await sleep(TRY_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    await worker.end();
  };
  try {
    say(
      'replay',
      `${counted(workers, 'process', 'processes')} for the jobs of ${url.name}, until Ctrl-C`,
    );
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    for (const one of STOP_SIGNALS) process.removeListener(one, stop);
    await queue.close();
  }
  say('replay', 'interrupted; what was under way is given to others');
  return EXIT.interrupted;
}

interface Workplace {
  readonly queue: JobQueue;
  readonly worker: WorkerProcess;
  readonly signal: AbortSignal;
}

/** @throws FleetError where the server is away: the job is given to somebody again then */
async function workOn(job: TakenJob, place: Workplace): Promise<void> {
  const { queue } = place;
  const shared = jobId(job.bytes) === job.id ? jobOfBytes(job.bytes) : undefined;
  if (shared === undefined) {
    say('replay', 'a job that is none was left out');
    await queue.putResult(job.id, bytesOfAnswer(NO_JOB));
    return job.done();
  }
  // Given away again, though it was done: it counts once.
  const known = await queue.result(job.id);
  const before = known && answerOfBytes(known);
  if (job.tries > 1 && before !== undefined && 'result' in before) return job.done();
  const keeping = setInterval(() => job.keep(), KEEP_EVERY_MS);
  try {
    const answer = job.tries > MOST_TRIES ? LOST : await answerTo(shared, place);
    if (answer === 'interrupted') return job.giveBack();
    if ('error' in answer && answer.isPassing === true && job.tries < PASSING_TRIES) {
      say('replay', `${shared.host}/${shared.run}: ${answer.error}; it is tried again`);
      return job.giveBack(NOT_BEFORE_MS);
    }
    await queue.putResult(job.id, bytesWithin(answer, queue.mostBytes));
    await job.done();
    sayAnswered(shared, answer);
  } finally {
    clearInterval(keeping);
  }
}

const LOST: RunAnswer = {
  error: `it was given to a worker ${MOST_TRIES} times, and none has answered`,
  advice: 'replay fleet without --share says what becomes of it',
};

const NO_JOB: RunAnswer = { error: 'a worker of this build could not read what was asked' };

async function answerTo(
  { host, run, question }: SharedJob,
  { queue, worker, signal }: Workplace,
): Promise<WorkerAnswer> {
  const source = { path: urlOfRun(queue.url, { host, run }), bytes: 0 };
  try {
    return await worker.ask({ run: { host, run, source }, question }, signal, () => undefined);
  } catch (error) {
    if (error instanceof NoProcessError) return { error: error.message, isPassing: true };
    throw error;
  }
}

/** @param most bytes that the server takes */
function bytesWithin(answer: RunAnswer, most: number): Uint8Array {
  const bytes = bytesOfAnswer(answer);
  if (bytes.length <= most) return bytes;
  return bytesOfAnswer({
    error: `its answer takes ${bytes.length} bytes, and the server takes messages of ${most} at most`,
    advice: 'raise max_payload of nats-server, or ask for fewer designs at a time',
  });
}

function sayAnswered({ host, run }: SharedJob, answer: RunAnswer): void {
  say('replay', `${host}/${run}: ${'error' in answer ? answer.error : 'replayed'}`);
}
