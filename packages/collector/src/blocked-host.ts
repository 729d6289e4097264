/** That a host cannot be recorded, with everything that is in the way. */
import { EXIT, ProgramError } from '@vhostscope/terminal';

/** Why a host cannot be recorded. */
export interface Blocker {
  /** What is the case, and what that costs. */
  readonly reason: string;
  /** What to change. */
  readonly advice: string | undefined;
}

/** Ends the program with exit code 3. One thing in the way is said with its remedy; of several each is named, in the words of doctor. */
export class BlockedHostError extends ProgramError {
  readonly blockers: readonly Blocker[];

  constructor(blockers: readonly [Blocker, ...Blocker[]]) {
    const [{ reason, advice }] = blockers;
    const isOnly = blockers.length === 1;
    const doctor = 'collector doctor says more';
    super(
      isOnly ? reason : `${blockers.length} things are in the way of recording this host`,
      isOnly
        ? {
            exitCode: EXIT.host,
            advice: advice === undefined ? doctor : `${advice}; ${doctor}`,
          }
        : {
            exitCode: EXIT.host,
            details: blockers.map((blocker) => `BLOCKED  ${blocker.reason}`),
            advice: 'collector doctor says what to change',
          },
    );
    this.blockers = blockers;
  }
}
