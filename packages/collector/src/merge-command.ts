/** `collector import --merge`: several recordings of one time as one, from texts and from trace files. */
import { statSync } from 'node:fs';
import { KIND } from '@vhostscope/model';
import {
  counted,
  createProgressBar,
  EXIT,
  jsonDocument,
  ProgramError,
  say,
  writeOut,
} from '@vhostscope/terminal';
import {
  abandonTrace,
  countsByName,
  createTraceWriter,
  DamagedBatchError,
  inputName,
  keepPace,
  mergeRecordings,
  NoEventsError,
  openTrace,
  OutputError,
  planMerge,
  surveySource,
  UNTOLD_NOTIFIER,
  type MergedSource,
  type MergePlan,
  type MergeSource,
  type OpenTrace,
  type SurveyedSource,
  type TraceWriter,
} from '@vhostscope/trace';
import { unsentExitCode } from './fleet/unsent-exit-code.js';
import { readOffsets } from './clock-offsets.js';
import { ADVICE, summary, type ImportOptions } from './import-command.js';
import { chosenOutput } from './import-files.js';
import {
  bytesWritten,
  finishTrace,
  hasEvents,
  openImportOutput,
  withWhatStays,
  type ImportOutput,
} from './import-output.js';
import { problemsOf } from './import-problems.js';
import { mergeResult } from './merge-result.js';
import { hearSignals, patience, type HeardSignals } from './stop-signals.js';
import { readVersion } from './version.js';

export interface MergeFlags {
  readonly merge?: boolean;
  /** As typed. */
  readonly offset?: readonly string[];
  readonly differentHosts?: boolean;
}

export async function mergeCommand(
  files: readonly string[],
  options: ImportOptions & MergeFlags,
): Promise<number> {
  checkOptions(files, options);
  const path = chosenOutput(files, options);
  checkTwice(files);
  const offsets = readOffsets(options.offset ?? [], files);
  const signals = hearSignals();
  const opened: OpenTrace[] = [];
  try {
    for (const file of files) {
      const trace = await openInput(file, signals.signal);
      opened.push(trace);
      if (trace.interrupted) return await saidNothing(options);
    }
    const sources = await surveyAll(
      opened.map((trace, number) => ({
        name: trace.name,
        trace,
        offset: offsets.get(files[number] ?? ''),
      })),
      signals.signal,
    );
    if (sources === undefined) return await saidNothing(options);
    const plan = planMerge(sources, {
      areDifferentHosts: options.differentHosts === true,
      keepsPointers: options.keepPointers === true,
      writer: `vhostscope collector ${readVersion()}`,
    });
    const output = await openImportOutput(path, options);
    try {
      return await writeMerged(plan, output, options, signals);
    } finally {
      await output.publishing?.close();
      output.target.close();
    }
  } finally {
    for (const trace of opened) trace.close();
    signals.ignoreNoLonger();
  }
}

function checkOptions(files: readonly string[], options: MergeFlags): void {
  if (options.merge !== true)
    throw new ProgramError(
      `${options.differentHosts === true ? '--different-hosts' : '--offset'} is for --merge`,
    );
  if (files.length < 2)
    throw new ProgramError('--merge takes two files or more', {
      advice: 'without it, a file is imported by itself',
    });
}

/** By whatever names: what it holds would count twice. */
function checkTwice(files: readonly string[]): void {
  const seen = new Set<string>();
  for (const file of files) {
    const { dev, ino } = file === '-' ? { dev: 0, ino: 0 } : statSync(file);
    const one = `${dev}:${ino}`;
    if (seen.has(one)) throw new ProgramError(`${file} is named twice`);
    seen.add(one);
  }
}

async function openInput(file: string, signal: AbortSignal): Promise<OpenTrace> {
  const bar = createProgressBar(`reading ${inputName(file)}`);
  try {
    return await openTrace(file, { onProgress: (read, total) => bar.update(read, total), signal });
  } catch (error) {
    if (error instanceof NoEventsError) throw new ProgramError(error.message, { advice: ADVICE });
    throw error;
  } finally {
    bar.clear();
  }
}

/** Goes through the sources; undefined where the user stops it. */
async function surveyAll(
  sources: readonly MergeSource[],
  signal: AbortSignal,
): Promise<SurveyedSource[] | undefined> {
  const surveyed: SurveyedSource[] = [];
  try {
    for (const source of sources) {
      let stretch = STRETCH;
      const pause = (read: number): Promise<void> | undefined => {
        if (read < stretch) return undefined;
        stretch = read + STRETCH;
        return hearing(signal);
      };
      surveyed.push(await surveySource(source, pause));
    }
    await hearing(signal);
    return surveyed;
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    if (error instanceof Error && error.cause instanceof DamagedBatchError)
      throw new ProgramError(error.message, { advice: ADVICE_ON_DAMAGE, cause: error });
    throw error;
  }
}

const ADVICE_ON_DAMAGE =
  'copy the file again from where it was recorded, or merge the others without it; what it tells up to there, replay shows';

