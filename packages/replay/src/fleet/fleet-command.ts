/** `replay fleet`: many traces at once, and what they come to. */
import { isFleetUrl } from '@vhostscope/fleet/url';
import type { Preemption } from '@vhostscope/model';
import {
  byteSize,
  counted,
  createProgressBar,
  EXIT,
  jsonDocument,
  ProgramError,
  say,
  STOP_SIGNALS,
  writeOut,
} from '@vhostscope/terminal';
import { chosenDesign, chosenDesigns } from '../chosen-designs.js';
import { readCostOptions, type CostOptions } from '../cost-options.js';
import { readStormRate } from '../find-storms.js';
import { readBuiltPage } from '../built-page.js';
import { workerProgram } from '../worker-program.js';
import { isFlawed } from '../opened-trace.js';
import { checkPlatform, type PlatformOptions } from '../platform-options.js';
import { checkReportOutput, writeReportFile } from '../report/report-output.js';
import { fleetMetrics } from './fleet-metrics.js';
import { fleetPage } from './fleet-page.js';
import {
  fleetResult,
  replayedOf,
  type FailedRun,
  type FleetResult,
  type FleetRunResult,
} from './fleet-result.js';
import { fleetText } from './fleet-text.js';
import { findServerRuns } from './find-server-runs.js';
import {
  findTraces,
  TRACE_NAMES,
  type FoundTraces,
  type RunElsewhere,
  type TakenOnce,
} from './find-traces.js';
import type { FleetRun } from './fleet-run.js';
import type { FleetQuestion } from './replay-run.js';
import type { RunFailure, WorkerAnswer } from './worker-messages.js';
import { readSharing, type Sharing } from './sharing.js';
import { readWorkers } from './worker-count.js';
import { replayInProcesses } from './replay-in-processes.js';

export interface FleetOptions extends PlatformOptions, CostOptions {
  readonly design?: string;
  readonly designFile?: string;
  readonly preempt?: Preemption;
  readonly stormRate?: string;
  readonly workers?: string;
  /** Other machines replay the runs. */
  readonly share?: boolean;
  readonly shareWait?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly openmetrics?: boolean;
  /** Name of a file for a page. */
  readonly report?: string;
}

export async function fleetCommand(
  paths: readonly string[],
  options: FleetOptions,
): Promise<number> {
  const question = readQuestion(options);
  const workers = readWorkers(options.workers);
  const sharing = readSharing(paths, options);
  if (options.json === true && options.openmetrics === true)
    throw new ProgramError('--json and --openmetrics both go to standard output', {
      advice: 'choose one of them',
    });
  const { report } = options;
  const page = report === undefined ? undefined : readBuiltPage();
  const found = await findRuns(paths);
  if (report !== undefined) checkReport(report, found);
  sayPassedOver(found);
  const { runs, isInterrupted } = await replayAll(found, question, sharing ?? workers);
  const result = fleetResult(runs, {
    designs: question.designs.map(({ name }) => name),
    storm_rate: question.stormRate,
    interrupted: isInterrupted,
    passed_over: [...found.passedOver],
  });
  await writeOut(textOf(result, question, options));
  if (report !== undefined && page !== undefined) {
    const html = fleetPage(result, question.designs, page.style);
    await writeReportFile(report, html);
    say('replay', `${report}: ${byteSize(Buffer.byteLength(html))}`);
  }
  return exitCodeOf(result, options.strict === true);
}

/** Of folders, files and servers. */
async function findRuns(paths: readonly string[]): Promise<FoundTraces> {
  const elsewhere = new Map<string, RunElsewhere>();
  const twice = new Map<string, TakenOnce>();
  for (const url of new Set(paths.filter(isFleetUrl)))
    for (const run of await findServerRuns(url)) {
      if (elsewhere.has(run.path)) twice.set(run.path, { path: run.path, takenAs: run.path });
      else elsewhere.set(run.path, run);
    }
  const found = findTraces(
    paths.filter((path) => !isFleetUrl(path)),
    [...elsewhere.values()],
  );
  return { ...found, twice: [...found.twice, ...twice.values()] };
}

/** What is wrong with the options is said before any trace is read. */
function readQuestion(options: FleetOptions): FleetQuestion {
  const { design, designFile, preempt, arch, pageSize, highmem, iotlb, ringMemory } = options;
  const platform: PlatformOptions = {
    ...(arch !== undefined && { arch }),
    ...(pageSize !== undefined && { pageSize }),
    ...(highmem !== undefined && { highmem }),
    ...(iotlb !== undefined && { iotlb }),
    ...(ringMemory !== undefined && { ringMemory }),
  };
  checkPlatform(platform);
  return {
    designs:
      design === undefined
        ? [chosenDesign(designFile === undefined ? {} : { designFile })]
        : chosenDesigns(design, designFile),
    platform,
    preempt,
    stormRate: readStormRate(options.stormRate),
    basis: readCostOptions(options),
  };
}

