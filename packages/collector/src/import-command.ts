/** `collector import`: from bpftrace output to a trace file. */
import { closeSync, fchmodSync, fstatSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import {
  byteSize,
  counted,
  createProgressBar,
  EXIT,
  ProgramError,
  say,
  writeOut,
} from '@vhostscope/terminal';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  InputError,
  inputName,
  nothingFound,
  OutputError,
  readInput,
  reasonOf,
  writing,
  type ImportReport,
  type InputEnd,
  type TraceHeader,
  type TraceWriter,
} from '@vhostscope/trace';
import { importResult } from './import-result.js';

export interface ImportOptions {
  readonly output?: string;
  readonly force?: boolean;
  readonly keepPointers?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const WRITER = 'vhostscope collector 0.1.0-dev';

export async function importCommand(
  files: readonly string[],
  options: ImportOptions,
): Promise<number> {
  const output = options.output ?? defaultOutput(files);
  checkInputs(files, output);
  const header: TraceHeader = {
    sources: [...files],
    writer: WRITER,
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: options.keepPointers === true,
  };
  const fd = openOutput(output, options);
  const report = createImportReport();
  const damage: string[] = [];
  let interrupted = false;
  let writer: TraceWriter;
  try {
    writer = writing(output, () => createTraceWriter(fd, header));
    for (const file of files) {
      const end = await importFile(file, writer, report, output);
      if (end.damage !== undefined) damage.push(`${inputName(file)}: ${end.damage}`);
      interrupted = end.interrupted;
      if (interrupted) break;
      if (report.events === 0 && files.length === 1)
        throw nothingFound(inputName(file), report, end);
    }
    writing(output, () => closeTrace(writer));
  } finally {
    closeSync(fd);
  }
  if (report.events === 0 && !interrupted) throw new InputError('no events in any of the inputs');
  const result = importResult(output, writer, report, damage, interrupted);
  for (const problem of problemsOf(report, damage)) say('collector', problem);
  if (options.json === true) await writeOut(`${JSON.stringify(result, null, 2)}\n`);
  else sayDone(output, writer, report, interrupted);
  if (interrupted) return EXIT.interrupted;
  const flawed = damage.length > 0 || report.rejected > 0 || report.lostEvents > 0n;
  return flawed && options.strict === true ? EXIT.no : EXIT.done;
}

async function importFile(
  file: string,
  writer: TraceWriter,
  report: ImportReport,
  output: string,
): Promise<InputEnd> {
  const importer = createTextImporter(writer, report);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const bar = createProgressBar(`importing ${inputName(file)}`);
  try {
    const end = await readInput(file, {
      onChunk: (bytes) => writing(output, () => importer.push(bytes)),
      onProgress: bar.update,
      signal: abort.signal,
    });
    writing(output, () => importer.end());
    return end;
  } finally {
    bar.clear();
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
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
    try {
      const input = statSync(file);
      if (input.isDirectory()) throw new InputError(`cannot read ${file}: is a directory`);
      const existing = statSync(output, { throwIfNoEntry: false });
      if (existing !== undefined && existing.ino === input.ino && existing.dev === input.dev) {
        throw new ProgramError(`${output} is an input and the output`, {
          advice: 'name another output with -o',
        });
      }
    } catch (error) {
      if (error instanceof Error && 'syscall' in error)
        throw new InputError(`cannot read ${file}: ${reasonOf(error)}`);
      throw error;
    }
  }
}

function openOutput(output: string, { output: named, force }: ImportOptions): number {
  try {
    if (named === undefined && force !== true) return openSync(output, 'wx', 0o600);
    // Not emptied before its permissions are ours: what is there may be readable by others.
    const fd = openSync(output, 'a', 0o600);
    if (fstatSync(fd).isFile()) {
      fchmodSync(fd, 0o600);
      ftruncateSync(fd, 0);
    }
    return fd;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new ProgramError(`${output} exists`, {
        advice: 'name an output with -o, or write over it with --force',
      });
    }
    throw new OutputError(`cannot write ${output}: ${reasonOf(error)}`);
  }
}

function problemsOf(report: ImportReport, damage: readonly string[]): string[] {
  const problems = [...damage];
  const [rejected] = report.rejectedFirst;
  if (rejected !== undefined) {
    problems.push(
      `${counted(report.rejected, 'line')} could not be read, the first is line ${rejected.line} ` +
        `(byte ${rejected.offset}): ${rejected.reason}`,
    );
  }
  const [other] = report.otherFirst;
  if (other !== undefined) {
    problems.push(
      `${counted(report.other, 'line')} held no event, the first is line ${other.line} (byte ${other.offset})`,
    );
  }
  if (report.lostEvents > 0n)
    problems.push(
      `bpftrace lost ${counted(report.lostEvents, 'event')}: the trace is not complete`,
    );
  return problems;
}

function sayDone(
  output: string,
  writer: TraceWriter,
  report: ImportReport,
  interrupted: boolean,
): void {
  say(
    'collector',
    `${interrupted ? 'interrupted; ' : ''}${output}: ${counted(report.events, 'event')} in ` +
      `${counted(writer.recordings, 'recording')} from ${byteSize(report.bytes)}, ${byteSize(writer.bytes)} written`,
  );
}