/** Lets signals be heard. Rejects with the reason of one that was. */
async function hearing(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

/** Interrupted before anything was written. */
async function saidNothing({ json }: ImportOptions): Promise<number> {
  const result = {
    output: null,
    bytes_written: 0,
    recordings: 0,
    events: 0,
    interrupted: true,
    complete: false,
    flaws: ['the merge was interrupted'],
    published: null,
    inputs: [],
  };
  if (json === true) await writeOut(jsonDocument(result));
  else say('collector', summary(result));
  return EXIT.interrupted;
}

/** Events between two times that signals are heard and the output is waited for. */
const STRETCH = 1 << 16;

async function writeMerged(
  plan: MergePlan,
  output: ImportOutput,
  { json, strict }: ImportOptions,
  signals: HeardSignals,
): Promise<number> {
  const { target } = output;
  const { signal } = signals;
  const writer = createTraceWriter(target.output, plan.header);
  try {
    const sources = withoutToldElsewhere(plan, await mergeInto(writer, plan, output, signal));
    const interrupted = signal.aborted;
    if (interrupted) writer.current?.flaws.push('the merge was interrupted');
    await finishTrace(output, writer);
    for (const problem of problems(plan, sources)) say('collector', problem);
    const published = await output.publishing?.finish(patience(signals));
    const written = { output: target.path ?? null, bytes: bytesWritten(output, writer) };
    const result = {
      ...mergeResult(writer, sources, interrupted, written),
      published: published ?? null,
    };
    if (json === true) await writeOut(jsonDocument(result));
    else say('collector', summary(result));
    if (interrupted) return EXIT.interrupted;
    if (output.publishing?.copyBytes !== undefined) return EXIT.unusable;
    if (published?.sent === false) return unsentExitCode(signal);
    return strict === true && writer.ended?.complete === false ? EXIT.no : EXIT.done;
  } finally {
    await abandonTrace(writer);
  }
}

/** Merges as much as can be read and written, or until the user stops it. */
async function mergeInto(
  writer: TraceWriter,
  plan: MergePlan,
  output: ImportOutput,
  signal: AbortSignal,
): Promise<readonly MergedSource[]> {
  const { target, gone } = output;
  const bar = createProgressBar('merging');
  const total = plan.sources.reduce((sum, { events }) => sum + sumOf(events), 0);
  const bytes = plan.sources.reduce((sum, { trace }) => sum + trace.index.fileBytes, 0);
  let stretch = STRETCH;
  const pause = (read: number): Promise<void> | undefined => {
    if (read < stretch) return undefined;
    stretch = read + STRETCH;
    if (hasEvents(writer)) target.begin();
    bar.update((bytes * read) / total, bytes);
    return breathe(writer);
  };
  try {
    const sources = await mergeRecordings(
      writer,
      plan,
      pause,
      () => signal.aborted || gone.aborted,
    );
    gone.throwIfAborted();
    return sources;
  } catch (error) {
    throw error instanceof OutputError ? await withWhatStays(error, output, writer) : error;
  } finally {
    bar.clear();
  }
}

/** Lets signals be heard, and waits for a slow output. */
async function breathe(writer: TraceWriter): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await keepPace(writer);
}

const sumOf = (events: Float64Array): number => events.reduce((sum, howMany) => sum + howMany, 0);

/** Of one host, what one file does not tell of the MMU notifier another one may. */
function withoutToldElsewhere(
  { tellers, sources }: MergePlan,
  merged: readonly MergedSource[],
): readonly MergedSource[] {
  if (tellers === undefined || !sources.some(({ kinds }) => kinds.has(KIND.notifier)))
    return merged;
  return merged.map((one) => {
    const { trace } = one.source;
    if (trace.imported === undefined) return one;
    const notes = trace.imported.notes.filter((note) => note !== UNTOLD_NOTIFIER);
    return {
      ...one,
      source: { ...one.source, trace: { ...trace, imported: { ...trace.imported, notes } } },
    };
  });
}

function problems(plan: MergePlan, sources: readonly MergedSource[]): string[] {
  const found = sources.flatMap(({ source, leftOut }) => {
    const { name, trace } = source;
    const { imported, damage } = trace;
    const left = countsByName(leftOut);
    const kinds = Object.entries(left).map(([event, howMany]) => `${event} ${howMany}`);
    return [
      ...damage,
      ...(imported === undefined
        ? lossesOf(source)
        : problemsOf([
            {
              name,
              report: { ...imported, flaws: [] },
              damage: undefined,
              nothing: undefined,
            },
          ])),
      ...(kinds.length === 0
        ? []
        : [
            `${name}: ${counted(sumOf(leftOut), 'event')} left out, as a file named before tells them: ${kinds.join(', ')}`,
          ]),
    ];
  });
  return [...new Set([...found, ...plan.flaws, ...plan.notes])];
}

/** What a trace file says was lost: of a text its import tells. */
function lossesOf({ name, counts, lost }: SurveyedSource): string[] {
  const told = counts === undefined ? [...lost] : Object.entries(counts.lost);
  return told.map(
    ([by, howMany]) => `${name}: events were lost (${by}: ${howMany}): the trace is not complete`,
  );
}
