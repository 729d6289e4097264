/** Which run of a server is meant. */
import { ProgramError } from '@vhostscope/terminal';
import { InputError } from '@vhostscope/trace';
import { urlOfRun, type RunName } from './fleet-url.js';
import type { Fleet } from './read-fleet.js';

/** So many are listed where none was named. */
const LISTED = 10;

/**
 * The run that the URL names, which may still be on its way, or the only one that there is.
 *
 * @throws ProgramError, InputError, FleetError
 */
export async function chosenRun(fleet: Fleet): Promise<RunName> {
  const { url } = fleet;
  if (url.run !== undefined) return url.run;
  const runs = await fleet.listRuns();
  const [first] = runs;
  if (first === undefined) throw new InputError(`${url.name} holds no runs`);
  if (runs.length === 1) return first;
  const listed = runs.slice(0, LISTED).map((run) => urlOfRun(url, run));
  throw new ProgramError(`${url.name} holds ${runs.length} runs, and none is named`, {
    details: runs.length > LISTED ? [...listed, '…'] : listed,
    advice: `name one of them; collector fleet status ${url.name} tells more`,
  });
}
