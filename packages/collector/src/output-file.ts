/**
 * The file that a recording or an import writes. It gets its name only when it holds events: an import that finds
 * none, or cannot write any, leaves nothing behind, and what stood there before as it was.
 */
import { ProgramError } from '@vhostscope/terminal';
import { checkPlace, openNewFile, type NewFile } from '@vhostscope/trace';

/**
 * Opens the output. What exists is written over only with `overwrite`.
 *
 * @throws ProgramError, OutputError
 */
export function openOutput(path: string, overwrite: boolean): NewFile {
  if (checkPlace(path) !== undefined && !overwrite) {
    throw new ProgramError(`${path} exists`, {
      advice: 'name an output with -o, or write over it with --force',
    });
  }
  return openNewFile(path);
}

/** Whether a file stays when its writer fails: what was written before can be read then. */
export function stays({ isNamed, isInPlace }: NewFile): boolean {
  return isNamed && !isInPlace;
}
