/**
 * Opens whatever holds a trace: a trace file, gzipped or from a pipe, or what bpftrace, perf or ftrace
 * printed. What cannot be read in place goes through a temporary file without a name.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFully } from './file-access.js';
import { InputError, NoEventsError, reasonOf, writing, written } from './file-errors.js';
import { foreignFormat, isArrowStream, STREAM_MARK_BYTES } from './foreign-formats.js';
import { createImportReport, type ImportReport } from './import-report.js';
import { inputName, readInput, type InputEnd } from './input-bytes.js';
import type { RecordingObjects } from './recording-objects.js';
import { createTextImport, type TextImport } from './text-import.js';
import { toldByAll } from './told-by-all.js';
import { headerOfText, naming } from './trace-header.js';
import { indexTrace, type TraceIndex } from './trace-index.js';
import {
  abandonTrace,
  closeTrace,
  createTraceWriter,
  keepPace,
  settleTrace,
  type TraceWriter,
} from './trace-writer.js';

export interface OpenTrace {
  readonly name: string;
  readonly fd: number;
  readonly index: TraceIndex;
  /** How the text was read, when the input was no trace file. */
  readonly imported: ImportReport | undefined;
  /** Of a text, its virtqueues and devices with their kernel addresses, of the last recording: they are not in the file. */
  readonly objects: RecordingObjects | undefined;
  /** What is wrong with the input that was nevertheless read, each with its place. */
  readonly damage: readonly string[];
  readonly interrupted: boolean;
  close(): void;
}

