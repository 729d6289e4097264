/**
 * What a child prints, read some times a second and not at every line. Whoever waits for a pipe is woken by
 * each write to it, and bpftrace writes line by line: on a busy host those wake-ups cost several times what
 * the lines themselves do (`npm run bench:host`). So nobody waits; what has gathered is taken in turns, the
 * sooner the more there was.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '@vhostscope/trace';
import { childEnvironment } from '../child-environment.js';
import { createDeferred } from './deferred.js';
import { refusedByHost } from './refused-by-host.js';

export interface GatheredOutput {
  /** For the child's standard output; to be closed with `handedOver` when the child has it. */
  readonly childEnd: number;
  handedOver(): void;
  /**
   * Begins to read.
   *
   * @param onBytes is done with the bytes when it returns: the next ones come in the same memory
   */
  read(onBytes: (bytes: Uint8Array) => void): void;
  /** Reads nothing until `resume`: the pipe fills, and the child waits. */
  pause(): void;
  resume(): void;
  /** What is printed from now on nobody wants; it is read, so that the child can end. */
  discard(): void;
  /** The child is gone: reads what it has left, and closes. Resolves when that is done. */
  end(): Promise<void>;
  /** Resolves, before `end` does, with why nothing can be read any more, in words. What was read is good. */
  readonly failed: Promise<string>;
  /** The same; undefined while it can be read. */
  readonly failure: string | undefined;
}

/** Between two turns at most; what somebody who looks on waits for a line. */
const LONGEST_TURN_MS = 100;
const SHORTEST_TURN_MS = 1;

/** A pipe holds 64 KiB (pipe(7)), and a child that finds it full waits. */
const PIPE_BYTES = 65_536;

/** What a turn is to find: half of what the pipe holds, so that a burst finds room. */
const WANTED_BYTES = PIPE_BYTES / 2;

/**
 * Makes the pipe. The pipes of a child process as Node makes them are sockets, which a few hundred short
 * lines fill, so this is a FIFO; its name is gone when this returns.
 *
 * @param readSome reads what is there, as `readSync` does
 * @throws ProgramError when there is no place for it
 */
export function gatherOutput(readSome: ReadSome = readSync): GatheredOutput {
  const { ours, childEnd } = openFifo();
  const room = new Uint8Array(PIPE_BYTES);
  let onBytes: ((bytes: Uint8Array) => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isPaused = false;
  let isDiscarded = false;
  let turnMs = LONGEST_TURN_MS;
  let ended: (() => void) | undefined;
  let failure: string | undefined;
  const failed = createDeferred<string>();

  function turn(): void {
    timer = undefined;
    let bytes: number;
    try {
      bytes = readInto(readSome, ours, room);
    } catch (error) {
      fail(error);
      return;
    }
    if (bytes > 0) onBytes?.(room.subarray(0, bytes));
    else if (ended !== undefined) {
      // The child is gone, and all that it wrote is read.
      closeSync(ours);
      ended();
      return;
    }
    turnMs = nextTurn(turnMs, bytes);
    wait();
  }

  /** Nobody waits for this timer: what is thrown in it would end the program, and the trace with it. */
  function fail(error: unknown): void {
    failure = reasonOf(error);
    try {
      closeSync(ours);
    } catch {
      // Where it is no file any more there is nothing to be closed.
    }
    failed.resolve(failure);
    ended?.();
  }

  function wait(): void {
    if (failure !== undefined || isPaused || timer !== undefined || onBytes === undefined) return;
    timer = setTimeout(turn, ended === undefined ? turnMs : 0);
  }

  return {
    childEnd,
    handedOver: () => closeSync(childEnd),
    read: (listener) => {
      onBytes = listener;
      wait();
    },
    pause: () => {
      if (isDiscarded) return;
      isPaused = true;
      clearTimeout(timer);
      timer = undefined;
    },
    resume: () => {
      isPaused = false;
      wait();
    },
    discard: () => {
      onBytes = () => undefined;
      isPaused = false;
      isDiscarded = true;
      wait();
    },
    end: () =>
      new Promise((resolve) => {
        ended = resolve;
        if (failure !== undefined) resolve();
        clearTimeout(timer);
        timer = undefined;
        onBytes ??= () => undefined;
        wait();
      }),
    failed: failed.promise,
    get failure() {
      return failure;
    },
  };
}

type ReadSome = (fd: number, room: Uint8Array) => number;

/** How long to wait, in ms, after a turn that found so many bytes. */
export function nextTurn(turnMs: number, bytes: number): number {
  if (bytes === 0) return LONGEST_TURN_MS;
  const fitting = (turnMs * WANTED_BYTES) / bytes;
  return Math.min(LONGEST_TURN_MS, Math.max(SHORTEST_TURN_MS, fitting));
}

/** How many bytes were there to be read; 0 for none, whether or not more may come. */
function readInto(readSome: ReadSome, fd: number, room: Uint8Array): number {
  for (;;) {
    try {
      return readSome(fd, room);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EAGAIN') return 0;
      // A signal came first; what is there is there still.
      if (code !== 'EINTR') throw error;
    }
  }
}

function openFifo(): { ours: number; childEnd: number } {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'vhostscope-'));
    try {
      const path = join(folder, 'lines');
      const { error, status, stderr } = spawnSync('mkfifo', ['-m', '600', path], {
        env: childEnvironment(),
      });
      if (error !== undefined) throw error;
      if (status !== 0) throw new Error(stderr.toString().trim());
      const ours = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return { ours, childEnd: openSync(path, constants.O_WRONLY) };
      } catch (reason) {
        closeSync(ours);
        throw reason;
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch (error) {
    throw refusedByHost(
      `cannot make a pipe for what is recorded in ${tmpdir()}`,
      error,
      'it takes mkfifo (coreutils), and a folder that can be written to: TMPDIR names another',
    );
  }
}
