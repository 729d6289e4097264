/**
 * Keeps what comes by a socket or a pipe in a file without a name, so that it can be read again. Up to a bound;
 * what comes then passes through a row of smaller files, each of which goes when all of it was played.
 */
import { closeSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { openTemporary, writing } from '@vhostscope/trace';

export interface Spool {
  /** Bytes that came, and bytes that are kept. */
  readonly size: number;
  readonly kept: number;
  /** Bytes behind those that are kept that nobody has played. */
  readonly passing: number;
  /** @throws OutputError when there is no room on the disk */
  append(bytes: Uint8Array): void;
  read(into: Uint8Array, offset: number): number;
  /** Forgets what is not kept, up to this place. Some of it may be held on to: it stays readable. */
  release(upTo: number, held: readonly Stretch[]): void;
  close(): void;
}

/** Bytes of the stream. */
export interface Stretch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface PassingFile {
  readonly fd: number;
  from: number;
  to: number;
}

/** Bytes of a file through which something passes: some of what was played stays until one is used up. */
const PASSING_BYTES = 8 * 2 ** 20;

/** @throws OutputError */
export function openSpool(most: number, passingBytes = PASSING_BYTES): Spool {
  const folder = tmpdir();
  const where = `a temporary file in ${folder} (TMPDIR names another folder)`;
  const fd = writing(where, () => openTemporary(folder));
  let passing: PassingFile[] = [];
  /** Empty ones, to be used again. */
  const spare: number[] = [];
  const held: Stretch[] = [];
  let kept = 0;
  let size = 0;
  let released = 0;

  function write(to: number, bytes: Uint8Array, at: number): void {
    writing(where, () => {
      let done = 0;
      while (done < bytes.length)
        done += writeSync(to, bytes, done, bytes.length - done, at + done);
    });
  }

  function lastPassing(): PassingFile {
    const last = passing.at(-1);
    if (last !== undefined && last.to - last.from < passingBytes) return last;
    const next = {
      fd: spare.pop() ?? writing(where, () => openTemporary(folder)),
      from: size,
      to: size,
    };
    passing.push(next);
    return next;
  }

  return {
    get size() {
      return size;
    },
    get kept() {
      return kept;
    },
    get passing() {
      return size - Math.max(kept, released);
    },
    append: (bytes) => {
      // Where something passes, nothing is kept behind it.
      const room = size > kept ? 0 : Math.min(bytes.length, most - kept);
      if (room > 0) {
        write(fd, bytes.subarray(0, room), kept);
        kept += room;
        size += room;
      }
      if (room === bytes.length) return;
      const file = lastPassing();
      write(file.fd, bytes.subarray(room), size - file.from);
      size += bytes.length - room;
      file.to = size;
    },
    read: (into, offset) => {
      if (offset < kept) return readSync(fd, into, 0, Math.min(into.length, kept - offset), offset);
      const file = passing.find(({ from, to }) => offset >= from && offset < to);
      if (file !== undefined)
        return readSync(
          file.fd,
          into,
          0,
          Math.min(into.length, file.to - offset),
          offset - file.from,
        );
      const stretch = held.find(
        ({ offset: from, bytes }) => offset >= from && offset < from + bytes.length,
      );
      if (stretch === undefined) return 0;
      const part = stretch.bytes.subarray(offset - stretch.offset).subarray(0, into.length);
      into.set(part);
      return part.length;
    },
    release: (upTo, holding) => {
      released = Math.max(released, Math.min(upTo, size));
      held.push(...holding);
      for (const file of passing) {
        if (file.to > released) continue;
        ftruncateSync(file.fd, 0);
        spare.push(file.fd);
      }
      passing = passing.filter(({ to }) => to > released);
    },
    close: () => {
      closeSync(fd);
      for (const file of passing) closeSync(file.fd);
      for (const one of spare) closeSync(one);
    },
  };
}
