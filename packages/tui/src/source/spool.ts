/**
 * Keeps what comes by a socket or a pipe in a file without a name, so that it can be read again. Up to a bound;
 * what comes then goes into a second one, that is emptied whenever all of it was replayed.
 */
import { closeSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openTemporary, writing } from '@vhostscope/trace';

export interface Spool {
  /** Holds what is kept. */
  readonly fd: number;
  /** Bytes that came, and bytes that are kept. */
  readonly size: number;
  readonly kept: number;
  /** Bytes behind those that are kept. */
  readonly passing: number;
  /** @throws OutputError when there is no room on the disk */
  append(bytes: Uint8Array): void;
  read(into: Uint8Array, offset: number): number;
  /** Forgets what is not kept, up to the end. */
  release(): void;
  close(): void;
}

/** @throws OutputError */
export function openSpool(most: number): Spool {
  const folder = tmpdir();
  const where = `a temporary file in ${folder} (TMPDIR names another folder)`;
  const fd = writing(where, () => openTemporary(folder));
  let passingFd: number | undefined;
  let kept = 0;
  let size = 0;
  /** Where in the stream the second file begins. */
  let passingFrom = 0;

  function write(to: number, bytes: Uint8Array, at: number): void {
    writing(where, () => {
      let done = 0;
      while (done < bytes.length)
        done += writeSync(to, bytes, done, bytes.length - done, at + done);
    });
  }

  return {
    fd,
    get size() {
      return size;
    },
    get kept() {
      return kept;
    },
    get passing() {
      return passingFd === undefined ? 0 : size - passingFrom;
    },
    append: (bytes) => {
      const room = passingFd === undefined ? Math.min(bytes.length, most - kept) : 0;
      if (room > 0) {
        write(fd, bytes.subarray(0, room), kept);
        kept += room;
        size += room;
      }
      if (room === bytes.length) return;
      if (passingFd === undefined) {
        passingFd = writing(where, () => openTemporary(folder));
        passingFrom = size;
      }
      write(passingFd, bytes.subarray(room), size - passingFrom);
      size += bytes.length - room;
    },
    read: (into, offset) => {
      if (offset < kept) return readSync(fd, into, 0, Math.min(into.length, kept - offset), offset);
      if (passingFd === undefined || offset < passingFrom) return 0;
      return readSync(passingFd, into, 0, into.length, offset - passingFrom);
    },
    release: () => {
      if (passingFd === undefined) return;
      passingFrom = size;
      ftruncateSync(passingFd, 0);
    },
    close: () => {
      closeSync(fd);
      if (passingFd !== undefined) closeSync(passingFd);
    },
  };
}