export interface OpenOptions {
  readonly onProgress?: ((read: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Program name and version for the headers of traces made in passing. */
const WRITER = 'vhostscope';

/**
 * Opens a trace for reading. `-` is standard input.
 *
 * @throws InputError, TraceFormatError, OutputError (the temporary file)
 */
export async function openTrace(path: string, options: OpenOptions = {}): Promise<OpenTrace> {
  const direct = path === '-' ? undefined : openDirectly(path);
  if (direct !== undefined) return direct;
  return spool(path, options);
}

/** A plain trace file is read in place; undefined when it is something else. */
function openDirectly(path: string): OpenTrace | undefined {
  const fd = reading(path, () => {
    // Not opened to find out what it is: the writer of a named pipe would be gone when it is closed.
    const stat = statSync(path);
    if (stat.isDirectory()) throw new InputError(`cannot read ${path}: is a directory`);
    return stat.isFile() ? openSync(path, 'r') : undefined;
  });
  if (fd === undefined) return undefined;
  let trace: OpenTrace | undefined;
  try {
    const head = new Uint8Array(STREAM_MARK_BYTES);
    if (reading(path, () => readSync(fd, head, 0, head.length, 0)) === 0) return undefined;
    if (!isArrowStream(head)) return undefined;
    const index = naming(path, () => indexTrace(fd, fstatSync(fd).size));
    trace = opened(path, fd, index, undefined, undefined, {
      damage: undefined,
      interrupted: false,
    });
    return trace;
  } finally {
    if (trace === undefined) closeSync(fd);
  }
}

function reading<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw new InputError(`cannot read ${path}: ${reasonOf(error)}`);
    throw error;
  }
}

async function spool(path: string, options: OpenOptions): Promise<OpenTrace> {
  const name = inputName(path);
  const folder = tmpdir();
  const spooling = temporaryFile(folder);
  const fd = writing(spooling, () => openTemporary(folder));
  const report = createImportReport();
  let head: Uint8Array | undefined = new Uint8Array(0);
  let text: TextImport | undefined;
  let writer: TraceWriter | undefined;
  const take = (bytes: Uint8Array): void => {
    if (text !== undefined) text.push(bytes);
    else writeFully(fd, bytes);
  };
  const begin = (bytes: Uint8Array): void => {
    head = undefined;
    if (!isArrowStream(bytes)) {
      text = createTextImport(report, (kind) => {
        const header = headerOfText(kind, {
          sources: [path],
          writer: WRITER,
          keepsPointers: false,
        });
        return (writer = createTraceWriter(fd, header, { behind: true }));
      });
    }
    take(bytes);
  };
  const onChunk = (bytes: Uint8Array): void => {
    writing(spooling, () => {
      if (head === undefined) return take(bytes);
      const joined = Buffer.concat([head, bytes]);
      if (joined.length >= STREAM_MARK_BYTES) begin(joined);
      else head = joined;
    });
  };
  try {
    const end = await readInput(path, {
      onChunk,
      onPause: () => (writer === undefined ? undefined : keepPace(writer)),
      onProgress: options.onProgress,
      signal: options.signal,
    });
    writing(spooling, () => {
      if (head !== undefined) begin(head);
      if (text === undefined) return;
      if (end.damage !== undefined) text.flaw(end.damage);
      text.end(end.interrupted);
      if (writer !== undefined) closeTrace(writer);
    });
    const isText = text !== undefined;
    if (writer !== undefined) await written(spooling, settleTrace(writer));
    const objects = writer?.lastObjects;
    // Its batches' memory is not needed while the trace is read.
    text = undefined;
    writer = undefined;
    if (isText && report.events === 0 && !end.interrupted) throw nothingFound(name, report, end);
    const index = naming(name, () => indexTrace(fd, fstatSync(fd).size));
    return opened(name, fd, index, isText ? report : undefined, objects, end);
  } catch (error) {
    if (writer !== undefined) await abandonTrace(writer);
    closeSync(fd);
    throw error;
  }
}

/**
 * Opens a trace file that comes from elsewhere, chunk by chunk.
 *
 * @param howEnded asked when there are no more
 * @throws TraceFormatError, OutputError (the temporary file), what `chunks` throws
 */
export async function openArrivingTrace(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
  howEnded: () => InputEnd,
): Promise<OpenTrace> {
  const folder = tmpdir();
  const spooling = temporaryFile(folder);
  const fd = writing(spooling, () => openTemporary(folder));
  try {
    for await (const bytes of chunks) writing(spooling, () => writeFully(fd, bytes));
    const end = howEnded();
    const { size } = fstatSync(fd);
    if (size === 0 && end.damage !== undefined) throw new InputError(`${name}: ${end.damage}`);
    const index = naming(name, () => indexTrace(fd, size));
    return opened(name, fd, index, undefined, undefined, end);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** In messages. */
function temporaryFile(folder: string): string {
  return `a temporary file in ${folder} (TMPDIR names another folder)`;
}

/** Linux: a file that never has a name. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** A file without a name: it is gone when the process is, however it ends. */
export function openTemporary(folder: string): number {
  if (process.platform === 'linux') {
    try {
      return openSync(folder, O_TMPFILE | constants.O_RDWR, 0o600);
    } catch {
      // Not every file system can; the way below works or says why not.
    }
  }
  const own = mkdtempSync(join(folder, 'vhostscope-'));
  try {
    return openSync(join(own, 'spool'), 'wx+', 0o600);
  } finally {
    rmSync(own, { recursive: true });
  }
}

/** The error for an input in which no event was found. */
export function nothingFound(name: string, report: ImportReport, end: InputEnd): InputError {
  if (report.bytes === 0)
    return new InputError(`${name} is empty${end.damage === undefined ? '' : ` (${end.damage})`}`);
  const foreign = foreignFormat(report.head);
  if (foreign !== undefined) return new NoEventsError(`no events in ${name}: it is ${foreign}`);
  const [first] = [...report.rejectedFirst, ...report.otherFirst].toSorted(
    (a, b) => a.line - b.line,
  );
  const where = first === undefined ? '' : `; line ${first.line}: ${first.reason}`;
  return new NoEventsError(
    `no events in ${name} (${report.lines} ${report.lines === 1 ? 'line' : 'lines'})${where}`,
  );
}

function opened(
  name: string,
  fd: number,
  index: TraceIndex,
  imported: ImportReport | undefined,
  objects: RecordingObjects | undefined,
  end: InputEnd,
): OpenTrace {
  const damage: string[] = [];
  if (end.damage !== undefined) damage.push(`${name}: ${end.damage}`);
  const torn = index.fileBytes - index.goodBytes;
  if (index.damage !== undefined) {
    damage.push(`${name}: ${index.damage}, the last ${torn} bytes were left out`);
  } else if (!index.closed && !end.interrupted) {
    damage.push(
      torn > 0
        ? `${name}: the last ${torn} bytes, from byte ${index.goodBytes}, are an unfinished batch and were left out`
        : `${name}: the trace was not closed, its writer was stopped or is still running`,
    );
  }
  if (damage.length > 0 && imported === undefined) {
    const told = toldByAll(fd, index);
    if (told !== undefined) damage.push(`${name}: ${told}`);
  }
  if (index.closed && torn > 0)
    damage.push(
      `${name}: ${torn} bytes after the trace's end, from byte ${index.goodBytes}, were left out` +
        ' (trace files cannot be joined by cat; their texts can)',
    );
  return {
    name,
    fd,
    index,
    imported,
    objects,
    damage,
    interrupted: end.interrupted,
    close: () => closeSync(fd),
  };
}
