/**
 * A file that gets its name when its writer says so, as a rule when it is whole. Up to then what stood there
 * stays as it was, and a writer that fails leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OutputError, reasonOf } from './file-errors.js';

export interface NewFile {
  readonly fd: number;
  /** A device or a pipe cannot be replaced: it is written to as it stands, and has its name. */
  readonly isInPlace: boolean;
  /** Whether it stands under its name. */
  readonly isNamed: boolean;
  /**
   * Gives the file its name, in the place of what had it, once what was written is on the disk: after a crash of the
   * host there is the one or the other, and no empty file. Does nothing when it has its name.
   *
   * @throws OutputError
   */
  giveName(): void;
  /** Closes the file; one without a name is removed. Does nothing the second time. */
  close(): void;
}

/** @throws OutputError when it cannot be written */
export function openNewFile(path: string): NewFile {
  const existing = checkPlace(path);
  const isInPlace = existing !== undefined && !existing.isFile();
  return orCannotWrite(path, () => {
    const final = existing === undefined || isInPlace ? path : realpathSync(path);
    const part = `.vhostscope-${randomBytes(6).toString('hex')}.part`;
    const name = isInPlace ? path : join(dirname(final), part);
    // A file of its own, so that its permissions are ours whatever those of the one it replaces were.
    const fd = openSync(name, isInPlace ? 'w' : 'wx', 0o600);
    let isNamed = isInPlace;
    let isOpen = true;
    return {
      fd,
      isInPlace,
      get isNamed() {
        return isNamed;
      },
      giveName: () => {
        if (isNamed) return;
        orCannotWrite(path, () => {
          fsyncSync(fd);
          renameSync(name, final);
        });
        isNamed = true;
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        closeSync(fd);
        if (!isNamed) rmSync(name, { force: true });
      },
    };
  });
}

/**
 * What stands where a file is to be written, if anything does.
 *
 * @throws OutputError when none can be there
 */
export function checkPlace(path: string): Stats | undefined {
  return orCannotWrite(path, () => {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory() === true)
      throw new OutputError(`cannot write ${path}: is a directory`);
    // Throws where there is no such folder.
    if (existing === undefined) statSync(dirname(path));
    return existing;
  });
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
