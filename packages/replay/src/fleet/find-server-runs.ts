/** The runs of a server, as runs of a fleet. */
import { parseFleetUrl } from '@vhostscope/fleet/url';
import { ProgramError } from '@vhostscope/terminal';
import type { RunElsewhere } from './find-traces.js';

/**
 * The run that a URL names, or all of the server. Of one that goes on, as much counts as the server has when it is read.
 *
 * @throws ProgramError, FleetError where the server cannot be asked
 */
export async function findServerRuns(text: string): Promise<RunElsewhere[]> {
  const url = parseFleetUrl(text);
  const { openFleet, urlOfRun } = await import('@vhostscope/fleet');
  const fleet = await openFleet(url);
  try {
    const runs = await fleet.listRuns();
    const { run: named } = url;
    const wanted = runs.filter(
      ({ host, run }) => named === undefined || (host === named.host && run === named.run),
    );
    if (wanted.length === 0)
      throw new ProgramError(
        named === undefined
          ? `${url.name} holds no runs`
          : `${url.name} has no run ${named.host}/${named.run}`,
        { advice: `collector fleet status ${url.name} lists its runs` },
      );
    return wanted.map(({ host, run, bytes, link }) => ({
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
