/** Reads the pieces of a run back from its spool, in order. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Piece } from './piece.js';
import { readFrame } from './spool-frames.js';
import { isBefore, segmentName, type SpoolPlace } from './spool-place.js';

export interface SpooledPiece {
  readonly piece: Piece;
  readonly segment: number;
  /** Where the next begins. */
  readonly next: SpoolPlace;
}

export interface SpoolReader {
  /**
   * The piece at a place, which lies before `end`; undefined where none does.
   *
   * @throws what the file system refused; an Error where the spool was damaged
   */
  read(at: SpoolPlace, end: SpoolPlace): SpooledPiece | undefined;
  close(): void;
}

export function createSpoolReader(folder: string): SpoolReader {
  /** The file that was read last. */
  let open: { readonly segment: number; readonly fd: number } | undefined;
  const close = (): void => {
    if (open !== undefined) closeSync(open.fd);
    open = undefined;
  };
  const fileOf = (segment: number): number => {
    if (open?.segment === segment) return open.fd;
    close();
    const fd = openSync(join(folder, segmentName(segment)), 'r');
    open = { segment, fd };
    return fd;
  };
  return {
    read: (at, end) => {
      let place = at;
      // A file before that of the end is complete.
      while (place.segment < end.segment && place.position >= fstatSync(fileOf(place.segment)).size)
        place = { segment: place.segment + 1, position: 0 };
      if (!isBefore(place, end)) return undefined;
      const found = readFrame(fileOf(place.segment), place.position);
      if (found === undefined)
        throw new Error(
          `the spool ${folder} is damaged: no piece at byte ${place.position} of ${segmentName(place.segment)}`,
        );
      return {
        piece: found.piece,
        segment: place.segment,
        next: { segment: place.segment, position: found.end },
      };
    },
    close,
  };
}
