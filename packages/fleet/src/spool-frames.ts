/** Pieces as they stand in the files of a spool, one behind the other. */
import { readSync } from 'node:fs';
import { LINK_BYTES, MAX_PIECE_BYTES, PIECE_KINDS, type Piece } from './piece.js';

/** "VSP1" */
const MARK = 0x31505356;
export const FRAME_HEADER_BYTES = 32 + LINK_BYTES;

/** Mark, kind, length, nothing; number, place; link; then the bytes. */
export function frameOf(piece: Piece): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + piece.bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, MARK, true);
  view.setUint32(4, PIECE_KINDS.indexOf(piece.kind), true);
  view.setUint32(8, piece.bytes.length, true);
  view.setBigUint64(16, BigInt(piece.seq), true);
  view.setBigUint64(24, BigInt(piece.offset), true);
  frame.set(piece.link, 32);
  frame.set(piece.bytes, FRAME_HEADER_BYTES);
  return frame;
}

export interface FoundPiece {
  readonly piece: Piece;
  /** Where the next begins. */
  readonly end: number;
}

/**
 * The piece at a position of an open file; undefined where no whole one stands. Whether it is the one that was
 * written there its link tells.
 */
export function readFrame(fd: number, position: number): FoundPiece | undefined {
  const head = new Uint8Array(FRAME_HEADER_BYTES);
  if (!fill(fd, head, position)) return undefined;
  const view = new DataView(head.buffer);
  const kind = PIECE_KINDS[view.getUint32(4, true)];
  const length = view.getUint32(8, true);
  if (view.getUint32(0, true) !== MARK || kind === undefined || length > MAX_PIECE_BYTES)
    return undefined;
  const seq = view.getBigUint64(16, true);
  const offset = view.getBigUint64(24, true);
  if (seq > MAX_NUMBER || offset > MAX_NUMBER) return undefined;
  const bytes = new Uint8Array(length);
  if (!fill(fd, bytes, position + FRAME_HEADER_BYTES)) return undefined;
  return {
    piece: { kind, seq: Number(seq), offset: Number(offset), bytes, link: head.slice(32) },
    end: position + FRAME_HEADER_BYTES + length,
  };
}

const MAX_NUMBER = BigInt(Number.MAX_SAFE_INTEGER);

/** Returns false where the file ends before. */
function fill(fd: number, bytes: Uint8Array, position: number): boolean {
  for (let done = 0; done < bytes.length;) {
    const got = readSync(fd, bytes, done, bytes.length - done, position + done);
    if (got === 0) return false;
    done += got;
  }
  return true;
}
