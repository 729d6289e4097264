/**
 * Writes a trace into the spool of its run: what is appended while a write is under way is cut into pieces
 * together, and written behind it. A piece that is whole in the spool stays.
 */
import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync, writev } from 'node:fs';
import { join } from 'node:path';
import {
  endOfStream,
  OutputError,
  reasonOf,
  writeFully,
  type TraceOutput,
} from '@vhostscope/trace';
import { cutPieces, type Appended } from './cut-pieces.js';
import { linkOf, MAX_PIECE_BYTES, type Piece } from './piece.js';
import type { SpoolBudget } from './spool-budget.js';
import { FRAME_HEADER_BYTES, frameOf } from './spool-frames.js';
import { segmentName, startOfSpool, stateBehind, type SpoolState } from './spool-place.js';
import type { RunName } from './fleet-url.js';

export interface SpoolWriter {
  readonly output: TraceOutput;
  /** Up to where the spool holds whole pieces that stay. */
  readonly whole: SpoolState;
  /** Whether the trace's own end is among them. */
  readonly isClosed: boolean;
  /** Called whenever `whole` has moved on. */
  onGrown: () => void;
  /** Asked by `keepPace`, beside what waits to be written. */
  pace: () => Promise<void> | undefined;
  /** Writes the last piece, when nothing is being written any more. @throws OutputError */
  end(): void;
  close(): void;
}

export interface SpoolWriterOptions {
  readonly folder: string;
  readonly name: RunName;
  readonly budget: SpoolBudget;
  readonly segmentBytes: number;
  /** Kept on the disk for the end of the trace. */
  readonly reserveBytes: number;
}

/** A file of the spool is deleted when all of it is acknowledged: so much more than needed may stay. */
export const SEGMENT_BYTES = 1 << 24;
/** What is written at once. */
const BLOCK_BYTES = 1 << 22;
/** So much may wait before the program should. */
const ENOUGH_WAITING_BYTES = 1 << 23;
/** More than the end of a trace takes, with all the virtqueues that it can have. */
export const RESERVE_BYTES = 1 << 21;
const RESERVE = 'reserve';

interface Queued extends Appended {
  readonly onWritten: (() => void) | undefined;
}

