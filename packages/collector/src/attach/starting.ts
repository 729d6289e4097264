/** Programs that record are started: what keeps them from it is said. */
import type { ProgramError } from '@vhostscope/terminal';
import { SETPRIV } from '../privileges/recorder-privileges.js';
import { refusedByHost } from './refused-by-host.js';

/** Why a program cannot be started, for the user; `advice` is for where it is not there, or must not be run. */
export function cannotStart(path: string, error: unknown, advice: string): ProgramError {
  return refusedByHost(
    `cannot start ${path}`,
    error,
    path === SETPRIV ? 'it is part of util-linux, and --user needs it' : advice,
  );
}

/**
 * Starts it. Most errors come later, as an event of the process; without memory, say, it throws.
 *
 * @throws ProgramError
 */
export function starting<Child>(path: string, advice: string, start: () => Child): Child {
  try {
    return start();
  } catch (error) {
    throw cannotStart(path, error, advice);
  }
}
