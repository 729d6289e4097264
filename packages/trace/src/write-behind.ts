/**
 * Writes a file at once, or behind the program's back: on another thread while the program goes on.
 * Pieces are queued then, and one write is under way at a time, so that the file grows from its front
 * and a crash leaves a torn tail at most. What cannot be written shows at the next piece, or when the
 * queue is settled.
 */
import { fstatSync, ftruncateSync, writeSync, writev, writevSync } from 'node:fs';

export interface WriteBehind {
  readonly fd: number;
  /** Where the next write goes, behind what is whole in the file; undefined where pieces are written at once. */
  position: number | undefined;
  /** Pieces that wait, oldest first, and bytes that wait or are being written. */
  readonly queue: Piece[];
  waitingBytes: number;
  isWriting: boolean;
  failure: Error | undefined;
  /** Called when nothing is being written any more. */
  readonly onIdle: (() => void)[];
}

interface Piece {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly onWritten: (() => void) | undefined;
}

/** So much may wait before the program should. */
const ENOUGH_WAITING_BYTES = 1 << 23;
/** The least that POSIX systems take in one call is 16; Linux and others take 1024. */
const MAX_PARTS = 1024;

/**
 * For an output that is open for writing and empty.
 *
 * @param behind false to write at once; a pipe or a device always is
 */
export function createWriteBehind(fd: number, behind: boolean): WriteBehind {
  return {
    fd,
    position: behind && fstatSync(fd).isFile() ? 0 : undefined,
    queue: [],
    waitingBytes: 0,
    isWriting: false,
    failure: undefined,
    onIdle: [],
  };
}

/**
 * Appends a piece of `bytes` bytes. Its memory must stay as it is until `onWritten` is called, which may
 * be before this returns, and is never where the piece could not be written.
 *
 * @throws what the file system refused, of this piece or an earlier one
 */
export function appendPiece(
  output: WriteBehind,
  parts: readonly Uint8Array[],
  bytes: number,
  onWritten?: () => void,
): void {
  if (output.failure !== undefined) throw output.failure;
  if (output.position === undefined) {
    writeNow(output.fd, parts, bytes);
    onWritten?.();
    return;
  }
  output.queue.push({ parts, bytes, onWritten });
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
 * piece, and goes on from there. Does nothing where pieces are written at once.
 */
export function cutBack(output: WriteBehind): void {
  if (output.position === undefined) return;
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
      output.position = position + whole;
      piece.onWritten?.();
    }
    writeNext(output);
  });
}

function writeNow(fd: number, parts: readonly Uint8Array[], bytes: number): void {
  const written = writevSync(fd, parts);
  if (written < bytes) writeRest(fd, parts, written, undefined);
}

/** A pipe takes less than it is given, too. `onProgress` gets how many bytes of all parts are written. */
function writeRest(
  fd: number,
  parts: readonly Uint8Array[],
  from: number,
  position: number | undefined,
  onProgress?: (done: number) => void,
): void {
  const all = Buffer.concat(parts);
  let done = from;
  while (done < all.length) {
    const at = position === undefined ? null : position + done;
    done += writeSync(fd, all, done, all.length - done, at);
    onProgress?.(done);
  }
}
