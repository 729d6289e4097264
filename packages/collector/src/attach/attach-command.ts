/** `collector attach`: from a running host to a trace. */
import {
  EXIT,
  jsonDocument,
  openPassingLine,
  ProgramError,
  say,
  writeOut,
} from '@vhostscope/terminal';
import { createTraceWriter, type TraceWriter } from '@vhostscope/trace';
import { BlockedHostError } from '../blocked-host.js';
import { checkPublishFlags } from '../fleet/publish-flags.js';
import { unsentExitCode } from '../fleet/unsent-exit-code.js';
import { actAs, OWN_RIGHTS, type ProcessRights } from '../privileges/process-rights.js';
import type { UserAccount } from '../privileges/user-account.js';
import { readVersion } from '../version.js';
import type { AttachOptions } from './attach-options.js';
import { openOutputsAs, type Outputs } from './attach-outputs.js';
import { attachResult, blockedResult, type AttachResult } from './attach-result.js';
import { createBootClock } from './boot-clock.js';
import { problemsOf, summary } from './attach-summary.js';
import { checkDashboard, startDashboard } from './dashboard-process.js';
import { record, type FinishedRecording } from './record.js';
import { whenOver } from './recording-length.js';
import { showAttaching, showRecording } from './recording-progress.js';
import type { RecordingPlan } from '../plan-recording.js';
import type { RecordedHost } from './recorded-host.js';
import { createStopRequest, type StopRequest } from './stop-request.js';

const NAME = 'collector';

/** Records the host until told to stop; returns the exit code. */
export async function attachCommand(options: AttachOptions, host: RecordedHost): Promise<number> {
  checkPublishFlags(options);
  checkStandardOutput(options);
  if (options.tui === true && options.dryRun !== true) checkDashboard();
  const user = options.user === undefined ? undefined : await host.user(options.user);
  const plan = await planOf(host, options, user);
  if (options.dryRun === true) {
    await writeOut(plan.command.program);
    return EXIT.done;
  }
  for (const remark of plan.remarks) say(NAME, remark);
  const version = readVersion();
  await loadWhatIsNeeded(options);
  const rights = user === undefined ? OWN_RIGHTS : actAs(user);
  const stop = createStopRequest();
  const voice = createVoice(options.tui === true);
  let outputs: Outputs | undefined;
  try {
    outputs = await openOutputsAs(user, options, stop, voice.tell);
    const { target, socket } = outputs;
    const writer = createTraceWriter(outputs.output, {
      ...plan.header,
      sources: ['collector attach'],
      writer: `vhostscope collector ${version}`,
      clock: 'CLOCK_BOOTTIME',
      keepsPointers: options.keepPointers === true,
    });
    const finished = await recordInto(writer, outputs, { plan, host, stop, options, rights });
    const complaint = await outputs.dashboard?.ended;
    if (complaint !== undefined) say(NAME, complaint);
    voice.speakUp();
    const left = leaving(stop, finished);
    const published = await outputs.publishing?.finish(left);
    if (!finished.wasReady) {
      say(NAME, 'interrupted before the probes were attached; nothing was recorded');
      return EXIT.interrupted;
    }
    const dropped = socket?.dropped ?? 0;
    const bytes = outputs.publishing?.copyBytes ?? writer.bytes;
    const written = { path: target.path, bytes };
    const result = attachResult(written, writer, finished, dropped, published, user?.name);
    for (const problem of problemsOf(finished, result)) say(NAME, problem);
    if (options.json === true) await writeOut(jsonDocument(result));
    else say(NAME, summary(result, outputs.name));
    if (outputs.publishing?.copyBytes !== undefined) return EXIT.unusable;
    return exitCode(finished, result, options, left);
  } finally {
    // What is still to be said is for the terminal as it was.
    await outputs?.dashboard?.close();
    voice.speakUp();
    await outputs?.publishing?.close();
    outputs?.target.close();
    outputs?.socket?.close();
    outputs?.ownSocket?.remove();
    outputs?.metrics?.close();
    stop.release();
  }
}

/** There is one, and each of these wants it. */
function checkStandardOutput({ tui, output, json }: AttachOptions): void {
  const [first, second] = [
    tui === true ? ['--tui'] : [],
    output === '-' ? ['-o -'] : [],
    json === true ? ['--json'] : [],
  ].flat();
  if (second === undefined) return;
  throw new ProgramError(`${first} and ${second} both want standard output`, {
    advice: output === '-' ? 'write the trace to a file: -o trace.arrows' : 'leave one of them out',
  });
}

/** What would be recorded; of a host that cannot be, programs that asked for a document get one. */
async function planOf(
  host: RecordedHost,
  { detail, buffer, json, with: recorder }: AttachOptions,
  user: UserAccount | undefined,
): Promise<RecordingPlan> {
  try {
    return await host.plan({ detail, recorder, bufferMiB: buffer, realUser: user?.uid });
  } catch (error) {
    if (json === true && error instanceof BlockedHostError)
      await writeOut(jsonDocument(blockedResult(error.blockers)));
    throw error;
  }
}

/** While this process may read its own files: a user may not. */
async function loadWhatIsNeeded({ publish, metrics }: AttachOptions): Promise<void> {
  if (publish !== undefined) await import('@vhostscope/fleet');
  if (metrics === undefined) return;
  await import('./metrics-listener.js');
  await import('./recording-metrics.js');
}

