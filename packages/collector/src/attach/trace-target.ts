/** Where the trace of a recording or an import goes: a file, or standard output. */
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { isReaderGone, ProgramError } from '@vhostscope/terminal';
import { fileOutput, writing, written, type TraceOutput } from '@vhostscope/trace';
import { openOutput, stays } from '../output-file.js';
import { createDeferred, type Deferred } from './deferred.js';

export interface TraceTarget {
  /** As it was asked for: `-` is standard output; undefined when there is none. */
  readonly path: string | undefined;
  /** What it is called in messages; undefined when there is nothing to speak of. */
  readonly name: string | undefined;
  /** Throws OutputError. */
  readonly output: TraceOutput;
  /** Whether what is written stands where it was asked for. */
  readonly isNamed: boolean;
  /** Whether it can be read there when its writer fails. */
  readonly stays: boolean;
  /** The recording begins: a file gets its name. */
  begin(): void;
  /** Lets go of it, when nothing is being written any more; a file without a name is removed. */
  close(): void;
}

/**
 * @param path `-` is standard output; undefined for none
 * @param onGone the reader of the pipe is gone
 */
export function openTarget(
  path: string | undefined,
  overwrite: boolean,
  onGone: () => void,
): TraceTarget {
  if (path === undefined) return NO_TARGET;
  return path === '-' ? openStandardOutput(onGone) : openFile(path, overwrite);
}

const NO_DUTIES = {
  begin: () => undefined,
  close: () => undefined,
};

/** The trace goes to a socket only. */
const NO_TARGET: TraceTarget = {
  ...NO_DUTIES,
  path: undefined,
  name: undefined,
  isNamed: false,
  stays: false,
  output: {
    append: (_parts, _bytes, fate) => fate?.onWritten?.(),
    keepPace: () => undefined,
    settle: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
    cutBack: () => undefined,
  },
};

/** What one output gets goes to another, too. */
export function withCopy(output: TraceOutput, copy: Pick<TraceOutput, 'append'>): TraceOutput {
  return {
    ...output,
    append: (parts, bytes, fate) => {
      copy.append(parts, bytes);
      output.append(parts, bytes, fate);
    },
  };
}

function openFile(path: string, overwrite: boolean): TraceTarget {
  const file = openOutput(path, overwrite);
  return {
    ...NO_DUTIES,
    path,
    name: path,
    output: namingErrors(path, fileOutput(file.fd, true)),
    get isNamed() {
      return file.isNamed;
    },
    get stays() {
      return stays(file);
    },
    begin: () => file.giveName(),
    close: () => file.close(),
  };
}

/** What is refused names what it was to go to. */
export function namingErrors(name: string, output: TraceOutput): TraceOutput {
  return {
    ...output,
    append: (parts, bytes, fate) => writing(name, () => output.append(parts, bytes, fate)),
    settle: () => written(name, output.settle()),
    cutBack: (room) => writing(name, () => output.cutBack(room)),
  };
}

const STANDARD_OUTPUT = {
  ...NO_DUTIES,
  path: '-',
  name: 'standard output',
  isNamed: true,
  stays: false,
};

function openStandardOutput(onGone: () => void): TraceTarget {
  if (process.stdout.isTTY) {
    throw new ProgramError('a trace is no text: it does not go to a terminal', {
      advice: 'send it to a program or a file, as in: collector … -o - | replay run -',
    });
  }
  const status = fstatSync(1);
  if (status.isFIFO() || status.isSocket()) return openPipe(onGone);
  return { ...STANDARD_OUTPUT, output: namingErrors(STANDARD_OUTPUT.name, fileOutput(1, false)) };
}

/** What may wait for a slow reader; a full batch of events has half a megabyte. */
const MAX_WAITING_BYTES = 16 << 20;

/** A pipe is written without waiting: signals are heard however slow its reader is. */
function openPipe(onGone: () => void): TraceTarget {
  const pipe = new Socket({ fd: 1, readable: false, writable: true });
  return {
    ...STANDARD_OUTPUT,
    output: namingErrors(STANDARD_OUTPUT.name, pipeOutput(pipe, onGone)),
    close: () => pipe.destroy(),
  };
}

/**
 * Writes into a stream; what does not go out at once waits in memory. What is refused shows at the next piece, or
 * when it is settled.
 *
 * @param onGone the reader is gone: all that waited is dropped, and so is all that comes
 */
export function pipeOutput(pipe: Writable, onGone: () => void): TraceOutput {
  let isGone = false;
  /** What else became of a write. Nothing can follow what is torn. */
  let failure: Error | undefined;
  /** Writes that are not done. A 'drain' would not come where less waits than the pipe holds back. */
  let pending = 0;
  let settled: Deferred<void> | undefined;
  let paced: Deferred<void> | undefined;
  const isOver = (): boolean => isGone || failure !== undefined;
  const look = (): void => {
    if (isOver() || pipe.writableLength <= MAX_WAITING_BYTES) {
      paced?.resolve();
      paced = undefined;
    }
    if (!isOver() && pending > 0) return;
    settled?.resolve();
    settled = undefined;
  };
  const fail = (error: Error): void => {
    if (isOver()) return;
    if (!isReaderGone(error)) failure = error;
    else {
      isGone = true;
      onGone();
    }
    look();
  };
  const onDone = (error?: Error | null): void => {
    pending--;
    // Told here before it is told of the pipe: nobody shall take this for settled.
    if (error) fail(error);
    look();
  };
  pipe.on('error', fail);
  return {
    append: (parts, bytes, fate) => {
      if (failure !== undefined) throw failure;
      if (!isGone) {
        pending++;
        // The parts are the writer's memory, which it goes on to use.
        pipe.write(Buffer.concat(parts, bytes), onDone);
      }
      fate?.onWritten?.();
    },
    keepPace: () => {
      if (isOver() || pipe.writableLength <= MAX_WAITING_BYTES) return undefined;
      paced ??= createDeferred();
      return paced.promise;
    },
    settle: async () => {
      if (!isOver() && pending > 0) {
        settled ??= createDeferred();
        await settled.promise;
      }
      if (failure !== undefined) throw failure;
    },
    abandon: () => Promise.resolve(),
    cutBack: () => undefined,
  };
}
