/** The socket of a recorder: tried until somebody listens there, and again when it went away. */
import { connect, type Socket } from 'node:net';
import { socketPathFlaw } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';
import type { Source } from './source.js';
import {
  createSpooledStream,
  MOST_PASSING,
  WAITS_FOR_SCREEN,
  type SpooledStream,
} from './spooled-stream.js';

/** ms between two attempts. */
const TRY_EVERY = 1000;
/** Bytes that are read at once: what a socket holds, about. */
const READ_BYTES = 1 << 18;

export function followSocket(path: string, most: number, mostPassing = MOST_PASSING): Source {
  let stream: SpooledStream | undefined;
  let socket: Socket | undefined;
  let trouble: string | undefined;
  let isGone = false;
  /** There was no room to keep what came. */
  let isFull = false;
  let isStopped = false;
  /** Streams before the one at hand, which may still be on the screen; and whether they are not any more. */
  const retired: SpooledStream[] = [];
  let isShown = false;
  /** It was not read for a time, as the screen was behind. */
  let hasWaited = false;
  let clock = 0;
  let triedAt = -Infinity;
  let connections = 0;
  /** The same memory at each read: what is new each time is paid for once more when it is collected. */
  const memory = new Uint8Array(READ_BYTES);

  /** What comes is another trace: it takes the place of the one before when there is something to show of it. */
  function adopt(own: SpooledStream): void {
    if (stream !== undefined) retired.push(stream);
    stream = own;
    isShown = false;
    connections++;
    isGone = false;
    isFull = false;
    hasWaited = false;
    trouble = undefined;
  }

  function tryToConnect(): void {
    let own: SpooledStream | undefined;
    const take = (bytes: Uint8Array): void => {
      // What is under way when it was destroyed.
      if (trial.destroyed) return;
      try {
        own ??= createSpooledStream(path, most, mostPassing);
        own.push(bytes);
        if (own.isBehind) {
          trial.pause();
          hasWaited = true;
        }
        if (own === stream) return;
        own.refresh(clock);
        if (stream === undefined || hasRecording(own)) adopt(own);
        else if (own.growing.damage !== undefined) {
          trouble = `${path}: ${own.growing.damage}`;
          trial.destroy();
        }
      } catch (error) {
        // No room to keep it: the recorder is not held up by that, and what there is stays.
        trouble = reasonOf(error);
        isFull = true;
        trial.destroy();
      }
    };
    const trial = connect({
      path,
      onread: {
        buffer: memory,
        callback: (length) => {
          take(memory.subarray(0, length));
          return true;
        },
      },
    });
    socket = trial;
    trial.on('error', (error) => {
      trouble = `cannot read ${path}: ${reasonOf(error)}; tried again every second`;
    });
    trial.on('close', () => {
      if (socket === trial) socket = undefined;
      if (own === undefined)
        trouble ??= `${path} was closed before anything came; tried again every second`;
      else if (own !== stream) own.close();
      else if (!isStopped) {
        own.end({ damage: undefined, interrupted: false });
        isGone = true;
      }
    });
  }

  const isEnded = (): boolean => stream?.growing.isEnded === true;

  return {
    name: path,
    kind: 'socket',
    get state() {
      if (stream === undefined) return 'waiting';
      if (isEnded()) return 'ended';
      return isGone || stream.growing.damage !== undefined ? 'gone' : 'reading';
    },
    get problems() {
      const damage = stream?.growing.damage;
      return [
        ...(stream?.isBehind === true ? [WAITS_FOR_SCREEN] : []),
        ...(trouble === undefined ? [] : [trouble]),
        ...(damage === undefined ? [] : [`${path}: ${damage}`]),
        ...(isGone && !isEnded() && !isFull && damage === undefined
          ? [
              `${path} went away before the recording ended${hasWaited ? ', maybe as the screen did not keep pace' : ''}; tried again every second while it is followed`,
            ]
          : []),
        ...(connections > 1
          ? ['the recorder went away and came back: what was before is not shown any more']
          : []),
        ...(stream?.growing.completeness?.problems ?? []),
      ];
    },
    get trace() {
      return stream?.growing.trace;
    },
    lost: undefined,
    isFinished: false,
    isText: false,
    get completeness() {
      return stream?.growing.completeness;
    },
    get kept() {
      return stream?.kept ?? { bytes: 0, most };
    },
    get keptBytes() {
      return stream?.keptBytes;
    },
    get isBehind() {
      return stream?.isBehind ?? false;
    },
    refresh: (now, isFollowed) => {
      clock = now;
      stream?.refresh(now);
      if (stream?.isBehind !== true && socket?.isPaused() === true) socket.resume();
      // Nothing tells where a batch begins behind the damage: only who is told from its beginning can read on.
      if (stream?.growing.damage !== undefined) socket?.destroy();
      // Who saves reads on in one that is not shown any more.
      if (isShown && isFollowed) for (const old of retired.splice(0)) old.close();
      isShown = stream !== undefined && hasRecording(stream);
      if (isStopped || socket !== undefined || isEnded() || now - triedAt < TRY_EVERY) return;
      // Who looks back keeps what there is.
      if (stream !== undefined && !isFollowed) return;
      triedAt = now;
      const flaw = socketPathFlaw(path);
      if (flaw === undefined) tryToConnect();
      else trouble = `cannot read ${path}: ${flaw}`;
    },
    endAt: (damaged) => stream?.growing.endAt(damaged) ?? false,
    release: (upTo) => stream?.release(upTo),
    stop: () => {
      isStopped = true;
      socket?.destroy();
    },
    close: async () => {
      isStopped = true;
      socket?.destroy();
      for (const one of [...retired, stream]) one?.close();
      return Promise.resolve();
    },
  };
}

function hasRecording({ growing }: SpooledStream): boolean {
  return (growing.trace?.index.recordings.length ?? 0) > 0;
}
