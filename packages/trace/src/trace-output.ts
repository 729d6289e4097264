/** Where the bytes of a trace go. */
import {
  abandonWrites,
  appendPiece,
  createWriteBehind,
  cutBack,
  isFarBehind,
  settleWrites,
  type PieceFate,
} from './write-behind.js';

/** Takes a trace piece by piece. Every piece is whole messages: what has all pieces up to one can be read. */
export interface TraceOutput {
  /**
   * The next piece, of `bytes` bytes. Its memory stays as it is until `onWritten` of its fate is called,
   * which may be before this returns.
   *
   * @throws what the file system refused, of this piece or an earlier one
   */
  append(parts: readonly Uint8Array[], bytes: number, fate?: PieceFate): void;
  /**
   * Resolves when not much waits to be written; undefined when that is so already. Who goes on faster
   * takes memory without end.
   */
  keepPace(): Promise<void> | undefined;
  /** Resolves when everything is written; rejects with what the file system refused. */
  settle(): Promise<void>;
  /** Resolves when nothing is being written any more, whatever became of it. */
  abandon(): Promise<void>;
  /**
   * Cuts off what was not written whole, so that what follows can be read, and takes back what was until
   * there is `room`, bytes; to be called when nothing is being written any more.
   */
  cutBack(room: number): void;
}

/**
 * An open, empty file, or a pipe.
 *
 * @param behind true to write on another thread while the program goes on
 */
export function fileOutput(fd: number, behind: boolean): TraceOutput {
  const output = createWriteBehind(fd, behind);
  return {
    append: (parts, bytes, fate) => appendPiece(output, parts, bytes, fate),
    keepPace: () => (isFarBehind(output) ? abandonWrites(output) : undefined),
    settle: () => settleWrites(output),
    abandon: () => abandonWrites(output),
    cutBack: (room) => cutBack(output, room),
  };
}
