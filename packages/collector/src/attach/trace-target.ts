/** Where the trace of a recording goes: a file, or standard output. */
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { ProgramError } from '@vhostscope/terminal';
import { fileOutput, writing, written, type TraceOutput } from '@vhostscope/trace';
import { openOutput } from '../output-file.js';

export interface TraceTarget {
  /** As it was asked for: `-` is standard output; undefined when there is none. */
  readonly path: string | undefined;
  /** What it is called in messages; undefined when there is nothing to speak of. */
  readonly name: string | undefined;
  /** Throws OutputError. */
  readonly output: TraceOutput;
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
  output: {
    append: (_parts, _bytes, onWritten) => onWritten?.(),
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
    append: (parts, bytes, onWritten) => {
      copy.append(parts, bytes);
      output.append(parts, bytes, onWritten);
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
    begin: () => file.giveName(),
    close: () => file.close(),
  };
}

function namingErrors(name: string, output: TraceOutput): TraceOutput {
  return {
    ...output,
    append: (parts, bytes, onWritten) =>
      writing(name, () => output.append(parts, bytes, onWritten)),
    settle: () => written(name, output.settle()),
  };
}

const STANDARD_OUTPUT = { ...NO_DUTIES, path: '-', name: 'standard output' };

function openStandardOutput(onGone: () => void): TraceTarget {
  if (process.stdout.isTTY) {
    throw new ProgramError('a trace is no text: it does not go to a terminal', {
      advice: 'send it to a program or a file, as in: collector attach -o - | replay run -',
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
  let isGone = false;
  pipe.on('error', () => {
    isGone = true;
    onGone();
  });
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      pipe.once('drain', resolve).once('error', () => resolve());
    });
  return {
    ...STANDARD_OUTPUT,
    output: {
      append: (parts, bytes, onWritten) => {
        // The parts are the writer's memory, which it goes on to use.
        if (!isGone) pipe.write(Buffer.concat(parts, bytes));
        onWritten?.();
      },
      keepPace: () => (!isGone && pipe.writableLength > MAX_WAITING_BYTES ? drained() : undefined),
      settle: () => (isGone || pipe.writableLength === 0 ? Promise.resolve() : drained()),
      abandon: () => Promise.resolve(),
      cutBack: () => undefined,
    },
    close: () => pipe.destroy(),
  };
}
