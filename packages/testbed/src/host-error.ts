import { EXIT, ProgramError } from '@vhostscope/terminal';

/** This machine, or the one inside it, cannot do what was asked. */
export function hostError(message: string, advice?: string, cause?: unknown): ProgramError {
  return new ProgramError(message, {
    exitCode: EXIT.host,
    ...(advice === undefined ? {} : { advice }),
    cause,
  });
}
