/**
 * Writes a file at once, or behind the program's back: on another thread while the program goes on.
 * Pieces are queued then, and one write is under way at a time, so that the file grows from its front
 * and a crash leaves a torn tail at most. What cannot be written shows at the next piece, or when the
 * queue is settled.
 */
import { fstatSync, ftruncateSync, writev, writevSync } from 'node:fs';
import { writeFully } from './file-access.js';

export interface WriteBehind {
  readonly fd: number;
  /** Where the next write goes, behind what is whole in the file; undefined where pieces are written at once. */
  position: number | undefined;
  /** The last pieces that are whole in the file and may be taken back, oldest first. */
  readonly recent: WrittenPiece[];
  /** Pieces that wait, oldest first, and bytes that wait or are being written. */
  readonly queue: Piece[];
  waitingBytes: number;
  isWriting: boolean;
  failure: Error | undefined;
  /** Called when nothing is being written any more. */
  readonly onIdle: (() => void)[];
}

/** What becomes of a piece. */
export interface PieceFate {
  /** It is written: its memory may change. Never called of one that could not be written. */
  readonly onWritten?: () => void;
  /** It was written, and is cut off to make room. A piece without this, and all before it, stay. */
  readonly onTakenBack?: () => void;
}

interface Piece extends PieceFate {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

interface WrittenPiece {
  readonly start: number;
  readonly onTakenBack: () => void;
}

/** So much may wait before the program should. */
const ENOUGH_WAITING_BYTES = 1 << 23;
/** The least that POSIX systems take in one call is 16; Linux and others take 1024. */
const MAX_PARTS = 1024;
/** So much of the file's end can be taken back, if no more. */
const RECENT_BYTES = 1 << 21;

/**
 * For an output that is open for writing and empty.
 *
 * @param behind false to write at once; a pipe or a device always is
 */
export function createWriteBehind(fd: number, behind: boolean): WriteBehind {
  return {
    fd,
    position: behind && fstatSync(fd).isFile() ? 0 : undefined,
    recent: [],
    queue: [],
    waitingBytes: 0,
    isWriting: false,
    failure: undefined,
    onIdle: [],
  };
}

/**
 * Appends a piece of `bytes` bytes. Its memory must stay as it is until `onWritten` of its fate is called,
 * which may be before this returns.
 *
 * @throws what the file system refused, of this piece or an earlier one
 */
export function appendPiece(
  output: WriteBehind,
  parts: readonly Uint8Array[],
  bytes: number,
  fate: PieceFate = {},
): void {
  if (output.failure !== undefined) throw output.failure;
  if (output.position === undefined) {
    writeNow(output, parts, bytes);
    fate.onWritten?.();
    return;
  }
  output.queue.push({ parts, bytes, ...fate });
  output.waitingBytes += bytes;
  if (!output.isWriting) writeNext(output);
}

/** Whether so much waits that the program should wait, too; the event loop must turn for it to be written. */
export function isFarBehind(output: WriteBehind): boolean {
  return output.waitingBytes > ENOUGH_WAITING_BYTES;
}

/**
 * Resolves when nothing is being written any more; only then may the file be closed.
 *
 * @throws what the file system refused
 */
export async function settleWrites(output: WriteBehind): Promise<void> {
  await abandonWrites(output);
  if (output.failure !== undefined) throw output.failure;
}

/** The same, whatever became of the writes. */
export async function abandonWrites(output: WriteBehind): Promise<void> {
  if (!output.isWriting) return;
  await new Promise<void>((resolve) => output.onIdle.push(resolve));
}

/**
 * After a failure, and when nothing is being written any more: cuts the file off behind its last whole
 * piece, and goes on from there. Pieces before it are taken back, the last first, until what is cut off has
 * `room` bytes or no more may be. Does nothing where pieces are written at once: what is torn there stays the last.
 */
export function cutBack(output: WriteBehind, room: number): void {
  if (output.position === undefined) return;
  const { size } = fstatSync(output.fd);
  while (size - output.position < room) {
    const piece = output.recent.pop();
    if (piece === undefined) break;
    output.position = piece.start;
    piece.onTakenBack();
  }
  ftruncateSync(output.fd, output.position);
  output.failure = undefined;
}

/** Writes the pieces that wait, as many as one call takes. */
function writeNext(output: WriteBehind): void {
  const { queue, position = 0 } = output;
  output.isWriting = queue.length > 0;
  if (!output.isWriting) {
    for (const resolve of output.onIdle.splice(0)) resolve();
    return;
  }
  const pieces: Piece[] = [];
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of queue) {
    if (pieces.length > 0 && parts.length + piece.parts.length > MAX_PARTS) break;
    pieces.push(piece);
    parts.push(...piece.parts);
    bytes += piece.bytes;
  }
  queue.splice(0, pieces.length);
  writev(output.fd, parts, position, (error, written) => {
    let done = error === null ? written : 0;
    try {
      if (error !== null) throw error;
      // A full disk takes less than it is given, and refuses the rest.
      if (done < bytes) writeRest(output.fd, parts, done, position, (now) => (done = now));
    } catch (thrown) {
      output.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      queue.length = 0;
    }
    output.waitingBytes -= bytes;
    let whole = 0;
    for (const piece of pieces) {
      whole += piece.bytes;
      if (whole > done) break;
      isWhole(output, piece);
    }
    writeNext(output);
  });
}

function isWhole(output: WriteBehind, { bytes, onWritten, onTakenBack }: Piece): void {
  const { recent, position: start = 0 } = output;
  output.position = start + bytes;
  if (onTakenBack === undefined) recent.length = 0;
  else recent.push({ start, onTakenBack });
  while (recent.length > 1 && output.position - recent[1].start >= RECENT_BYTES) recent.shift();
  onWritten?.();
}

/** A piece of which a part was taken cannot be cut off here: nothing may follow it, or the reader meets it as damage. */
function writeNow(output: WriteBehind, parts: readonly Uint8Array[], bytes: number): void {
  let done = writevSync(output.fd, parts);
  if (done === bytes) return;
  try {
    writeRest(output.fd, parts, done, undefined, (now) => (done = now));
  } catch (thrown) {
    if (done > 0) output.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    throw thrown;
  }
}

/** A pipe takes less than it is given, too. `onProgress` gets how many bytes of all parts are written. */
function writeRest(
  fd: number,
  parts: readonly Uint8Array[],
  from: number,
  position: number | undefined,
  onProgress?: (done: number) => void,
): void {
  const rest = Buffer.concat(parts).subarray(from);
  const at = position === undefined ? undefined : position + from;
  writeFully(fd, rest, at, (done) => onProgress?.(from + done));
}
