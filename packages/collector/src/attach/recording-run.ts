/** A recording under way: what the recorder prints goes into the trace, and is held against what was counted. */
import {
  countOfLine,
  INVALIDATION_CLASSES,
  KIND,
  timeOfLine,
  type EventLine,
  type FieldName,
} from '@vhostscope/model';
import {
  createImportReport,
  createRingState,
  createTextImporter,
  forgetRanges,
  keepPace,
  noteRange,
  noteRingState,
  noteStack,
  writeLoss,
  writeOwnEvent,
  writeRingLine,
  type ImportReport,
  type RingState,
  type TextImporter,
  type TraceWriter,
} from '@vhostscope/trace';
import { CLOCK_LAG_NS, type BootClock } from './boot-clock.js';
import type { ProcessRights } from '../privileges/process-rights.js';
import type { BpftraceCommand } from './bpftrace-process.js';
import type { PerfCommand } from '../perf-recording/perf-command.js';
import { createDeferred } from './deferred.js';
import { createEarlyRanges, type EarlyRanges } from './early-ranges.js';
import { createLossAccount, type LineClass, type LossAccount } from './loss-account.js';
import { createStackReader, type KernelStack } from './kernel-stacks.js';
import type { KeptPageMaps } from './kept-page-maps.js';
import { createPageWatch } from './page-watch.js';
import { readAreaPages } from './ring-pages.js';
import type { RecorderProcess } from './recorder-process.js';
import type { StopRequest } from './stop-request.js';
import { createToldHeartbeats } from './told-heartbeats.js';

/** A class of lines, and the field of a heartbeat that counts it. */
export interface CountedClass extends LineClass {
  readonly field: FieldName;
}

export interface RecordingOptions {
  readonly command: BpftraceCommand | PerfCommand;
  readonly classes: readonly CountedClass[];
  /** By area: with so many pages, or fewer, it is looked at by the program. */
  readonly lookedAtPages: readonly number[];
  /** CPUs from which a heartbeat is to be expected; asked when the recording is to end. */
  readonly onlineCpus: () => readonly number[];
  /** How long the recorder may take to end: it detaches its probes one by one, and hands over what it holds. */
  readonly patienceMs: number;
  readonly stop: StopRequest;
  /** That of the events. */
  readonly clock: BootClock;
  /** Those of this process; what is given up of them is when all probes are attached. */
  readonly rights: ProcessRights;
  /** Processes that have a vhost device open now. */
  readonly vhostOwners: () => readonly number[];
  /** Whether somebody reads the trace while it is being written. */
  readonly isFollowed: () => boolean;
  /** Whether readers may join, who are told first what holds. */
  readonly isServed: boolean;
  /** Nice value, 0 to 19, of all that records, when it does. */
  readonly niceness: number | undefined;
  /** Called where what records lacked some of root's rights, and is started again with more of them. */
  readonly onMoreRights: (why: string) => void;
  /** Called once, when all probes are attached: `rings` goes on to change, `from` is when the recording began, ns. */
  readonly onReady: (rings: RingState, from: bigint) => void;
  /** Called once, when no more is recorded and what is under way is waited for. */
  readonly onDrain: () => void;
  /** Called when the trace has got its last event, before it gets its end. */
  readonly onLastEvent: () => void;
}

/** A recording under way. */
export interface RecordingRun {
  readonly writer: TraceWriter;
  readonly recorder: RecorderProcess;
  readonly importer: TextImporter;
  readonly report: ImportReport;
  readonly account: LossAccount;
  readonly clock: BootClock;
  readonly doubts: string[];
  /** What it cannot tell although nothing is missing, for the trace. */
  readonly limits: string[];
  areLimitsNoted: boolean;
  /** What is left to see of the pages of rings, where root was given up. */
  pageMaps: KeptPageMaps | undefined;
  /** Resolves with what was thrown when the output takes no more. */
  readonly failed: Promise<unknown>;
  /** The rings as they are. */
  readonly rings: RingState;
  /** Ranges that had begun before the recording did. */
  readonly earlyRanges: EarlyRanges;
  /** Kernel stacks that were told before the recording began: ranges in it may name them. */
  readonly earlyStacks: KernelStack[];
  /** When the first line was read that cannot be, ns; undefined while all can. */
  rejectedAt: bigint | undefined;
  /** The latest time of an event that was told before the recording began, or of a heartbeat, ns. */
  latest: bigint;
  /** When the recording began, ns; undefined while not all probes are attached. */
  from: bigint | undefined;
  /** When it ended; undefined while it goes on. */
  until: bigint | undefined;
  /** Called at every heartbeat. */
  onHeartbeat: () => void;
  close(): void;
}

