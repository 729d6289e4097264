/** Reading and writing a file for as many calls as it takes. */
import { readSync, writeSync } from 'node:fs';
import { PlaceError, reasonOf } from './file-errors.js';
import { TraceFormatError } from './trace-header.js';

/** Where the bytes of a trace are: an open file, or what answers as one would. */
export type TraceBytes =
  | number
  | {
      /** Fills `into` with what stands from `offset` on. @returns how many bytes it has got; 0 at the end */
      read(into: Uint8Array, offset: number): number;
    };

/** Fills `bytes` from `offset` on. */
export function readFully(from: TraceBytes, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) {
    let got: number;
    try {
      got =
        typeof from === 'number'
          ? readSync(from, bytes, done, bytes.length - done, offset + done)
          : from.read(bytes.subarray(done), offset + done);
    } catch (error) {
      throw new PlaceError(offset + done, reasonOf(error));
    }
    if (got === 0)
      throw new TraceFormatError(`the file was cut at byte ${offset + done} while it was read`);
    done += got;
  }
}

/**
 * Writes all of `bytes`, at `position` or, without one, where the file stands. A full disk, and a pipe, take less
 * than they are given.
 *
 * @param onProgress gets how many of them are written, after each call
 */
export function writeFully(
  fd: number,
  bytes: Uint8Array,
  position?: number,
  onProgress?: (done: number) => void,
): void {
  let done = 0;
  while (done < bytes.length) {
    const at = position === undefined ? null : position + done;
    const taken = writeSync(fd, bytes, done, bytes.length - done, at);
    // Asked again and again, what takes nothing and refuses nothing would keep us for ever.
    if (taken === 0) throw new WriteStopped();
    done += taken;
    onProgress?.(done);
  }
}

/** As what the file system refuses. */
class WriteStopped extends Error {
  readonly syscall = 'write';

  constructor() {
    super('it takes no more bytes');
  }
}
