/** A moment as it is typed into the screen, of the trace that it shows. */
import { readTimeArgument, resolveTime } from '@vhostscope/replay';
import { ProgramError } from '@vhostscope/terminal';
import type { Command, DashboardView } from './dashboard.js';

/** @returns the command that goes there; or, in words, why there is no such moment */
export function readJump(text: string, { clock }: Pick<DashboardView, 'clock'>): Command | string {
  try {
    const argument = readTimeArgument('go to', text);
    // Which there are the session knows: of a finished trace also those that begin after the moment shown.
    if ('storm' in argument) return { do: 'seek storm', number: argument.storm };
    const first = clock.boottime - BigInt(clock.at);
    const extent = { first, last: first + BigInt(clock.end) };
    const at = resolveTime(argument, extent, () => {
      throw new Error('storms are not resolved here');
    });
    if (at < first || at > extent.last) return `the trace lasts from ${first} to ${extent.last} ns`;
    return { do: 'seek', at: Number(at - first) };
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    return error.advice === undefined ? error.message : `${error.message}: ${error.advice}`;
  }
}
