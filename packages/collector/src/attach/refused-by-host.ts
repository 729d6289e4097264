/** What a system call says keeps a recording from beginning, in words. */
import { EXIT, ProgramError, runOut } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';

/** What the host does not let be done, and why; `advice` is for where nothing has run out. */
export function refusedByHost(what: string, error: unknown, advice?: string): ProgramError {
  const want = runOut(error);
  const helps = want?.advice ?? advice;
  return new ProgramError(`${what}: ${want?.what ?? reasonOf(error)}`, {
    exitCode: EXIT.host,
    ...(helps !== undefined && { advice: helps }),
  });
}
