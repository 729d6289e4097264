/** `collector import`: from the text of bpftrace, perf, ftrace or trace-cmd to a trace file. */
import {
  byteSize,
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
  createImportReport,
  createTextImport,
  createTraceWriter,
  flushTrace,
  headerOfText,
  InputError,
  NoEventsError,
  OutputError,
  inputName,
  isArrowStream,
  keepPace,
  nothingFound,
  readInput,
  type TextKind,
  type TraceWriter,
} from '@vhostscope/trace';
import { chosenOutput, nameOf } from './import-files.js';
import {
  bytesWritten,
  closeImportOutput,
  finishTrace,
  hasEvents,
  openImportOutput,
  withWhatStays,
  type ImportOutput,
} from './import-output.js';
import { isFlawed, problemsOf } from './import-problems.js';
import { eventsOf, importResult, type ImportedInput, type ImportResult } from './import-result.js';
import type { PublishFlags } from './fleet/publish-flags.js';
import type { Published } from './fleet/publishing.js';
import { unsentExitCode } from './fleet/unsent-exit-code.js';
import { checkFiles, checkOneClock, type KnownText } from './one-clock.js';
import { hearSignals } from './stop-signals.js';
import { readVersion } from './version.js';

export interface ImportOptions extends PublishFlags {
  readonly output?: string;
  readonly force?: boolean;
  readonly keepPointers?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export async function importCommand(
  files: readonly string[],
  options: ImportOptions,
): Promise<number> {
  const path = chosenOutput(files, options);
  const told = await checkFiles(files);
  const output = await openImportOutput(path, options);
  const inputs: ImportedInput[] = [];
  const signals = hearSignals();
  const { target } = output;
  const to: Import = {
    ...output,
    says: {
      sources: [...files],
      writer: `vhostscope collector ${readVersion()}`,
      keepsPointers: options.keepPointers === true,
    },
    told,
    trace: undefined,
    inputs,
  };
  let result: ImportResult;
  let published: Published | undefined;
  try {
    const interrupted = await importFiles(files, to, signals.signal);
    const written = target.isNamed ? path : undefined;
    result = importResult(written ?? null, to.trace?.writer, inputs, interrupted);
  } finally {
    if (to.trace !== undefined) await abandonTrace(to.trace.writer);
    published = await closeImportOutput(output, signals);
    signals.ignoreNoLonger();
  }
  const isWritten = result.output !== null || published !== undefined;
  result = {
    ...result,
    bytes_written: isWritten ? bytesWritten(output, to.trace?.writer) : 0,
    published: published ?? null,
  };
  for (const problem of problemsOf(inputs)) say('collector', problem);
  if (options.json === true) await writeOut(jsonDocument(result));
  else say('collector', summary(result));
  if (result.interrupted) return EXIT.interrupted;
  if (output.publishing?.copyBytes !== undefined) return EXIT.unusable;
  if (published?.sent === false) return unsentExitCode(signals.signal);
  return options.strict === true && inputs.some(isFlawed) ? EXIT.no : EXIT.done;
}

/** An import under way. */
interface Import extends ImportOutput {
  /** What its header tells, whatever the inputs are. */
  readonly says: Parameters<typeof headerOfText>[1];
  /** The first of the files that tells what it is, found before anything was read. */
  readonly told: KnownText | undefined;
  /** Begun when the first input has told what it is, or has ended without a word of it. */
  trace: { readonly writer: TraceWriter; readonly of: KnownText } | undefined;
  /** Inputs that were read, in order. */
  readonly inputs: ImportedInput[];
}

/** Imports all files and closes the trace; returns whether it was interrupted before the end. */
async function importFiles(
  files: readonly string[],
  to: Import,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for (const file of files) {
      if (signal.aborted) break;
      await importFile(file, to, signal);
    }
    if (eventsOf(to.inputs) === 0 && !signal.aborted) throw noEvents(to.inputs);
  } catch (error) {
    if (error instanceof OutputError) throw await withWhatStays(error, to, to.trace?.writer);
    if (!(error instanceof InputError) || eventsOf(to.inputs) === 0) throw error;
    await finishTrace(to, to.trace?.writer);
    throw new InputError(`${error.message}; ${to.name} holds what was read before`);
  }
  if (eventsOf(to.inputs) > 0) await finishTrace(to, to.trace?.writer);
  return signal.aborted;
}

