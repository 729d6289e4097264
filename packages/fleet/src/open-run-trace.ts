/** Opens the trace of a run on a server as one opens a file. */
import { ProgramError } from '@vhostscope/terminal';
import { InputError, openArrivingTrace, type OpenOptions, type OpenTrace } from '@vhostscope/trace';
import { parseFleetUrl, urlOfRun, type FleetUrl, type RunName } from './fleet-url.js';
import { openFleet, type Fleet } from './read-fleet.js';
import type { Environment } from './server-credentials.js';

/**
 * Reads the run that a URL names, or the only one that there is. Of one that goes on, what is there by now.
 *
 * @throws ProgramError, FleetError, and as `openTrace`
 */
export async function openRunTrace(
  text: string,
  options: OpenOptions = {},
  env?: Environment,
): Promise<OpenTrace> {
  const url = parseFleetUrl(text);
  const fleet = await openFleet(url, env);
  try {
    const { host, run } = url.run ?? (await onlyRun(fleet, url));
    const reading = fleet.readRun(host, run, { signal: options.signal });
    return await openArrivingTrace(urlOfRun(url, { host, run }), counted(reading, options), () => ({
      damage: reading.result.damage,
      interrupted: options.signal?.aborted === true,
    }));
  } finally {
    await fleet.close();
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  { onProgress }: OpenOptions,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    bytes += chunk.length;
    onProgress?.(bytes, undefined);
  }
}

const LISTED = 10;

async function onlyRun(fleet: Fleet, url: FleetUrl): Promise<RunName> {
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
