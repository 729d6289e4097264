/** Programs that record are started: what keeps them from it is said. */
import { EXIT, ProgramError, runOut } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';
import { SETPRIV } from '../privileges/recorder-privileges.js';

/** Why a program cannot be started, for the user; `advice` is for where it is not there, or must not be run. */
export function cannotStart(path: string, error: unknown, advice: string): ProgramError {
  const want = runOut(error);
  return new ProgramError(`cannot start ${path}: ${want?.what ?? reasonOf(error)}`, {
    exitCode: EXIT.host,
    advice:
      want?.advice ?? (path === SETPRIV ? 'it is part of util-linux, and --user needs it' : advice),
  });
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
