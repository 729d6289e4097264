/** What the command line names: a file, standard input, the socket of a collector, or a server, maybe with a run. */
import { statSync } from 'node:fs';
import { isFleetUrl } from '@vhostscope/fleet/url';
import { ProgramError } from '@vhostscope/terminal';
import { DEFAULT_SOCKET } from './default-socket.js';

export interface NamedSource {
  /** A path, an URL, or `-`. */
  readonly name: string;
  readonly kind: 'socket' | 'stdin' | 'file' | 'growing file' | 'server';
}

/**
 * @param standing the socket that is looked at where nothing is named
 * @throws ProgramError where it names several, or none and no collector runs
 */
export function namedSource(
  named: string | undefined,
  {
    socket,
    follow,
    from,
  }: { readonly socket?: string; readonly follow?: boolean; readonly from?: string },
  standing = DEFAULT_SOCKET,
): NamedSource {
  if (from !== undefined) {
    const other = named ?? socket;
    if (other !== undefined)
      throw new ProgramError(`both a source, ${other}, and --from ${from} are named`, {
        advice: 'name one of them',
      });
    if (!isFleetUrl(from))
      throw new ProgramError(`--from ${from} is no URL of a server`, {
        advice: `--from nats://host[:port][/HOST/RUN]; a file is named alone: tui ${from}`,
      });
    return { name: from, kind: 'server' };
  }
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
          'or name a trace (tui trace.arrows), a pipe (tui -), a socket (tui --socket PATH) or a server (tui --from nats://host)',
      });
    return { name: standing, kind: 'socket' };
  }
  if (isFleetUrl(named)) return { name: named, kind: 'server' };
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
