/** What a system call says stands in the way of a recording, in words. */
import { EXIT, ProgramError, runOut } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';

/** Why a system call failed. */
export function whyRefused(error: unknown): string {
  return runOut(error)?.what ?? reasonOf(error);
}

/** What the host does not let be done, and why; `advice` is for where nothing has run out. */
export function refusedByHost(what: string, error: unknown, advice?: string): ProgramError {
  const helps = runOut(error)?.advice ?? advice;
  return new ProgramError(`${what}: ${whyRefused(error)}`, {
    exitCode: EXIT.host,
    ...(helps !== undefined && { advice: helps }),
  });
}
