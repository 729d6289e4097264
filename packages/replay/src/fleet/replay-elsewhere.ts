/** Runs over machines: a job for each on the queue of their server, and the answers as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  jobId,
  openJobQueue,
  parseFleetUrl,
  type FleetUrl,
  type JobQueue,
} from '@vhostscope/fleet';
import { counted, ProgramError, say } from '@vhostscope/terminal';
import type { FleetRun } from './fleet-run.js';
import { programDigest } from './program-digest.js';
import type { FleetQuestion } from './replay-run.js';
import { answerOfBytes, bytesOfJob, jobOfBytes, MOST_DESIGNS } from './shared-job.js';
import type { Sharing } from './sharing.js';
import type { RunAnswer, WorkerAnswer } from './worker-messages.js';

export interface ElsewhereOptions {
  readonly question: FleetQuestion;
  /** What a process runs: of the build that the workers must have, too. */
  readonly program: URL;
  /** Bytes of all runs that were answered so far. */
  readonly onProgress: (read: number) => void;
  /** What is not answered is `interrupted`; it stays on the queue. */
  readonly signal: AbortSignal;
}

/** Questions that are under way at once. */
const AT_ONCE = 16;
/** Between two looks at the queue, ms. */
const LOOK_EVERY_MS = 2000;

/** An answer for each run, in the order of the runs. @throws ProgramError, FleetError */
export async function replayElsewhere(
  runs: readonly FleetRun[],
  { waitMs }: Sharing,
  { question, program, onProgress, signal }: ElsewhereOptions,
): Promise<WorkerAnswer[]> {
  const url = serverOf(runs);
  const answers: WorkerAnswer[] = runs.map(() => 'interrupted');
  const jobs = runs.map((run) => ({ run, bytes: bytesOfJob({ ...namesOf(run), question }) }));
  const open = new Map(jobs.map(({ bytes }, at) => [jobId(bytes), at]));
  const whole = jobs.every(({ bytes }) => jobOfBytes(bytes) !== undefined);
  if (!whole)
    throw new ProgramError('so much cannot be asked of other machines', {
      advice: `name fewer designs: ${MOST_DESIGNS} at most`,
    });
  const enough = new AbortController();
  const over = AbortSignal.any([signal, enough.signal]);
  let done = 0;
  let heardAt = performance.now();

  const settle = (id: string, answer: RunAnswer): void => {
    const at = open.get(id);
    if (at === undefined) return;
    open.delete(id);
    const { run } = jobs[at];
    answers[at] = 'error' in answer ? answer : { ...answer, result: named(answer.result, run) };
    done += run.source.bytes;
    heardAt = performance.now();
    onProgress(done);
    if (open.size === 0) enough.abort();
  };

  const queue = await openJobQueue(url, programDigest(program));
  try {
    // What is answered from now on is heard, whoever asked for it.
    const coming = await queue.comingResults(over);
    await forEach(jobs, async ({ bytes }) => {
      const id = jobId(bytes);
      const known = await queue.result(id);
      const answer = known && answerOfBytes(known);
      // What failed may have failed for a while only.
      if (answer !== undefined && 'result' in answer) settle(id, answer);
    });
    const known = runs.length - open.size;
    if (known > 0) say('replay', `${counted(known, 'run')} answered before`);
    // The longest first: one that begins last would leave the other workers idle.
    for (const { bytes } of jobs.toSorted((a, b) => b.run.source.bytes - a.run.source.bytes)) {
      if (signal.aborted) break;
      if (open.has(jobId(bytes))) await queue.put(bytes);
    }
    const watching = watch(queue, enough, over, () => performance.now() - heardAt > waitMs);
    for await (const { id, bytes } of coming) {
      if (!open.has(id)) continue;
      const answer = answerOfBytes(bytes);
      settle(
        id,
        answer ?? {
          error: `${jobs[open.get(id) ?? 0].run.source.path}: ${NO_ANSWER}`,
          isUnanswered: true,
        },
      );
    }
    enough.abort();
    await watching;
  } finally {
    enough.abort();
    await queue.close();
  }
  if (!signal.aborted)
    for (const at of open.values())
      answers[at] = {
        error: `${jobs[at].run.source.path}: no worker has answered in time (--share-wait)`,
        advice: `its job stays on the queue for a day; replay fleet-worker ${url.name} takes it`,
        isUnanswered: true,
      };
  return answers;
}

const NO_ANSWER = 'what a worker has answered is no answer';

/** The server that has the runs, and so the jobs. @throws ProgramError */
function serverOf(runs: readonly FleetRun[]): FleetUrl {
  const urls = new Map(
    runs.map(({ source }) => parseFleetUrl(source.path)).map((url) => [url.name, url]),
  );
  const [url, other] = urls.values();
  if (url === undefined) throw new Error('there is no run');
  if (other !== undefined)
    throw new ProgramError(
      `--share is of the runs of one server, not of ${url.name} and ${other.name}`,
    );
  return { ...url, host: undefined, run: undefined, otherwise: undefined };
}

/** By its names on the server; it may be shown by others. */
function namesOf({ source: { path, digest = '' } }: FleetRun): {
  host: string;
  run: string;
  digest: string;
} {
  const { run } = parseFleetUrl(path);
  if (run === undefined) throw new Error(`${path} names no run`);
  return { ...run, digest };
}

type Result = Extract<RunAnswer, { result: unknown }>['result'];

/** As it is called here: a worker may know the server by another address. */
function named(result: Result, { host, run, source: { path } }: FleetRun): Result {
  return { ...result, host, run, path, comparison: { ...result.comparison, trace: path } };
}

/** Ends the waiting when it was too long, and says where nobody is there to work. */
async function watch(
  queue: JobQueue,
  enough: AbortController,
  signal: AbortSignal,
  isTooLong: () => boolean,
): Promise<void> {
  let lonely = 0;
  while (!signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (isTooLong()) enough.abort();
    if (signal.aborted) return;
    // The server may be away for a while.
    const state = await queue.state().catch(() => undefined);
    if (state === undefined) continue;
    const isLonely = state.idleWorkers === 0 && state.underWay === 0 && state.waiting > 0;
    lonely = isLonely ? lonely + 1 : 0;
    if (lonely === 2) {
      const others = await queue.othersWithWorkers().catch(() => 0);
      say(
        'replay',
        `no worker of this build of replay is there${otherBuilds(others)}; start one: replay fleet-worker ${queue.url.name}`,
      );
    }
  }
}

function otherBuilds(others: number): string {
  if (others === 0) return '';
  return `, but workers of ${counted(others, 'other build')}: compare replay --version there and here`;
}

async function forEach<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of waiting) await act(item);
    }),
  );
}
