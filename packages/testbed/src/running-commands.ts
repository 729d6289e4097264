/** Commands in the guest: started through the agent, several at a time. */
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { createAgentReader, runMessage, signalMessage } from './agent-protocol.js';
import { hostError } from './host-error.js';

export interface RunOptions {
  /** Milliseconds after which the command is killed and `ended` rejects. Default: none. */
  readonly timeout?: number;
  /** Folder of the guest to run in. Default: that of this process, as the guest has the same files. */
  readonly cwd?: string;
  readonly onStdout?: (bytes: Buffer) => void;
  readonly onStderr?: (bytes: Buffer) => void;
  /** What `onStdout` and `onStderr` took is not kept for the result: for output without end. */
  readonly discard?: boolean;
}

export interface RunResult {
  /** Exit code, or 128 and the number of the signal that ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export interface RunningCommand {
  /** Sends a signal to all that the command started, as Ctrl-C does, or to its shell alone. */
  readonly signal: (name: NodeJS.Signals, to?: 'group' | 'shell') => void;
  readonly ended: Promise<RunResult>;
}

interface Entry {
  readonly command: string;
  readonly options: RunOptions;
  readonly stdout: Buffer[];
  readonly stderr: Buffer[];
  resolve(result: RunResult): void;
  reject(error: Error): void;
}

export interface RunningCommands {
  start(command: string, options?: RunOptions): RunningCommand;
  /** Resolves when the agent is there. */
  readonly ready: Promise<void>;
  /** The guest is gone: all that waits for it fails, and all that comes. */
  fail(error: Error): void;
}

/** Speaks with the agent over a port. */
export function createRunningCommands(port: Duplex): RunningCommands {
  const entries = new Map<number, Entry>();
  const { promise: ready, resolve: setReady, reject: setFailed } = withResolvers();
  let nextId = 1;
  let failure: Error | undefined;

  const read = createAgentReader();
  port.on('data', (chunk: Buffer) => {
    for (const message of read(chunk)) {
      if (message.type === 'ready') setReady();
      else {
        const entry = entries.get(message.id);
        // It may have been given up.
        if (entry === undefined) continue;
        if (message.type === 'ended') {
          entries.delete(message.id);
          entry.resolve(resultOf(entry, message.status));
        } else {
          const { onStdout, onStderr, discard } = entry.options;
          if (discard !== true) entry[message.type].push(message.bytes);
          (message.type === 'stdout' ? onStdout : onStderr)?.(message.bytes);
        }
      }
    }
  });
  // What happened to the other side is told by its end.
  port.on('error', () => undefined);

  return {
    ready,
    fail(error) {
      failure = error;
      setFailed(error);
      for (const entry of entries.values()) entry.reject(error);
      entries.clear();
    },
    start(command, options = {}) {
      const id = nextId;
      nextId += 1;
      const signal: RunningCommand['signal'] = (name, to = 'group') => {
        if (entries.has(id)) port.write(signalMessage(id, constants.signals[name], to));
      };
      const ended = new Promise<RunResult>((resolve, reject) => {
        if (failure !== undefined) throw failure;
        entries.set(id, { command, options, stdout: [], stderr: [], resolve, reject });
        port.write(runMessage(id, options.cwd ?? process.cwd(), command));
      });
      return { signal, ended: limited(ended, options.timeout, () => timeOut(id, signal)) };
    },
  };

  function timeOut(id: number, signal: RunningCommand['signal']): void {
    const entry = entries.get(id);
    if (entry === undefined) return;
    signal('SIGKILL');
    entries.delete(id);
    const said = resultOf(entry, 0);
    entry.reject(
      hostError(
        `the test host did not end this within ${(entry.options.timeout ?? 0) / 1000} s: ` +
          `${entry.command}; it had said: ${lastPart(said.stdout + said.stderr)}`,
      ),
    );
  }
}

function resultOf(entry: Entry, status: number): RunResult {
  return {
    status,
    stdout: Buffer.concat(entry.stdout).toString(),
    stderr: Buffer.concat(entry.stderr).toString(),
  };
}

/** Enough to see what something was doing. */
function lastPart(text: string): string {
  return text.trim() === '' ? 'nothing' : text.trim().slice(-500);
}

async function limited<T>(
  work: Promise<T>,
  milliseconds: number | undefined,
  onTimeout: () => void,
): Promise<T> {
  if (milliseconds === undefined) return work;
  const timer = setTimeout(onTimeout, milliseconds);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

function withResolvers(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
} {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  // Whoever waits hears of it; nobody has to wait.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