/** @throws OutputError */
export function createSpoolWriter(options: SpoolWriterOptions): SpoolWriter {
  const { folder, name, budget, segmentBytes, reserveBytes } = options;
  const mark = Buffer.from(endOfStream());
  const queue: Queued[] = [];
  const onIdle: (() => void)[] = [];
  let waitingBytes = 0;
  let isWriting = false;
  let failure: OutputError | undefined;
  let whole = startOfSpool(name);
  let isClosed = false;
  let fd = openSegment(0);
  keepReserve();

  function openSegment(segment: number): number {
    return refusing(() => openSync(join(folder, segmentName(segment)), 'wx', 0o600));
  }

  /** A full disk has this much room for the end: other data, so that no file system makes it small. */
  function keepReserve(): void {
    const bytes = Buffer.alloc(reserveBytes);
    for (let at = 0; at + 4 <= bytes.length; at += 4)
      bytes.writeInt32LE(Math.imul(at + 1, 0x9e3779b1), at);
    refusing(() => writeFileSync(join(folder, RESERVE), bytes, { mode: 0o600 }));
  }

  function refusing<Result>(write: () => Result): Result {
    try {
      return write();
    } catch (error) {
      throw cannotSpool(folder, error);
    }
  }

  function rotate(): void {
    if (whole.place.position < segmentBytes) return;
    const segment = whole.place.segment + 1;
    // While it cannot be made the one before stays open: what is cut back then is cut in that.
    const next = openSegment(segment);
    closeSync(fd);
    fd = next;
    whole = { ...whole, place: { segment, position: 0 } };
  }

  /** Writes what waits, or a good part of it. */
  function writeNext(): void {
    if (queue.length === 0) {
      isWriting = false;
      for (const resolve of onIdle.splice(0)) resolve();
      return;
    }
    let bytes = 0;
    let taken = 0;
    while (taken < queue.length && (taken === 0 || bytes + queue[taken].bytes <= BLOCK_BYTES))
      bytes += queue[taken++].bytes;
    const block = queue.splice(0, taken);
    try {
      rotate();
    } catch (error) {
      return written(block, [], 0, error);
    }
    const frames = framesOf(block);
    const all = frames.map(({ frame }) => frame);
    writev(fd, all, whole.place.position, (error, done) => {
      if (error !== null) return written(block, frames, 0, error);
      const wanted = all.reduce((sum, frame) => sum + frame.length, 0);
      let total = done;
      try {
        // A full disk takes less than it is given, and refuses the rest.
        if (done < wanted) total = writeRest(all, done, wanted);
      } catch (thrown) {
        return written(block, frames, done, thrown);
      }
      written(block, frames, total, undefined);
    });
  }

  function writeRest(frames: readonly Uint8Array[], from: number, wanted: number): number {
    const rest = Buffer.concat(frames, wanted).subarray(from);
    writeFully(fd, rest, whole.place.position + from);
    return wanted;
  }

  function framesOf(block: readonly Queued[]): Frame[] {
    let state = whole;
    return cutPieces(block, MAX_PIECE_BYTES).map(({ parts, bytes, whole: appended }) => {
      const piece = nextPiece(state, 'data', Buffer.concat(parts, bytes));
      const frame = frameOf(piece);
      state = stateBehind(piece, {
        segment: state.place.segment,
        position: state.place.position + frame.length,
      });
      return { frame, appended, state };
    });
  }

  /** So many bytes of a block are in the file. */
  function written(
    block: readonly Queued[],
    frames: readonly Frame[],
    done: number,
    error: unknown,
  ): void {
    let end = 0;
    let appended = 0;
    for (const frame of frames) {
      end += frame.frame.length;
      if (end > done) break;
      // Nothing in the middle of an appended one counts: it may still be given up.
      if (frame.appended === undefined) continue;
      appended = frame.appended;
      whole = frame.state;
    }
    for (const { bytes } of block) waitingBytes -= bytes;
    const last = block[appended - 1];
    if (last !== undefined) isClosed = isEndMark(last, mark);
    for (const { onWritten } of block.slice(0, appended)) onWritten?.();
    if (error !== undefined) {
      failure = cannotSpool(folder, error);
      for (const { bytes } of queue) waitingBytes -= bytes;
      queue.length = 0;
    }
    if (appended > 0) writer.onGrown();
    writeNext();
  }

  const abandon = async (): Promise<void> => {
    if (isWriting) await new Promise<void>((resolve) => onIdle.push(resolve));
  };

  const output: TraceOutput = {
    append: (parts, bytes, fate) => {
      if (failure !== undefined) throw failure;
      const withFrames = bytes + FRAME_HEADER_BYTES * Math.ceil(bytes / MAX_PIECE_BYTES);
      const refusal = budget.take(withFrames);
      if (refusal !== undefined) throw (failure = refusal);
      queue.push({ parts, bytes, onWritten: fate?.onWritten });
      waitingBytes += bytes;
      if (isWriting) return;
      isWriting = true;
      // What is appended in one go is cut into pieces together.
      setImmediate(writeNext);
    },
    keepPace: () => (waitingBytes > ENOUGH_WAITING_BYTES ? abandon() : writer.pace()),
    settle: async () => {
      await abandon();
      if (failure !== undefined) throw failure;
    },
    abandon,
    // What is whole may be on the server already and is never taken back: room is kept instead.
    cutBack: () => {
      ftruncateSync(fd, whole.place.position);
      rmSync(join(folder, RESERVE), { force: true });
      budget.openReserve();
      failure = undefined;
    },
  };

  const writer: SpoolWriter = {
    output,
    get whole() {
      return whole;
    },
    get isClosed() {
      return isClosed;
    },
    onGrown: () => undefined,
    pace: () => undefined,
    end: () => {
      rmSync(join(folder, RESERVE), { force: true });
      whole = writeEnd(folder, fd, whole, isClosed ? 'closed' : 'cut');
      writer.onGrown();
    },
    close: () => closeSync(fd),
  };
  return writer;
}

interface Frame {
  readonly frame: Uint8Array;
  /** How many of the appended are whole with it; undefined in the middle of one. */
  readonly appended: number | undefined;
  /** Behind it. */
  readonly state: SpoolState;
}

/** Writes the last piece of a run behind what is whole of it. @throws OutputError */
export function writeEnd(
  folder: string,
  fd: number,
  state: SpoolState,
  kind: 'closed' | 'cut',
): SpoolState {
  const piece = nextPiece(state, kind, new Uint8Array(0));
  const frame = frameOf(piece);
  const { segment, position } = state.place;
  try {
    ftruncateSync(fd, position);
    writeFully(fd, frame, position);
  } catch (error) {
    throw cannotSpool(folder, error);
  }
  return stateBehind(piece, { segment, position: position + frame.length });
}

function nextPiece(
  { seq, offset, link }: SpoolState,
  kind: Piece['kind'],
  bytes: Uint8Array,
): Piece {
  const head = { kind, seq, offset };
  return { ...head, bytes, link: linkOf(link, head, [bytes]) };
}

function isEndMark({ parts, bytes }: Appended, mark: Uint8Array): boolean {
  return bytes === mark.length && Buffer.concat(parts).equals(mark);
}

function cannotSpool(folder: string, error: unknown): OutputError {
  if (error instanceof OutputError) return error;
  return new OutputError(`cannot write the spool ${folder}: ${reasonOf(error)}`);
}
