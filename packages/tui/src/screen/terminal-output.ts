/**
 * Writes to the terminal and is not held up by it: a slow one, as behind a bad line, takes a frame piece by piece,
 * and the trace is read on meanwhile. Node itself waits for terminals.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';

export interface TerminalOutput {
  /** Not all is written yet: what is drawn now would only wait. */
  readonly isBusy: boolean;
  write(text: string): void;
  /** Waits until all is written, but not for a terminal that takes nothing any more. */
  flush(): void;
  /** What is not written yet will not be. */
  drop(): void;
  close(): void;
}

/** Between two looks at a terminal that is full, ms. */
const AGAIN_MS = 10;
/** A terminal that takes nothing for so long is not waited for, ms. */
const PATIENCE_MS = 5000;

const STDOUT = 1;

/** @param onGone nothing can be written to it any more */
export function openTerminalOutput(
  onGone: () => void,
  path = `/proc/self/fd/${STDOUT}`,
): TerminalOutput {
  const own = openWithoutWaiting(path);
  const fd = own ?? STDOUT;
  let waiting = new Uint8Array(0);
  let timer: NodeJS.Timeout | undefined;

  /** As much as the terminal takes. Returns whether it took something. */
  function writeSome(): boolean {
    if (waiting.length === 0) return false;
    try {
      waiting = waiting.subarray(writeSync(fd, waiting));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false;
      waiting = new Uint8Array(0);
      onGone();
      return false;
    }
  }

  function goOn(): void {
    timer = undefined;
    while (writeSome());
    if (waiting.length > 0) timer = setTimeout(goOn, AGAIN_MS);
  }

  function drop(): void {
    clearTimeout(timer);
    timer = undefined;
    waiting = new Uint8Array(0);
  }

  return {
    get isBusy() {
      return waiting.length > 0;
    },
    write: (text) => {
      waiting = Buffer.concat([waiting, Buffer.from(text)]);
      if (timer === undefined) goOn();
    },
    flush: () => {
      const sleep = new Int32Array(new SharedArrayBuffer(4));
      for (let idle = 0; waiting.length > 0 && idle < PATIENCE_MS;) {
        if (writeSome()) idle = 0;
        else if (waiting.length > 0) {
          Atomics.wait(sleep, 0, 0, AGAIN_MS);
          idle += AGAIN_MS;
        }
      }
    },
    drop,
    close: () => {
      drop();
      if (own !== undefined) closeSync(own);
    },
  };
}

/**
 * The terminal opened once more: whether one waits for it is a matter of who has opened it, and others have it
 * from the same shell. Undefined where that is not allowed, as after su.
 */
function openWithoutWaiting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}
