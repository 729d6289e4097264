/**
 * A run on the server is its trace file in pieces. A piece says which it is, where in the file it stands, and
 * its link: a digest of itself and of the link before it, so that whoever has the link of a piece knows that
 * all up to it is as it was written, whatever came twice, in another order, or from somebody else.
 */
import { createHash } from 'node:crypto';
import type { RunName } from './fleet-url.js';
import { tokenOf } from './subjects.js';

/** Bytes of the file in one piece at most. */
export const MAX_PIECE_BYTES = 1 << 18;

/** Pieces of a run that its sender has under way at most: it goes on when the first of them is acknowledged. */
export const WINDOW = 16;

/**
 * `data` holds bytes of the file; the others hold none and are the last: `closed` of a trace that its writer has
 * closed, `cut` of one that ends where it was lost or given up.
 */
export const PIECE_KINDS = ['data', 'closed', 'cut'] as const;
export type PieceKind = (typeof PIECE_KINDS)[number];

export interface Piece {
  readonly kind: PieceKind;
  /** From 0, without a gap. */
  readonly seq: number;
  /** Where its bytes stand in the file; of the last piece, how many the file has. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Digest of all pieces up to it. */
  readonly link: Uint8Array;
}

export const LINK_BYTES = 32;

/** What the link of a run's first piece is made from. */
export function firstLink({ host, run }: RunName): Uint8Array {
  return createHash('sha256')
    .update(`vhostscope run 1\n${tokenOf(host)}\n${tokenOf(run)}\n`)
    .digest();
}

/** The link of a piece, whose bytes may lie in several places. */
export function linkOf(
  before: Uint8Array,
  { kind, seq, offset }: Pick<Piece, 'kind' | 'seq' | 'offset'>,
  parts: readonly Uint8Array[],
): Uint8Array {
  const hash = createHash('sha256').update(before).update(`${kind} ${seq} ${offset}\n`);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Whether a piece is what follows a link. */
export function follows(before: Uint8Array, piece: Piece): boolean {
  return isSameLink(linkOf(before, piece, [piece.bytes]), piece.link);
}

export function isSameLink(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
