/** Reading and writing a file for as many calls as it takes. */
import { readSync, writeSync } from 'node:fs';
import { InputError, reasonOf } from './file-errors.js';
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
