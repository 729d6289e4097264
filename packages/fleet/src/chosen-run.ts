/** Which run of a server is meant. */
import { ProgramError } from '@vhostscope/terminal';
import { urlOfRun, type RunName } from './fleet-url.js';
import type { FleetRun } from './fleet-run.js';
import type { Fleet } from './read-fleet.js';

/** So many are listed where none was named. */
const LISTED = 10;

/**
 * The run that the URL names, which may still be on its way, or the only one that there is.
 *
 * @throws ProgramError, FleetError
 */
export async function chosenRun(fleet: Fleet): Promise<RunName> {
  const { url } = fleet;
  if (url.run !== undefined) return url.run;
  const runs = await namedRuns(fleet);
  const [first] = runs;
  if (runs.length === 1) return first;
  const listed = runs.slice(0, LISTED).map((run) => urlOfRun(url, run));
  const whose = url.host === undefined ? '' : ` of host ${url.host}`;
  throw new ProgramError(`${url.name} holds ${runs.length} runs${whose}, and none is named`, {
    details: runs.length > LISTED ? [...listed, '…'] : listed,
    advice: `name one of them; collector fleet status ${url.name} tells more`,
  });
}

/**
 * All runs that the URL names, of which there must be one.
 *
 * @throws ProgramError, FleetError
 */
export async function namedRuns(fleet: Fleet): Promise<FleetRun[]> {
  const runs = await fleet.listRuns();
  const { name } = fleet.url;
  if (runs.length === 0)
    throw new ProgramError(`${name} holds no runs`, {
      advice: `collector attach --publish ${name}, on a host, makes one`,
    });
  return runs;
}