/** Between two times that what waits for a full batch is written. */
const FLUSH_MS = 500;

async function importFile(path: string, to: Import, signal: AbortSignal): Promise<void> {
  const { target, gone } = to;
  const name = inputName(path);
  const report = createImportReport();
  const text = createTextImport(report, (kind) => traceFor(kind, name, to));
  let isFirst = true;
  const bar = createProgressBar(`importing ${name}`);
  // What has arrived is on its way to the file at once, however slowly more comes.
  const failing = new AbortController();
  const flushing = setInterval(() => {
    try {
      if (to.trace !== undefined) flushTrace(to.trace.writer);
      if (hasEvents(to.trace?.writer)) target.begin();
    } catch (error) {
      failing.abort(error);
    }
  }, FLUSH_MS);
  let damage: string | undefined;
  let nothing: InputError | undefined;
  try {
    const end = await readInput(path, {
      onChunk: (bytes) => {
        if (isFirst) refuseTrace(name, bytes);
        isFirst = false;
        text.push(bytes);
        // From its first batch on, a trace that grows can be read under its name.
        if (hasEvents(to.trace?.writer)) target.begin();
      },
      onPause: () => (to.trace === undefined ? undefined : keepPace(to.trace.writer)),
      onProgress: (read, total) => bar.update(read, total),
      signal: AbortSignal.any([signal, failing.signal, gone]),
    });
    failing.signal.throwIfAborted();
    gone.throwIfAborted();
    ({ damage } = end);
    if (damage !== undefined) text.flaw(damage);
    if (end.interrupted) text.flaw('the import was interrupted');
    text.end(end.interrupted);
    if (report.events === 0 && !end.interrupted) {
      nothing = nothingFound(name, report, end);
      damage ??= 'no events';
    }
  } finally {
    clearInterval(flushing);
    bar.clear();
    to.inputs.push({ name, report, damage, nothing });
  }
}

/**
 * The trace of all inputs, for one of this kind.
 *
 * @throws InputError where its times cannot be in one trace with those of the inputs before
 */
function traceFor(kind: TextKind, name: string, to: Import): TraceWriter {
  const text = { name, kind };
  if (to.trace === undefined) {
    const of = kind.saysNothing === true ? (to.told ?? text) : text;
    const writer = createTraceWriter(to.target.output, headerOfText(of.kind, to.says));
    to.trace = { writer, of };
    return writer;
  }
  checkOneClock(to.trace.of, text);
  return to.trace.writer;
}

function refuseTrace(name: string, bytes: Uint8Array): void {
  if (isArrowStream(bytes))
    throw new InputError(`${name} is a trace file already: replay reads it as it is`);
}

export const ADVICE =
  'expected vhost events as bpftrace, perf script, ftrace or trace-cmd report print them (see examples/)';

function noEvents(inputs: readonly ImportedInput[]): Error {
  const errors = inputs.flatMap(({ nothing }) => nothing ?? []);
  const message =
    errors.length === 1
      ? errors[0]?.message
      : `none of the inputs holds an event: ${errors.map((error) => error.message).join('; ')}`;
  const isOther = errors.some((error) => error instanceof NoEventsError);
  return new ProgramError(message ?? '', isOther ? { advice: ADVICE } : {});
}

export function summary({
  output,
  events,
  recordings,
  inputs,
  interrupted,
  ...rest
}: ImportResult): string {
  const name = output === null ? rest.published?.url : nameOf(output);
  if (name === undefined) return 'interrupted before the first event; nothing was written';
  const read = inputs.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    `${interrupted ? 'interrupted; what had arrived is saved: ' : ''}${name}: ` +
    `${counted(events, 'event')} in ${counted(recordings, 'recording')} from ${byteSize(read)}, ` +
    `${byteSize(rest.bytes_written)} written`
  );
}
