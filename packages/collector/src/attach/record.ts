/**
 * A recording from the start of what records to the end of the trace: attach, record, let everything
 * arrive, stop. However it ends, what has arrived is in the trace, and the trace says how it ended.
 */
import { setTimeout } from 'node:timers/promises';
import { countOfLine, KIND } from '@vhostscope/model';
import { EXIT, ProgramError } from '@vhostscope/terminal';
import {
  abandonTrace,
  closeTrace,
  dropUnwritten,
  flushTrace,
  noteFlaw,
  noteLimit,
  noteLiveEnd,
  OutputError,
  settleTrace,
  writeLoss,
  type ImportReport,
  type TraceWriter,
} from '@vhostscope/trace';
import { keepPageMaps } from './kept-page-maps.js';
import { leaveCpusTo } from './niceness.js';
import {
  beginRecording,
  endRecording,
  followRecorder,
  unsettledCpus,
  type RecordingOptions,
  type RecordingRun,
} from './recording-run.js';
import { OWN_RIGHTS } from '../privileges/process-rights.js';
import { lackedPermission, NotPermittedError } from './lacked-rights.js';
import { endInWords, startRecorder } from './recorder-process.js';
import { inWords, unreadable, type RecordingEnd } from './recording-end.js';
import type { StopRequest } from './stop-request.js';
import { withMoreRights } from './wider-rights.js';

export interface FinishedRecording {
  /** What recorded. */
  readonly recorder: string;
  readonly end: RecordingEnd;
  readonly report: ImportReport;
  /** How far into the recording the first line came that could not be read, ns; undefined before it began. */
  readonly rejectedAfter: bigint | undefined;
  /** Lines that the kernel counted and that never arrived, by class. */
  readonly missing: Readonly<Record<string, number>>;
  /** Why it is not known whether everything arrived. */
  readonly doubts: readonly string[];
  /** What the trace does not tell, although nothing is missing. */
  readonly limits: readonly string[];
  /** All that what recorded could ever have; undefined: all that root has. */
  readonly capabilities: readonly string[] | undefined;
  /** Whether probes were attached at all. */
  readonly wasReady: boolean;
}

/**
 * Records into a trace until it is told to stop, or cannot go on. The trace is closed then.
 *
 * @throws ProgramError when what records cannot be started or attaches nothing
 */
export async function record(
  writer: TraceWriter,
  options: RecordingOptions,
): Promise<FinishedRecording> {
  return recordWith(writer, options, []);
}

/** With more of root's rights where what records lacked them; `limits` tell of those that it has got. */
async function recordWith(
  writer: TraceWriter,
  options: RecordingOptions,
  limits: readonly string[],
): Promise<FinishedRecording> {
  try {
    return await recordOnce(writer, options, limits);
  } catch (error) {
    // What has begun in the trace would be in it twice.
    const isAllowed = writer.current === undefined && options.stop.reason === undefined;
    const wider = isAllowed ? withMoreRights(options.command, error) : undefined;
    if (wider === undefined) throw error;
    options.onMoreRights(wider.said);
    return recordWith(writer, { ...options, command: wider.command }, [...limits, wider.limit]);
  }
}

async function recordOnce(
  writer: TraceWriter,
  options: RecordingOptions,
  limits: readonly string[],
): Promise<FinishedRecording> {
  const { command, clock, onlineCpus } = options;
  const host = { onlineCpus, now: (): bigint => clock.now() };
  const recorder = await startRecorder(command, host, options.rights);
  const run = followRecorder(writer, recorder, options);
  run.limits.push(...limits);
  try {
    const end = await untilEnd(run, options);
    // Nothing of it is read any more; its probes shall not outlast a reader that takes its time.
    await recorder.close();
    return await finish(run, end, options);
  } finally {
    await recorder.close();
    run.close();
  }
}

const READY = { why: 'ready' } as const;

