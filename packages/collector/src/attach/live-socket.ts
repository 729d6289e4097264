/**
 * The trace as a live stream on a Unix socket: whoever connects gets a trace that begins with the state
 * of that moment. Readers cost the recording nothing but memory, and little of that.
 */
import { chmodSync, closeSync, existsSync, lstatSync, openSync, rmSync, type Stats } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { ProgramError, socketPathFlaw } from '@vhostscope/terminal';
import {
  joinTrace,
  leaveTrace,
  OutputError,
  reasonOf,
  type JoinedStream,
  type RingState,
  type TraceOutput,
  type TraceWriter,
} from '@vhostscope/trace';

export interface LiveSocket {
  /** Gets all that the trace gets. */
  readonly output: Pick<TraceOutput, 'append'>;
  /** Readers that were dropped because they did not keep up. */
  readonly dropped: number;
  /** From now on there is something to read. */
  serve(writer: TraceWriter, state: RingState): void;
  /** Ends all streams, before the trace ends itself. */
  end(): void;
  /** Whether anybody is connected. */
  isRead(): boolean;
  /** Nobody can connect any more, and the socket's file is gone. */
  close(): void;
}

/** What may wait for a reader before it is dropped: some seconds of a busy host. */
const MAX_WAITING_BYTES = 32 << 20;
const MAX_READERS = 64;
/** Readers get so long to take what still waits for them when the recording is over. */
const LINGER_MS = 1000;

/** More than a recording opens at a time while it goes on and ends: to read a clock, or what the kernel counted. */
const SPARE_FILES = 8;

interface Source {
  readonly writer: TraceWriter;
  readonly state: RingState;
}

/**
 * Begins to listen. A socket that nobody listens on any more is replaced.
 *
 * @throws ProgramError, OutputError when it cannot
 */
export async function openLiveSocket(path: string): Promise<LiveSocket> {
  checkPath(path);
  await removeStale(path);
  const readers = new Map<Socket, JoinedStream>();
  let source: Source | undefined;
  let dropped = 0;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => readers.delete(socket));
    if (source === undefined || readers.size >= MAX_READERS || !leavesRoom()) {
      socket.destroy();
      return;
    }
    // Nothing that they may say is for us.
    socket.resume();
    const joined = tryToJoin(source);
    if (joined === undefined) {
      socket.destroy();
      return;
    }
    socket.write(joined.head);
    readers.set(socket, joined);
  });
  await listen(server, path);
  return {
    output: {
      append: (parts, bytes) => {
        if (readers.size === 0) return;
        // The parts are the writer's memory, which it goes on to use.
        const copy = Buffer.concat(parts, bytes);
        for (const socket of readers.keys()) {
          if (socket.writableLength > MAX_WAITING_BYTES) {
            dropped++;
            readers.delete(socket);
            socket.destroy();
          } else socket.write(copy);
        }
      },
    },
    get dropped() {
      return dropped;
    },
    serve: (writer, state) => {
      source = { writer, state };
    },
    isRead: () => readers.size > 0,
    end: () => {
      for (const [socket, joined] of readers) {
        if (source !== undefined) socket.end(leaveTrace(source.writer, joined));
        setTimeout(() => socket.destroy(), LINGER_MS).unref();
      }
      readers.clear();
      source = undefined;
    },
    close: () => {
      server.close();
      // Of a recording that ended as it should none is left by now; else they would keep the program.
      for (const socket of readers.keys()) socket.destroy();
      rmSync(path, { force: true });
    },
  };
}

/** Whether there are files left that the recording may have to open. */
function leavesRoom(): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < SPARE_FILES) opened.push(openSync('/dev/null', 'r'));
    return true;
  } catch {
    return false;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** @returns undefined when the output takes no more: the recording is ending, and says why itself */
function tryToJoin({ writer, state }: Source): JoinedStream | undefined {
  try {
    return joinTrace(writer, state);
  } catch (error) {
    if (error instanceof OutputError) return undefined;
    throw error;
  }
}

/** For its owner only, from the first moment on. */
async function listen(server: Server, path: string): Promise<void> {
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(path, () => resolve());
    });
    // A connection that cannot be taken costs nobody the recording.
    server.on('error', () => undefined);
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    throw cannotListen(path, error);
  } finally {
    process.umask(umask);
  }
}

/** What the system says of these is something else: a path that is too long is cut off, and no folder forbidden. */
function checkPath(path: string): void {
  const flaw = socketPathFlaw(path);
  if (flaw !== undefined)
    throw new ProgramError(`cannot listen on ${path}: ${flaw}`, {
      advice: 'name another --socket',
    });
  if (!existsSync(dirname(path)))
    throw new OutputError(`cannot listen on ${path}: its folder does not exist`);
}

async function removeStale(path: string): Promise<void> {
  const status = statusOf(path);
  if (status === undefined) return;
  if (!status.isSocket())
    throw new ProgramError(`${path} exists and is no socket`, { advice: 'name another --socket' });
  if (await isListenedOn(path)) {
    throw new ProgramError(`somebody listens on ${path} already`, {
      advice: 'name another --socket, or end the other recording',
    });
  }
  rmSync(path, { force: true });
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw cannotListen(path, error);
  }
}

function cannotListen(path: string, error: unknown): OutputError {
  return new OutputError(`cannot listen on ${path}: ${reasonOf(error)}`);
}

/** @throws OutputError when that cannot be told: it is somebody's then, for all that is known */
async function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      // So many wait to be let in that no other can.
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(cannotListen(path, error));
    });
  });
}
