/** A file of a trace that is read as it grows, whatever its name comes to mean; that it was cut is noticed. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { isArrowStream, STREAM_MARK_BYTES, type DamagedBatchError } from '@vhostscope/trace';
import { createGrowingTrace, type GrowingTrace } from './growing-trace.js';

export interface GrowingFile {
  /** Which file it is. */
  readonly id: string;
  readonly growing: GrowingTrace;
  readonly size: number;
  /** What was seen of it does not stand in it any more: nothing of it can be read. */
  readonly isCut: boolean;
  /** It is no trace. */
  readonly isOther: boolean;
  /** Looks for what has come. */
  extend(): void;
  /** As `endAt` of a source. */
  endAt(damaged: DamagedBatchError): boolean;
  close(): void;
}

/**
 * Bytes before the end of what was seen, by which a file that was written anew is known, however long it is. A batch
 * ends with columns that most events have no value in: zeros in any file.
 */
const TAIL_BYTES = 1 << 16;

/** @throws what the file system says */
export function openGrowingFile(path: string): GrowingFile {
  // It may have become a pipe by now: without a writer it would hold everything up.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const id = idOf(fstatSync(fd));
  let size = 0;
  let isCut = false;
  let isOther = false;
  let tail = new Uint8Array(0);
  const read = (into: Uint8Array, offset: number): number =>
    isCut ? 0 : readSync(fd, into, 0, into.length, offset);
  const growing = createGrowingTrace(path, { read });

  /** Up to where it is understood; what stands behind that may be torn, and be written otherwise. */
  const seen = (): number =>
    growing.trace?.index.goodBytes ?? (growing.damage === undefined ? 0 : size);

  function tailOf(end: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.min(TAIL_BYTES, end));
    return bytes.subarray(0, read(bytes, end - bytes.length));
  }

  return {
    id,
    growing,
    get size() {
      return size;
    },
    get isCut() {
      return isCut;
    },
    get isOther() {
      return isOther;
    },
    extend: () => {
      if (isCut) return;
      const bytes = fstatSync(fd).size;
      isCut = bytes < seen() || Buffer.compare(tailOf(seen()), tail) !== 0;
      if (isCut || growing.isEnded) return;
      size = bytes;
      isOther = growing.trace === undefined && size >= STREAM_MARK_BYTES && !isTrace(read);
      if (size > 0 && !isOther) growing.extend(size);
      tail = tailOf(seen());
    },
    endAt: (damaged) => {
      const isLeft = growing.endAt(damaged);
      // It is understood up to another place now.
      tail = tailOf(seen());
      return isLeft;
    },
    close: () => closeSync(fd),
  };
}

/** Whether a file has the name by now, and begins as no trace does. */
export function isNoTrace(path: string): boolean {
  let fd: number | undefined;
  try {
    if (!statSync(path).isFile()) return false;
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const file = fd;
    return (
      fstatSync(file).size >= STREAM_MARK_BYTES &&
      !isTrace((into, offset) => readSync(file, into, 0, into.length, offset))
    );
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    // Who follows it says what is wrong with it.
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

export function idOf({ dev, ino }: Stats): string {
  return `${dev} ${ino}`;
}

function isTrace(read: (into: Uint8Array, offset: number) => number): boolean {
  const head = new Uint8Array(STREAM_MARK_BYTES);
  read(head, 0);
  return isArrowStream(head);
}
