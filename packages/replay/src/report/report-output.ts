/** The file of a report. */
import { statSync } from 'node:fs';
import { ProgramError } from '@vhostscope/terminal';
import { checkPlace } from '@vhostscope/trace';
import { openExportOutput, ReaderGone } from '../export/export-output.js';

/** @throws ProgramError, OutputError where the report cannot go there, whatever is in it */
export function checkReportOutput(traces: readonly string[], output: string): void {
  const to = checkPlace(output);
  if (to === undefined) return;
  for (const trace of traces) {
    const from = trace === '-' ? undefined : statSync(trace, { throwIfNoEntry: false });
    if (from?.isFile() === true && from.ino === to.ino && from.dev === to.dev)
      throw new ProgramError(
        `${output} is ${traces.length > 1 ? 'a' : 'the'} trace that is reported on`,
        {
          advice: 'name another output',
        },
      );
  }
}

/** Writes over a report that stands there, in one step: nobody opens half a page. */
export async function writeReportFile(path: string, text: string): Promise<void> {
  const output = openExportOutput(path, new AbortController().signal);
  try {
    output.write(Buffer.from(text));
    await output.finish();
  } catch (error) {
    // Of a pipe, whoever reads has seen enough.
    if (!(error instanceof ReaderGone)) throw error;
  } finally {
    output.discard();
  }
}