async function untilEnd(run: RecordingRun, options: RecordingOptions): Promise<RecordingEnd> {
  const { recorder } = run;
  const { stop } = options;
  const abrupt = abruptEnd(run, stop);
  const asked = stop.requested.then((reason) => ({ why: 'stopped', reason }) as const);
  const begun = await Promise.race([recorder.ready.then(() => READY), abrupt, asked]);
  if (begun.why === 'recorder ended' || begun.why === 'recorder output failed')
    throw couldNotAttach(begun);
  if (begun.why !== 'ready') return begun;
  // Not before: attaching is work, and nobody waits for less of it.
  const { niceness, rights } = options;
  if (niceness !== undefined) rights.asRoot(() => leaveCpusTo(recorder.pids, niceness));
  if (rights !== OWN_RIGHTS) {
    rights.asRoot(() => {
      recorder.keepInSight?.();
      run.pageMaps = keepPageMaps(ownersInSight(run, options.vhostOwners()));
    });
    rights.giveUpRoot();
  }
  beginRecording(run, options);
  const end = await Promise.race([abrupt, asked]);
  if (end.why !== 'stopped') return end;
  const cut = await drain(run, abrupt, options);
  if (cut !== undefined) return cut;
  await noteProbeMisses(run);
  recorder.interrupt();
  // Where it could not keep up, it hands over the rest now that its probes are gone.
  const isAll = await Promise.race([
    recorder.ended.then(() => true),
    stop.again,
    pause(options.patienceMs),
  ]);
  const failure = outputFailure(run);
  if (failure !== undefined) return failure;
  reckon(run, isAll === true);
  const silent = unsettledCpus(run, options.onlineCpus(), run.until ?? 0n);
  if (silent.length > 0)
    run.doubts.push(`CPU ${silent.join(', ')} did not say that all had arrived`);
  return end;
}

/** Processes that own rings, as far as that is known. */
function ownersInSight({ rings }: RecordingRun, others: readonly number[]): Set<number> {
  const told = [...rings.rings.values()].flatMap((line) =>
    line.kind === KIND.virtqueue ? [countOfLine(line, 'owner')] : [],
  );
  return new Set([...told, ...others]);
}

/** Ends that nobody waits for anything after. */
function abruptEnd(run: RecordingRun, { again }: StopRequest): Promise<RecordingEnd> {
  const { recorder, failed } = run;
  return Promise.race([
    // First: who cannot read it learns of its end, too.
    recorder.output.failed.then((reason) => unreadable(recorder.name, reason)),
    recorder.ended.then((end): RecordingEnd => ({
      why: 'recorder ended',
      words: endInWords(recorder.name, end),
      complaints: recorder.complaints,
    })),
    failed.then((error): RecordingEnd => {
      if (error instanceof OutputError) return { why: 'output failed', error };
      throw error;
    }),
    again.then((): RecordingEnd => ({ why: 'left at once' })),
  ]);
}

function outputFailure({ recorder }: RecordingRun): RecordingEnd | undefined {
  const { failure } = recorder.output;
  return failure === undefined ? undefined : unreadable(recorder.name, failure);
}

function couldNotAttach(
  end: RecordingEnd & { why: 'recorder ended' | 'recorder output failed' },
): Error {
  const { words } = end;
  const complaints = end.why === 'recorder ended' ? end.complaints : [];
  const lacked = lackedPermission(complaints);
  const why =
    end.why === 'recorder output failed'
      ? words
      : (lacked ?? complaints[0] ?? `${words}, and said nothing`);
  const CouldNot = lacked === undefined ? ProgramError : NotPermittedError;
  return new CouldNot(`the probes could not be attached: ${why}`, {
    exitCode: EXIT.host,
    advice: 'collector doctor says what this host can do',
  });
}

/**
 * The recording ends at this moment, and waits for what happened before it. What bpftrace holds when
 * it is interrupted it drops without a word, so it is not interrupted until that has arrived.
 *
 * @returns how it ended, when it did before that
 */
async function drain(
  run: RecordingRun,
  abrupt: Promise<RecordingEnd>,
  options: RecordingOptions,
): Promise<RecordingEnd | undefined> {
  options.onDrain();
  const settled = endRecording(run, options).then(() => undefined);
  return Promise.race([settled, abrupt, pause(options.patienceMs)]);
}

async function pause(ms: number): Promise<undefined> {
  return setTimeout(ms, undefined, { ref: false });
}