/** Begins to read what the recorder prints; nothing is recorded yet. */
export function followRecorder(
  writer: TraceWriter,
  recorder: RecorderProcess,
  { clock, classes, lookedAtPages, isFollowed, isServed }: RecordingOptions,
): RecordingRun {
  const report = createImportReport();
  const failed = createDeferred<unknown>();
  const importer = createTextImporter(writer, report, {
    recorder: recorder.name,
    notWritten: new Set([KIND.heartbeat]),
    onEvent: (line, bytes) => {
      if (line.kind === KIND.heartbeat) {
        hearHeartbeat(run, line, classes);
        if (isRecorded(run, line)) heartbeats.hear(line);
      }
      if (run.from === undefined || line.kind === KIND.heartbeat)
        run.latest = later(run.latest, timeOfLine(line));
      pages.hear(line);
      if (noteRingState(run.rings, line)) tellEarlyRing(run, line);
      // Of those that are under way where the recording begins, `earlyRanges` knows.
      if (isServed) noteRange(rings.ranges, line, bytes);
      earlyRanges.hear(line, bytes, run.from);
    },
    onMessage: (message) => recorder.hear(message),
    onText: (text) => stacks.hear(text),
    onLoss: (howMany, by) => {
      forgetAllRanges();
      // What it loses from the end on is not of the recording; what was before, heartbeats tell.
      if (run.until === undefined || by !== recorder.name) run.account.hearLoss(howMany, by);
    },
  });
  const stacks = createStackReader((stack) => tellStack(run, stack));
  // Lost lines are told of at once, and what they were with the next heartbeat.
  const rings = createRingState(() => run.account.missing()['state'] === 0);
  const earlyRanges = createEarlyRanges(writer);
  const heartbeats = createToldHeartbeats(writer, isFollowed);
  const forgetAllRanges = (): void => {
    forgetRanges(rings.ranges);
    if (run.from === undefined) earlyRanges.lose();
  };
  const pages = createPageWatch(
    () => run.clock.now(),
    (time, values) => importer.insert('pages', time, values),
    lookedAtPages,
    (pid, address, size) => readAreaPages(pid, address, size, run.pageMaps?.readWords),
  );
  // Until all probes are attached nothing is recorded: a state that only some of them see is wrong.
  importer.setSpan(NEVER, undefined);
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      recorder.output.discard();
      clearInterval(flushing);
      failed.resolve(error);
    }
  };
  recorder.output.read((bytes) => {
    guarded(() => {
      importer.push(bytes);
      if (report.rejected > 0) run.rejectedAt ??= run.clock.now();
      if (run.from !== undefined && run.until === undefined) pages.look();
    });
    const catchingUp = keepPace(writer);
    if (catchingUp === undefined) return;
    // The recorder loses then what it cannot hold, and the kernel's counts tell how much.
    recorder.output.pause();
    void catchingUp.finally(() => recorder.output.resume());
  });
  // What has arrived is on its way to the file at once, however slowly more comes.
  const flushing = setInterval(() => guarded(() => heartbeats.flush(performance.now())), FLUSH_MS);
  const run: RecordingRun = {
    writer,
    recorder,
    importer,
    report,
    account: createLossAccount(
      classes,
      (cpu, kind) => importer.arrived(cpu, kind),
      (howMany, by) => {
        forgetAllRanges();
        writeLoss(writer, howMany, by, report.lines);
      },
    ),
    clock,
    doubts: [],
    limits: [],
    areLimitsNoted: false,
    pageMaps: undefined,
    failed: failed.promise,
    rings,
    earlyRanges,
    earlyStacks: [],
    rejectedAt: undefined,
    latest: 0n,
    from: undefined,
    until: undefined,
    onHeartbeat: () => undefined,
    close: () => {
      clearInterval(flushing);
      run.pageMaps?.close();
    },
  };
  return run;
}

/** Between two times that what waits for a full batch is written. */
const FLUSH_MS = 400;

