/** What the command line names: a file, standard input, or the socket of a collector. */
import { statSync } from 'node:fs';
import { ProgramError } from '@vhostscope/terminal';
import { DEFAULT_SOCKET } from './default-socket.js';

export interface NamedSource {
  /** A path, or `-`. */
  readonly name: string;
  readonly kind: 'socket' | 'stdin' | 'file' | 'growing file';
}

/**
 * @param standing the socket that is looked at where nothing is named
 * @throws ProgramError where it names several, or none and no collector runs
 */
export function namedSource(
  named: string | undefined,
  { socket, follow }: { readonly socket?: string; readonly follow?: boolean },
  standing = DEFAULT_SOCKET,
): NamedSource {
  if (socket !== undefined) {
    if (named !== undefined)
      throw new ProgramError(`both a source, ${named}, and --socket ${socket} are named`, {
        advice: 'name one of them',
      });
    return { name: socket, kind: 'socket' };
  }
  if (named === undefined) {
    if (!isSocket(standing))
      throw new ProgramError(`no collector listens on ${standing}, and no source is named`, {
        advice:
          `record and watch in this terminal (collector attach --tui), or record with a socket that tui finds (collector attach --socket ${standing}); ` +
          'or name a trace (tui trace.arrows), a pipe (tui -) or a socket (tui --socket PATH)',
      });
    return { name: standing, kind: 'socket' };
  }
  if (named === '-') return { name: '-', kind: 'stdin' };
  if (isSocket(named)) return { name: named, kind: 'socket' };
  return { name: named, kind: follow === true ? 'growing file' : 'file' };
}

function isSocket(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  } catch {
    // Who opens it says what is wrong with it.
    return false;
  }
}
