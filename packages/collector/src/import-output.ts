/** What an import writes: it stands under its name as soon as it holds events, whatever comes then. */
import {
  abandonTrace,
  closeTrace,
  OutputError,
  settleTrace,
  type TraceWriter,
} from '@vhostscope/trace';
import { say } from '@vhostscope/terminal';
import type { PublishFlags } from './fleet/publish-flags.js';
import { openPublishing, type Published, type Publishing } from './fleet/publishing.js';
import { openTarget, type TraceTarget } from './attach/trace-target.js';
import { nameOf } from './import-files.js';
import { patience, type HeardSignals } from './stop-signals.js';

export interface ImportOutput {
  readonly target: TraceTarget;
  readonly name: string;
  readonly publishing: Publishing | undefined;
  /** Aborted when the reader of standard output has gone. */
  readonly gone: AbortSignal;
}

/**
 * @param path undefined where it is published only
 * @throws ProgramError, OutputError
 */
export async function openImportOutput(
  path: string | undefined,
  options: PublishFlags & { readonly output?: string; readonly force?: boolean },
): Promise<ImportOutput> {
  const gone = new AbortController();
  const name = path === undefined ? undefined : nameOf(path);
  const overwrite = options.output !== undefined || options.force === true;
  const file = openTarget(path, overwrite, () =>
    gone.abort(new OutputError(`cannot write ${name}: the reader of the pipe is gone`)),
  );
  const { publish } = options;
  if (publish === undefined)
    return { target: file, publishing: undefined, name: name ?? '', gone: gone.signal };
  try {
    const tell = (words: string): void => say('collector', words);
    const publishing = await openPublishing({ ...options, publish }, file, { tell, canWait: true });
    const { target } = publishing;
    return { target, publishing, name: target.name ?? '', gone: gone.signal };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** When nothing is being written any more. */
export async function closeImportOutput(
  { target, publishing }: ImportOutput,
  signals: HeardSignals,
): Promise<Published | undefined> {
  try {
    return await publishing?.finish(patience(signals));
  } finally {
    await publishing?.close();
    target.close();
  }
}

/** Ends the trace and waits for its last word. */
export async function finishTrace(
  output: ImportOutput,
  writer: TraceWriter | undefined,
): Promise<void> {
  try {
    if (writer !== undefined) {
      closeTrace(writer);
      await settleTrace(writer);
    }
    output.gone.throwIfAborted();
  } catch (error) {
    throw error instanceof OutputError ? await withWhatStays(error, output, writer) : error;
  }
  output.target.begin();
}

/** What got into the file before it was full stays there, however soon that was. */
export async function withWhatStays(
  error: OutputError,
  { target }: ImportOutput,
  writer: TraceWriter | undefined,
): Promise<OutputError> {
  if (writer !== undefined) await abandonTrace(writer);
  if (hasEvents(writer)) target.begin();
  return target.stays
    ? new OutputError(`${error.message}; what was written before can be read`)
    : error;
}

/** What is where it was to be: in a file that was given up, what it took. */
export function bytesWritten(
  { publishing }: ImportOutput,
  writer: TraceWriter | undefined,
): number {
  return publishing?.copyBytes ?? writer?.bytes ?? 0;
}

export function hasEvents(writer: TraceWriter | undefined): boolean {
  return writer !== undefined && writer.eventsWritten > 0;
}