/** @throws ProgramError where the page cannot go there: that is said before any trace is read */
function checkReport(report: string, { traces }: FoundTraces): void {
  if (report === '-')
    throw new ProgramError('--report - is standard output, which has the result', {
      advice: 'name a file, as in --report fleet.html',
    });
  checkReportOutput(
    traces.map(({ run }) => run.source.path),
    report,
  );
}

/** Some names are enough to see what was meant. */
const MOST_NAMED = 5;

function sayPassedOver({ passedOver, twice }: FoundTraces): void {
  const named = (paths: readonly string[]): string =>
    [...paths.slice(0, MOST_NAMED), ...(paths.length > MOST_NAMED ? ['…'] : [])].join(', ');
  if (passedOver.length > 0)
    say(
      'replay',
      `${counted(passedOver.length, 'other file')} passed over: ${named(passedOver)} (names of traces end in ` +
        `${TRACE_NAMES}; any file is read that is named itself)`,
    );
  // What leads there by another name is no run of that name.
  const once = twice.map(({ path, takenAs }) =>
    path === takenAs ? path : `${path} (taken as ${takenAs})`,
  );
  if (once.length > 0) say('replay', `taken once, though named twice: ${named(once)}`);
}

/** The runs with their answers, in order; what is wrong with them is said on stderr. */
async function replayAll(
  { traces }: FoundTraces,
  question: FleetQuestion,
  by: Sharing | number,
): Promise<{ readonly runs: readonly FleetRunResult[]; readonly isInterrupted: boolean }> {
  const abort = new AbortController();
  // A second Ctrl-C ends the program as it would any.
  const stop = (): void => abort.abort();
  for (const one of STOP_SIGNALS) process.once(one, stop);
  const bar = createProgressBar('replaying');
  const readable = traces.flatMap(({ run, reason }) => (reason === undefined ? [run] : []));
  const total = readable.reduce((sum, { source }) => sum + source.bytes, 0);
  let answers: readonly WorkerAnswer[];
  try {
    const doing = {
      question,
      program: workerProgram(),
      onProgress: (read: number): void => bar.update(read, total),
      signal: abort.signal,
    };
    answers =
      typeof by === 'number'
        ? await replayInProcesses(readable, { ...doing, workers: by })
        : await (await import('./replay-elsewhere.js')).replayElsewhere(readable, by, doing);
  } finally {
    bar.clear();
    for (const one of STOP_SIGNALS) process.removeListener(one, stop);
  }
  const byRun = new Map(readable.map((run, at) => [run, answers[at]]));
  const isInterrupted = answers.includes('interrupted');
  const runs = traces.map(({ run, reason }) =>
    reason === undefined
      ? answered(run, byRun.get(run) ?? 'interrupted')
      : failed(run, { error: `cannot read ${run.source.path}: ${reason}` }),
  );
  if (isInterrupted) say('replay', 'interrupted; what was replayed by then is told');
  return { isInterrupted, runs };
}

function answered(run: FleetRun, answer: WorkerAnswer): FleetRunResult {
  if (answer === 'interrupted')
    return { ...namesOf(run), status: 'interrupted', error: 'interrupted before it was replayed' };
  if ('error' in answer) return failed(run, answer);
  for (const problem of answer.problems) say('replay', problem);
  return answer.result;
}

function failed(run: FleetRun, { error, advice, stack, isUnanswered }: RunFailure): FleetRunResult {
  if (stack !== undefined && process.argv.includes('--debug'))
    for (const line of stack.split('\n')) say('replay', line);
  // What was told of a server does not name the run.
  say('replay', error.includes(run.source.path) ? error : `${run.source.path}: ${error}`);
  if (advice !== undefined) say('replay', advice);
  return { status: isUnanswered === true ? 'not answered' : 'unreadable', ...namesOf(run), error };
}

function namesOf({ host, run, source }: FleetRun): Pick<FailedRun, 'host' | 'run' | 'path'> {
  return { host, run, path: source.path };
}

function textOf(
  result: FleetResult,
  { designs }: FleetQuestion,
  { json, openmetrics }: FleetOptions,
): string {
  if (json === true) return jsonDocument(result);
  if (openmetrics === true) return fleetMetrics(result);
  return fleetText(result, designs, process.stdout.isTTY ? process.stdout.columns : undefined);
}

function exitCodeOf({ totals, runs, interrupted }: FleetResult, isStrict: boolean): number {
  if (interrupted) return EXIT.interrupted;
  if (totals.unreadable > 0 || totals.not_answered > 0) return EXIT.unusable;
  const flawed = replayedOf(runs).some(({ comparison }) => isFlawed(comparison));
  return isStrict && flawed ? EXIT.no : EXIT.done;
}
