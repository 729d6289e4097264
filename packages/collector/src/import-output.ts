/** What an import writes: it stands under its name as soon as it holds events, whatever comes then. */
import {
  abandonTrace,
  closeTrace,
  OutputError,
  settleTrace,
  type TraceWriter,
} from '@vhostscope/trace';
import { openTarget, type TraceTarget } from './attach/trace-target.js';
import { nameOf } from './import-files.js';

export interface ImportOutput {
  readonly target: TraceTarget;
  readonly name: string;
  /** Aborted when the reader of standard output has gone. */
  readonly gone: AbortSignal;
}

/** @throws ProgramError, OutputError */
export function openImportOutput(output: string, overwrite: boolean): ImportOutput {
  const gone = new AbortController();
  const name = nameOf(output);
  const target = openTarget(output, overwrite, () =>
    gone.abort(new OutputError(`cannot write ${name}: the reader of the pipe is gone`)),
  );
  return { target, name, gone: gone.signal };
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

export function hasEvents(writer: TraceWriter | undefined): boolean {
  return writer !== undefined && writer.eventsWritten > 0;
}
