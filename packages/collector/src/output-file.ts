/**
 * The file that an import writes. It gets its name only when it holds events: an import that finds
 * none, or cannot write any, leaves nothing behind, and what stood there before as it was.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProgramError } from '@vhostscope/terminal';
import { OutputError, reasonOf } from '@vhostscope/trace';

export interface OutputFile {
  readonly fd: number;
  /** Whether the file stands under its name. */
  readonly named: boolean;
  /** Whether it stays when the import fails: what was written before can be read then. */
  readonly stays: boolean;
  /** Gives the file its name, in the place of what had it; does nothing when it has it. */
  giveName(): void;
  /** Closes the file; one without a name is removed. */
  close(): void;
}

/** Opens the output. What exists is written over only with `overwrite`. */
export function openOutput(path: string, overwrite: boolean): OutputFile {
  return orCannotWrite(path, () => {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory() === true)
      throw new OutputError(`cannot write ${path}: is a directory`);
    if (existing !== undefined && !overwrite) {
      throw new ProgramError(`${path} exists`, {
        advice: 'name an output with -o, or write over it with --force',
      });
    }
    // A device or a pipe cannot be replaced.
    if (existing !== undefined && !existing.isFile()) return openInPlace(path);
    return openBeside(existing === undefined ? path : realpathSync(path));
  });
}

function openInPlace(path: string): OutputFile {
  const fd = openSync(path, 'w');
  return { fd, named: true, stays: false, giveName: () => undefined, close: () => closeSync(fd) };
}

function openBeside(path: string): OutputFile {
  const temporary = join(dirname(path), `.vhostscope-${randomBytes(6).toString('hex')}.part`);
  // A file of its own, so that its permissions are ours whatever those of the one it replaces were.
  const fd = openSync(temporary, 'wx', 0o600);
  let named = false;
  return {
    fd,
    get named() {
      return named;
    },
    get stays() {
      return named;
    },
    giveName: () => {
      if (named) return;
      orCannotWrite(path, () => renameSync(temporary, path));
      named = true;
    },
    close: () => {
      closeSync(fd);
      if (!named) rmSync(temporary, { force: true });
    },
  };
}

function orCannotWrite<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const noFolder = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new OutputError(
      `cannot write ${path}: ${noFolder ? 'its folder does not exist' : reasonOf(error)}`,
    );
  }
}
