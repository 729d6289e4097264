/** `collector import`: from bpftrace output to a trace file. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
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
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  flushTrace,
  InputError,
  NoEventsError,
  OutputError,
  inputName,
  isArrowStream,
  keepPace,
  nothingFound,
  readInput,
  reasonOf,
  settleTrace,
  type TraceHeader,
  type TraceWriter,
} from '@vhostscope/trace';
import { openTarget, type TraceTarget } from './attach/trace-target.js';
import { isFlawed, problemsOf } from './import-problems.js';
import { eventsOf, importResult, type ImportedInput, type ImportResult } from './import-result.js';
import { readVersion } from './version.js';

export interface ImportOptions {
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
  const output = options.output ?? defaultOutput(files);
  if (output === '-' && options.json === true)
    throw new ProgramError('-o - and --json both want standard output', {
      advice: 'write the trace to a file: -o trace.arrows',
    });
  checkInputs(files, output);
  const gone = new AbortController();
  const target = openTarget(output, options.output !== undefined || options.force === true, () =>
    gone.abort(new OutputError(`cannot write ${nameOf(output)}: the reader of the pipe is gone`)),
  );
  const inputs: ImportedInput[] = [];
  const signals = hearSignals();
  let writer: TraceWriter | undefined;
  let result: ImportResult;
  try {
    const header: TraceHeader = {
      sources: [...files],
      writer: `vhostscope collector ${readVersion()}`,
      clock: 'CLOCK_BOOTTIME',
      keepsPointers: options.keepPointers === true,
    };
    writer = createTraceWriter(target.output, header);
    const to = { target, name: nameOf(output), gone: gone.signal, writer, inputs };
    const interrupted = await importFiles(files, to, signals.signal);
    result = importResult(target.isNamed ? output : null, writer, inputs, interrupted);
  } finally {
    if (writer !== undefined) await abandonTrace(writer);
    target.close();
    signals.ignoreNoLonger();
  }
  for (const problem of problemsOf(inputs)) say('collector', problem);
  if (options.json === true) await writeOut(jsonDocument(result));
  else say('collector', summary(result));
  if (result.interrupted) return EXIT.interrupted;
  return options.strict === true && inputs.some(isFlawed) ? EXIT.no : EXIT.done;
}

/** An import under way. */
interface Import {
  readonly target: TraceTarget;
  /** Of the output. */
  readonly name: string;
  /** Aborted when the reader of standard output has gone. */
  readonly gone: AbortSignal;
  readonly writer: TraceWriter;
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
    if (error instanceof OutputError) throw await withWhatStays(error, to);
    if (!(error instanceof InputError) || eventsOf(to.inputs) === 0) throw error;
    await finish(to);
    throw new InputError(`${error.message}; ${to.name} holds what was read before`);
  }
  if (eventsOf(to.inputs) > 0) await finish(to);
  return signal.aborted;
}

/** What got into the file before it was full stays there, however soon that was. */
async function withWhatStays(error: OutputError, { target, writer }: Import): Promise<OutputError> {
  await abandonTrace(writer);
  if (writer.eventsWritten > 0) target.begin();
  return target.stays
    ? new OutputError(`${error.message}; what was written before can be read`)
    : error;
}

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The first signal of these stops the reading. More of them must not stop the saving: some senders
 * signal a process twice, itself and its group.
 */
function hearSignals(): { readonly signal: AbortSignal; ignoreNoLonger(): void } {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  for (const name of STOPPING) process.on(name, stop);
  return {
    signal: abort.signal,
    ignoreNoLonger: () => {
      // After an interruption the process is about to end by itself, with its own exit code.
      if (abort.signal.aborted) return;
      for (const name of STOPPING) process.removeListener(name, stop);
    },
  };
}

async function finish(to: Import): Promise<void> {
  const { target, gone, writer } = to;
  try {
    closeTrace(writer);
    await settleTrace(writer);
    gone.throwIfAborted();
  } catch (error) {
    throw error instanceof OutputError ? await withWhatStays(error, to) : error;
  }
  target.begin();
}

/** Between two times that what waits for a full batch is written. */
const FLUSH_MS = 500;

