/** Errors about files, as facts; the programs add what to do. */

/** Something cannot be read. The message names it and says why. */
export class InputError extends Error {
  override name = 'InputError';
}

/** A place of an open trace cannot be read. Which trace that is says who opened it: `withName`. */
export class PlaceError extends InputError {
  readonly offset: number;
  readonly reason: string;

  constructor(offset: number, reason: string) {
    super(`cannot read the trace at byte ${offset}: ${reason}`);
    this.offset = offset;
    this.reason = reason;
  }
}

/** Something was read, and holds no event: it is likely to be something else than it was taken for. */
export class NoEventsError extends InputError {}

/** Something cannot be written. The message names it and says why. */
export class OutputError extends Error {
  override name = 'OutputError';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EFBIG: 'the file would be too large',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files on this machine',
  ENOMEM: 'no memory left',
  EAGAIN: 'resource temporarily unavailable',
  EPIPE: 'the reader of the pipe is gone',
  ECONNRESET: 'the other side is gone',
  EBADF: 'it is not open any more',
  ELOOP: 'too many symbolic links',
  EIO: 'input/output error',
  ENAMETOOLONG: 'the name is too long',
  ENXIO: 'is a socket, or a device that is not there',
  EDQUOT: 'the disk quota is used up',
};

/** Why a system call failed, in words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && REASONS[code]) || error.message;
}

/** Runs something that writes `name`; what the file system refuses becomes an OutputError. */
export function writing<Result>(name: string, write: () => Result): Result {
  try {
    return write();
  } catch (error) {
    throw cannotWrite(name, error);
  }
}

/** Waits for what writes `name`; likewise. */
export async function written<Result>(name: string, writes: Promise<Result>): Promise<Result> {
  try {
    return await writes;
  } catch (error) {
    throw cannotWrite(name, error);
  }
}

function cannotWrite(name: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new OutputError(`cannot write ${name}: ${reasonOf(error)}`);
}
