/**
 * Where an export goes: a file that gets its name only when it is whole, or standard output. Formats write
 * whenever they like; between two runs of events the export waits until what they wrote is on its way.
 */
import { write } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isReaderGone } from '@vhostscope/terminal';
import { openNewFile, OutputError, reasonOf } from '@vhostscope/trace';

export interface ExportOutput {
  /** Bytes that were written so far. */
  readonly bytes: number;
  /** Takes bytes over: they must not change afterwards. */
  write(bytes: Uint8Array): void;
  /** Waits for what was written where that is much, or when others have waited long; see visitTraceAtPace. */
  pause(): Promise<void> | undefined;
  /** All is written: gives the file its name. */
  finish(): Promise<void>;
  /** Removes what was begun; does nothing after `finish`. */
  discard(): void;
}

/** Whoever read standard output has seen enough. */
export class ReaderGone extends Error {
  override name = 'ReaderGone';
}

/** The user wants the export to end. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** From so many bytes on the export waits for its output. */
const FULL = 1 << 18;
/** Signals are heard at least this often. */
const BREATH_MS = 50;

interface Target {
  append(bytes: Uint8Array): Promise<void>;
  finish(): void;
  discard(): void;
}

/**
 * Opens the output; `-` is standard output.
 *
 * @throws OutputError when it cannot be written
 */
export function openExportOutput(path: string, signal: AbortSignal): ExportOutput {
  const target = path === '-' ? standardOutput() : openFile(path);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let bytes = 0;
  let breathed = performance.now();
  const drain = async (): Promise<void> => {
    const pieces = waiting;
    waiting = [];
    waitingBytes = 0;
    for (const piece of pieces) await target.append(piece);
    // Files and pipes may be written without the loop being left: signals are heard only then.
    await setImmediate();
    breathed = performance.now();
    if (signal.aborted) throw new Interrupted();
  };
  return {
    get bytes() {
      return bytes;
    },
    write: (piece) => {
      waiting.push(piece);
      waitingBytes += piece.length;
      bytes += piece.length;
    },
    pause: () =>
      waitingBytes >= FULL || performance.now() - breathed > BREATH_MS ? drain() : undefined,
    finish: async () => {
      await drain();
      target.finish();
    },
    discard: () => target.discard(),
  };
}

function standardOutput(): Target {
  return {
    append: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => {
          if (error === undefined || error === null) resolve();
          else if (isReaderGone(error)) reject(new ReaderGone());
          else reject(new OutputError(`cannot write standard output: ${reasonOf(error)}`));
        });
      }),
    finish: () => undefined,
    discard: () => undefined,
  };
}

const writeSome = promisify(write);

function openFile(path: string): Target {
  const file = openNewFile(path);
  return {
    append: async (bytes) => {
      for (let at = 0; at < bytes.length;) {
        try {
          at += (await writeSome(file.fd, bytes, at, bytes.length - at, null)).bytesWritten;
        } catch (error) {
          if (isReaderGone(error)) throw new ReaderGone();
          throw new OutputError(`cannot write ${path}: ${reasonOf(error)}`);
        }
      }
    },
    finish: () => {
      file.giveName();
      file.close();
    },
    discard: () => file.close(),
  };
}