async function importFile(path: string, to: Import, signal: AbortSignal): Promise<void> {
  const { target, gone, writer } = to;
  const name = inputName(path);
  const report = createImportReport();
  const importer = createTextImporter(writer, report);
  const bar = createProgressBar(`importing ${name}`);
  // What has arrived is on its way to the file at once, however slowly more comes.
  const failing = new AbortController();
  const flushing = setInterval(() => {
    try {
      flushTrace(writer);
      if (writer.eventsWritten > 0) target.begin();
    } catch (error) {
      failing.abort(error);
    }
  }, FLUSH_MS);
  let damage: string | undefined;
  let nothing: InputError | undefined;
  try {
    const end = await readInput(path, {
      onChunk: (bytes) => {
        if (report.bytes === 0) refuseTrace(name, bytes);
        importer.push(bytes);
        // From its first batch on, a trace that grows can be read under its name.
        if (writer.eventsWritten > 0) target.begin();
      },
      onPause: () => keepPace(writer),
      onProgress: (read, total) => bar.update(read, total),
      signal: AbortSignal.any([signal, failing.signal, gone]),
    });
    failing.signal.throwIfAborted();
    gone.throwIfAborted();
    ({ damage } = end);
    if (damage !== undefined) importer.flaw(damage);
    if (end.interrupted) importer.flaw('the import was interrupted');
    importer.end(end.interrupted);
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

function refuseTrace(name: string, bytes: Uint8Array): void {
  if (isArrowStream(bytes))
    throw new InputError(`${name} is a trace file already: replay reads it as it is`);
}

const ADVICE = 'expected bpftrace output that holds vhost events, as text or JSON (see examples/)';

function noEvents(inputs: readonly ImportedInput[]): Error {
  const errors = inputs.flatMap(({ nothing }) => nothing ?? []);
  const message =
    errors.length === 1
      ? errors[0]?.message
      : `none of the inputs holds an event: ${errors.map((error) => error.message).join('; ')}`;
  const isOther = errors.some((error) => error instanceof NoEventsError);
  return new ProgramError(message ?? '', isOther ? { advice: ADVICE } : {});
}

/** What an output is called in messages. */
function nameOf(output: string): string {
  return output === '-' ? 'standard output' : output;
}

/** The first input's name without its endings, in the current folder. */
function defaultOutput([first = '-']: readonly string[]): string {
  if (first === '-') return 'trace.arrows';
  return `${basename(first)
    .replace(/\.gz$/, '')
    .replace(/\.(txt|log|json|ndjson|out)$/, '')}.arrows`;
}

/** Everything that can be known to fail is found before the output is touched. */
function checkInputs(files: readonly string[], output: string): void {
  if (files.filter((file) => file === '-').length > 1)
    throw new ProgramError('standard input can be read only once');
  for (const file of files) {
    if (file === '-') continue;
    const input = inputStatus(file);
    if (input.isDirectory()) throw new InputError(`cannot read ${file}: is a directory`);
    if (isSameFile(input, output)) {
      throw new ProgramError(`${output} is an input and the output`, {
        advice: 'name another output with -o',
      });
    }
  }
}

function inputStatus(file: string): ReturnType<typeof statSync> & object {
  try {
    return statSync(file);
  } catch (error) {
    throw new InputError(`cannot read ${file}: ${reasonOf(error)}`);
  }
}

function isSameFile(input: { ino: unknown; dev: unknown }, output: string): boolean {
  try {
    const existing = statSync(output);
    return existing.ino === input.ino && existing.dev === input.dev;
  } catch {
    // There is no such file yet, or none that could be written: openOutput says which.
    return false;
  }
}

function summary({
  output,
  events,
  recordings,
  inputs,
  interrupted,
  ...rest
}: ImportResult): string {
  if (output === null) return 'interrupted before the first event; nothing was written';
  const read = inputs.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    `${interrupted ? 'interrupted; what had arrived is saved: ' : ''}${nameOf(output)}: ` +
    `${counted(events, 'event')} in ${counted(recordings, 'recording')} from ${byteSize(read)}, ` +
    `${byteSize(rest.bytes_written)} written`
  );
}
