/** A run on a server, as far as its last piece tells. */
import type { RunName } from './fleet-url.js';
import type { Piece } from './piece.js';

export interface WatchedRun extends RunName {
  /** Pieces of the trace, with the one that ends it. */
  readonly pieces: number;
  /** Bytes of the trace. */
  readonly bytes: number;
  /** How it ended: `closed` by its writer, `cut`; undefined while it goes on, or where its end was not sent yet. */
  readonly end: 'closed' | 'cut' | undefined;
  /** When the server got its last message, by the server's clock, ms since 1970. */
  readonly lastMs: number;
  /** Digest of all pieces up to the last, in hexadecimal. */
  readonly link: string;
}

/** One of which the pieces were counted. */
export interface FleetRun extends WatchedRun {
  /** Pieces that the server does not hold, at least: it deleted them, or never got them. */
  readonly missing: number;
  /** The first that it holds. */
  readonly first: number;
}

/** @param bytes of the last piece */
export function runUpTo(
  name: RunName,
  last: Omit<Piece, 'bytes'>,
  bytes: number,
  lastMs: number,
): WatchedRun {
  return {
    ...name,
    pieces: last.seq + 1,
    bytes: last.offset + bytes,
    end: last.kind === 'data' ? undefined : last.kind,
    lastMs,
    link: Buffer.from(last.link).toString('hex'),
  };
}