const NEVER = (1n << 63n) - 1n;

/** No lag explains this: the events have another clock. */
const GROSS_LAG_NS = 1_000_000_000n;

/** All probes are attached: what happens from now on is recorded. */
export function beginRecording(run: RecordingRun, options: RecordingOptions): void {
  const now = run.clock.now() + CLOCK_LAG_NS;
  // Whatever clock was read here: what has been told by now, some probes may have seen without the others.
  const from = now > run.latest ? now : run.latest + 1n;
  if (run.latest > now + GROSS_LAG_NS)
    run.doubts.push('the clock of the events is ahead of CLOCK_BOOTTIME as it is read here');
  run.from = from;
  run.importer.setSpan(from, undefined);
  // What was told while probes were being attached, of rings that were there before.
  for (const line of run.rings.rings.values()) writeRingLine(run.writer, line, from);
  for (const stack of run.earlyStacks.splice(0)) tellStack(run, stack);
  run.earlyRanges.tell(from);
  run.onHeartbeat = () => {
    if (awaitedCpus(run, options, from).length > 0) return;
    // Nothing from before can come any more: the faster way of reading is open.
    run.importer.setSpan(undefined, undefined);
    run.onHeartbeat = () => undefined;
  };
  options.onReady(run.rings, from);
}

function hearHeartbeat(run: RecordingRun, line: EventLine, classes: readonly CountedClass[]): void {
  const { account, until } = run;
  // Of a CPU that has told all up to the end, what comes later is not of the recording.
  if (until === undefined || !account.isSettled(line.cpu, until)) {
    const emitted = classes.map(({ field }) => countOfLine(line, field));
    account.hearHeartbeat(line.cpu, timeOfLine(line), emitted);
  }
  run.onHeartbeat();
}

function isRecorded({ from, until }: RecordingRun, line: EventLine): boolean {
  const time = timeOfLine(line);
  return from !== undefined && time >= from && (until === undefined || time <= until);
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** A ring was told of before the recording began, and only now is it read: told again at its beginning. */
function tellEarlyRing({ writer, from }: RecordingRun, line: EventLine): void {
  if (from !== undefined && timeOfLine(line) < from) writeRingLine(writer, line, from);
}

/** A kernel stack, in its place on its CPU: before the first range that names it. */
function tellStack(run: RecordingRun, stack: KernelStack): void {
  const { writer, rings, from, until, earlyStacks } = run;
  if (from === undefined) {
    earlyStacks.push(stack);
    return;
  }
  if (until !== undefined && stack.id > until) return;
  const values = {
    stack: stack.id,
    class: INVALIDATION_CLASSES.indexOf(stack.class),
    note: stack.functions.join(' '),
  };
  writeOwnEvent(writer, stack.cpu, { event: 'stack', time: later(from, stack.id), values });
  noteStack(rings, { cpu: stack.cpu, values });
}

/**
 * All that is recorded has happened; what of it is still under way is waited for.
 *
 * @returns resolves when all of it has arrived, or is known to be lost
 */
export function endRecording(run: RecordingRun, options: RecordingOptions): Promise<void> {
  // Whatever clock was read here: what is written already is of the recording.
  const until = later(run.clock.now(), run.latest);
  run.until = until;
  run.importer.setSpan(run.from, until);
  const settled = createDeferred();
  run.onHeartbeat = () => {
    if (awaitedCpus(run, options, until).length === 0) settled.resolve();
  };
  return settled.promise;
}

/** CPUs that have not said yet that all up to a time has arrived. */
export function unsettledCpus(
  { account }: RecordingRun,
  online: readonly number[],
  until: bigint,
): readonly number[] {
  const all = new Set([...online, ...account.cpus()]);
  return [...all].filter((cpu) => !account.isSettled(cpu, until));
}

/** Longer than a heartbeat of a CPU that is there is ever under way, ns. */
const OFFLINE_NS = 10_000_000_000n;

/** Of those, the ones that may still say so: not what has gone offline. */
function awaitedCpus(run: RecordingRun, options: RecordingOptions, until: bigint): number[] {
  const online = options.onlineCpus();
  return unsettledCpus(run, online, until).filter(
    (cpu) => online.includes(cpu) || run.account.isSettled(cpu, until - OFFLINE_NS),
  );
}
