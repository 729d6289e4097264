/** A session on a pipe that the test writes to. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, write as writeBytes } from 'node:fs';
import { promisify } from 'node:util';
import type { DashboardView } from '../src/dashboard.ts';
import { openSession } from '../src/session/session.ts';
import type { SessionOptions } from '../src/session/session-options.ts';
import { readPipe } from '../src/source/piped-input.ts';
import { closedBehindTest, optionsFor, type DrivenSession } from './driven-session.ts';
import { writeTrace } from './traces.ts';

const writeTo = promisify(writeBytes);

export interface PipeEnd {
  /** Resolves once the pipe has taken it all: meanwhile this process reads it. */
  readonly write: (bytes: string | Uint8Array) => Promise<void>;
  readonly end: () => void;
}

export interface PipedSession extends PipeEnd {
  readonly session: DrivenSession;
}

export function makePipe(path: string): void {
  execFileSync('mkfifo', [path]);
}

/** To be opened when there is who reads it. */
export function openPipeEnd(path: string): PipeEnd {
  const fd = openSync(path, 'w');
  return {
    write: async (bytes) => {
      const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
      for (let at = 0; at < all.length;) at += (await writeTo(fd, all, at)).bytesWritten;
    },
    end: () => closeSync(fd),
  };
}

/**
 * @param path where there is nothing yet
 * @param mostPassing see `readPipe`
 */
export function pipedSession(
  path: string,
  other: Partial<SessionOptions> = {},
  mostPassing?: number,
): PipedSession {
  makePipe(path);
  const options = optionsFor({ kind: 'pipe' }, other);
  const session = closedBehindTest(openSession(options, readPipe(options.keep, path, mostPassing)));
  return { session, ...openPipeEnd(path) };
}

/** Rounds of a virtqueue on two CPUs in turns: neither is ever waited for. */
export const TURNS = 60_000;

/** Them as a trace file. */
export function turnsAt(path: string, flushes = 400): Uint8Array {
  const lines = Array.from(
    { length: TURNS },
    (_, at) => `M ${1000 + at} ${at % 2} ffff888100000100\n`,
  );
  return writeTrace(path, lines.join(''), flushes).bytes;
}

export function roundsOf({ recording }: DashboardView): number | undefined {
  return new Map(recording.counts).get('round');
}
