/** Reading and writing a file for as many calls as it takes. */
import { readSync, writeSync } from 'node:fs';
import { InputError, reasonOf } from './file-errors.js';
import { TraceFormatError } from './trace-header.js';

/** Fills `bytes` from `offset` on. */
export function readFully(fd: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) {
    let got: number;
    try {
      got = readSync(fd, bytes, done, bytes.length - done, offset + done);
    } catch (error) {
      throw new InputError(`cannot read the trace at byte ${offset + done}: ${reasonOf(error)}`);
    }
    if (got === 0)
      throw new TraceFormatError(`the file was cut at byte ${offset + done} while it was read`);
    done += got;
  }
}

/** Writes all of `bytes` where the file stands. A full disk takes less than it is given. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}