interface Voice {
  readonly tell: (words: string) => void;
  /** What was to be said while a dashboard had the terminal is said, and what comes then at once. */
  readonly speakUp: () => void;
}

/** A dashboard has the terminal to itself: what comes meanwhile is said when it is gone. */
function createVoice(isHeld: boolean): Voice {
  let held: string[] | undefined = isHeld ? [] : undefined;
  return {
    tell: (words) => {
      if (held !== undefined) return void held.push(words);
      // Not behind the line that shows how the recording goes.
      openPassingLine()?.clear();
      say(NAME, words);
    },
    speakUp: () => {
      for (const words of held ?? []) say(NAME, words);
      held = undefined;
    },
  };
}

/** Aborted when nobody waits for the server any more. */
function leaving(stop: StopRequest, { end }: FinishedRecording): AbortSignal {
  const abort = new AbortController();
  if (end.why === 'left at once') abort.abort();
  void stop.again.then(() => abort.abort());
  return abort.signal;
}

/** What a recording is made of. */
interface Session {
  readonly plan: RecordingPlan;
  readonly host: RecordedHost;
  readonly stop: StopRequest;
  readonly options: AttachOptions;
  readonly rights: ProcessRights;
}

async function recordInto(
  writer: TraceWriter,
  outputs: Outputs,
  { plan, host, stop, rights, options: { duration, nice, tui, user } }: Session,
): Promise<FinishedRecording> {
  const { target, socket, name } = outputs;
  const tellMetrics = await metricsTeller(outputs, writer);
  let clear = showAttaching();
  const slow = setTimeout(() => {
    if (openPassingLine() === undefined) say(NAME, 'attaching the probes: nothing is recorded yet');
  }, SLOW_MS);
  let forget = (): void => undefined;
  const clock = host.createClock?.() ?? createBootClock();
  try {
    return await record(writer, {
      ...plan,
      stop,
      clock,
      rights,
      vhostOwners: () => host.vhostOwners(),
      isServed: socket !== undefined,
      isFollowed: () => target.path === '-' || socket?.isRead() === true,
      niceness: nice,
      patienceMs: host.patienceMs,
      onlineCpus: () => host.onlineCpus(),
      onMoreRights: (why) => {
        clear();
        say(NAME, why);
      },
      onReady: (rings, from) => {
        clearTimeout(slow);
        clear();
        target.begin();
        socket?.serve(writer, rings);
        say(NAME, `attached; recording to ${name}${howLong(duration)}${without(user)}`);
        tellMetrics();
        if (duration !== undefined)
          forget = whenOver({ from, lengthMs: duration }, clock, (lateMs) =>
            stop.request({ why: 'duration', lateMs }),
          );
        if (tui === true) clear = showOnDashboard(outputs, stop);
        else clear = showRecording(writer);
      },
      onDrain: () => clear(),
      onLastEvent: () => socket?.end(),
    });
  } finally {
    clearTimeout(slow);
    forget();
    clear();
    outputs.metrics?.close();
  }
}

/** Loads what makes metrics before the recording begins. Returns what begins to tell them. */
async function metricsTeller(
  { metrics, socket }: Outputs,
  writer: TraceWriter,
): Promise<() => void> {
  if (metrics === undefined) return () => undefined;
  const { createRecordingMetrics } = await import('./recording-metrics.js');
  return () => {
    metrics.serve(createRecordingMetrics(writer, () => socket?.dropped ?? 0));
    say(NAME, `metrics of the recording at ${metrics.url}`);
  };
}

/** Until the user leaves it; the end of a recording is seen there, too. */
function showOnDashboard(outputs: Outputs, stop: StopRequest): () => void {
  const dashboard = startDashboard(outputs.socketPath ?? '');
  outputs.dashboard = dashboard;
  void dashboard.ended.then(() => stop.request({ why: 'dashboard left' }));
  // A signal was for all of it, also when the recording is over by itself and only the screen is still up.
  void stop.requested.then(({ why }) => (why === 'signal' ? dashboard.close() : undefined));
  void stop.again.then(() => dashboard.close());
  return () => undefined;
}

/** bpftrace needs a second or two to compile the program, and a minute on an emulated machine; perf less. */
const SLOW_MS = 3000;

function without(user: string | undefined): string {
  return user === undefined ? '' : `; root is given up for ${user}`;
}

function howLong(duration: number | undefined): string {
  return duration === undefined ? ' until Ctrl-C' : ` for ${duration / 1000} s`;
}

function exitCode(
  { end }: FinishedRecording,
  { complete, published }: AttachResult,
  { strict, duration }: AttachOptions,
  left: AbortSignal,
): number {
  switch (end.why) {
    case 'output failed':
      return EXIT.unusable;
    case 'recorder ended':
    case 'recorder output failed':
      return EXIT.no;
    case 'left at once':
      return EXIT.interrupted;
    case 'stopped':
      // Without a duration a signal is how a recording ends; with one it was cut short.
      if (end.reason.why === 'signal' && duration !== undefined) return EXIT.interrupted;
      // A server that is away is no fault of a recording, which went on.
      if (published?.sent === false && (strict === true || left.aborted))
        return unsentExitCode(left);
      return strict === true && complete === false ? EXIT.no : EXIT.done;
  }
}