/** Probes that never ran are in nobody's counts. */
async function noteProbeMisses({ writer, recorder, report }: RecordingRun): Promise<void> {
  const misses = await recorder.skipped();
  if (misses > 0) writeLoss(writer, BigInt(misses), 'probes that the kernel skipped', report.lines);
}

/** What the kernel counted of its probes, where only that tells that nothing is missing. */
function reckon({ recorder, account, doubts }: RecordingRun, hasEnded: boolean): void {
  if (recorder.reckon === undefined) return;
  if (!hasEnded) {
    doubts.push(`${recorder.name} did not end in time: what it still held is not known`);
    return;
  }
  const { lost, doubts: others } = recorder.reckon();
  account.hearCounted(lost);
  doubts.push(...others);
}

/** Ends the trace. What cannot be written then is no different from what could not be before. */
async function finish(
  run: RecordingRun,
  end: RecordingEnd,
  options: RecordingOptions,
): Promise<FinishedRecording> {
  const { writer, importer, report, account, doubts, from } = run;
  const limits = limitsOf(run);
  if (end.why === 'recorder ended' || end.why === 'recorder output failed')
    doubts.push(`${end.words}: what it still held is not known`);
  if (end.why === 'left at once') doubts.push('it was not waited for what was under way');
  const missing = account.missing();
  const finished = {
    recorder: run.recorder.name,
    report,
    rejectedAfter: rejectedAfter(run),
    missing,
    doubts,
    limits,
    capabilities: options.command.privileges.capabilities,
    wasReady: from !== undefined,
  };
  let isWritten = true;
  try {
    // It may be the end itself that was not written, and then there is one to be told again.
    if (end.why === 'output failed') await giveUpUnwritten(writer);
    // Before all probes were attached there is no recording of which anything could be said.
    if (from !== undefined) {
      const span = { from, until: endOf(run, from) };
      noteLiveEnd(writer, { ended: inWords(end), doubts, missing, span });
    }
    noteLimits(run, limits);
    if (end.why === 'output failed') noteFlaw(writer, end.error.message);
    else {
      flushTrace(writer);
      isWritten = await settleOrLeave(writer, options.stop);
    }
    options.onLastEvent();
    importer.end(true);
    closeTrace(writer);
    isWritten = (await settleOrLeave(writer, options.stop)) && isWritten;
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    if (end.why !== 'output failed') return finish(run, { why: 'output failed', error }, options);
    // There is no room for the last word either: nothing of it stays.
    await giveUpUnwritten(writer);
  }
  if (isWritten) return { ...finished, end };
  return {
    ...finished,
    end: { why: 'left at once' },
    doubts: [...doubts, 'the output had not taken everything'],
  };
}

/** When the recording ended; where nobody ended it, up to when what recorded said anything. */
function endOf({ until, latest }: RecordingRun, from: bigint): bigint {
  const end = until ?? latest;
  return end > from ? end : from;
}

/** What it does not tell, although nothing is missing: pages at which nobody could look are among it. */
function limitsOf({ pageMaps, limits }: RecordingRun): readonly string[] {
  return [...limits, ...(pageMaps?.limits() ?? [])];
}

/** Once, also where the end of the trace is written a second time. */
function noteLimits(run: RecordingRun, limits: readonly string[]): void {
  if (run.areLimitsNoted) return;
  run.areLimitsNoted = run.writer.current !== undefined;
  for (const limit of limits) noteLimit(run.writer, limit);
}

async function giveUpUnwritten(writer: TraceWriter): Promise<void> {
  await abandonTrace(writer);
  dropUnwritten(writer, 'no room in the output');
}

function rejectedAfter({ rejectedAt, from }: RecordingRun): bigint | undefined {
  if (rejectedAt === undefined || from === undefined || rejectedAt < from) return undefined;
  return rejectedAt - from;
}

/** Somebody who wants to leave at once waits so long for what a disk takes in a moment. */
const LAST_WRITES_MS = 250;

/**
 * A reader that is stuck keeps nobody who has asked twice: what it did not take, it does not get.
 *
 * @returns whether everything is written
 */
async function settleOrLeave(writer: TraceWriter, { again }: StopRequest): Promise<boolean> {
  return Promise.race([
    settleTrace(writer).then(() => true),
    again.then(() => setTimeout(LAST_WRITES_MS, false)),
  ]);
}
