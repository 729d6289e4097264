/**
 * A file that gets its name when its writer says so, as a rule when it is whole. Up to then what stood there
 * stays as it was, and a writer that fails leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
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
  /**
   * Gives the file its name where nothing has it, also nothing that came while it was written.
   *
   * @returns false where something has it, which stays as it is
   * @throws OutputError
   */
  giveFreeName(): boolean;
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
    const settle = (takeName: () => boolean): boolean => {
      isNamed ||= orCannotWrite(path, () => {
        fsyncSync(fd);
        return takeName();
      });
      return isNamed;
    };
    return {
      fd,
      isInPlace,
      get isNamed() {
        return isNamed;
      },
      giveName: () => {
        settle(() => {
          renameSync(name, final);
          return true;
        });
      },
      giveFreeName: () => settle(() => takeFreeName(name, final)),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        closeSync(fd);
        if (!isNamed) rmSync(name, { force: true });
      },
    };
  });
}

/** Unlike a rename, a link fails where the name is taken by now. Returns false then. */
function takeFreeName(part: string, name: string): boolean {
  try {
    linkSync(part, name);
    rmSync(part);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
  }
  // Some file systems have no links: there an empty file holds the name.
  try {
    closeSync(openSync(name, 'wx', 0o600));
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
  renameSync(part, name);
  return true;
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
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
