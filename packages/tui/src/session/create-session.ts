/** Opens a session on whatever a command line names. */
import type { OpenOptions } from '@vhostscope/trace';
import type { Session } from '../dashboard.js';
import { openFinishedFile } from '../source/finished-file.js';
import { followFile } from '../source/followed-file.js';
import { followSocket } from '../source/live-socket.js';
import { readPipe } from '../source/piped-input.js';
import type { Source } from '../source/source.js';
import type { SessionOptions } from './session-options.js';
import { openSession } from './session.js';

/**
 * @param opening of a file that is finished: it is read, and imported where it is text, before this resolves
 * @throws InputError, TraceFormatError, OutputError when there is nothing that could be shown
 */
export async function createSession(
  options: SessionOptions,
  opening: OpenOptions = {},
): Promise<Session> {
  return openSession(options, await openSource(options, opening));
}

async function openSource({ source, keep }: SessionOptions, opening: OpenOptions): Promise<Source> {
  switch (source.kind) {
    case 'file':
      return openFinishedFile(source.path, opening);
    case 'growing file':
      return followFile(source.path);
    case 'socket':
      return followSocket(source.path, keep);
    case 'pipe':
      return readPipe(keep);
    case 'server': {
      // The client of the server is loaded where one is named.
      const { followServerRun } = await import('../source/server-run.js');
      return followServerRun(source.path, keep);
    }
  }
}
