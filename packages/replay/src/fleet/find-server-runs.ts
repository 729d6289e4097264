/** The runs of a server, as runs of a fleet. */
import { say } from '@vhostscope/terminal';
import type { RunElsewhere } from './find-traces.js';

/**
 * The run that a URL names, those of a host, or all of the server. Of one that goes on, as much counts as the server
 * has when it is read.
 *
 * @throws ProgramError, FleetError where the server cannot be asked
 */
export async function findServerRuns(text: string): Promise<RunElsewhere[]> {
  const { namedRuns, openFleet, urlOfRun } = await import('@vhostscope/fleet');
  const fleet = await openFleet(text);
  const { url, taken } = fleet;
  try {
    if (taken !== undefined) say('replay', taken);
    const runs = await namedRuns(fleet);
    return runs.map(({ host, run, bytes, link }) => ({
      path: urlOfRun(url, { host, run }),
      host,
      run,
      bytes,
      digest: link,
    }));
  } finally {
    await fleet.close();
  }
}
