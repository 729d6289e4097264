/** The exit code of a command that leaves something in the spool. */
import { EXIT } from '@vhostscope/terminal';

/** @param left aborted where the user did not want to wait for the server: that is an interruption */
export function unsentExitCode(left: AbortSignal): number {
  return left.aborted ? EXIT.interrupted : EXIT.no;
}
