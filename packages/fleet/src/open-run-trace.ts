/** Opens the trace of a run on a server as one opens a file. */
import { openArrivingTrace, type OpenOptions, type OpenTrace } from '@vhostscope/trace';
import { chosenRun } from './chosen-run.js';
import { urlOfRun } from './fleet-url.js';
import { openFleet } from './read-fleet.js';
import type { Environment } from './server-credentials.js';

export interface OpenRunOptions {
  readonly env?: Environment;
  /** Says something to the user: which words of the URL were taken for what, that the run goes on. */
  readonly tell?: (words: string) => void;
}

/**
 * Reads the run that a URL names, or the only one that there is. Of one that goes on, what is there by now.
 *
 * @throws ProgramError, FleetError, and as `openTrace`
 */
export async function openRunTrace(
  text: string,
  options: OpenOptions = {},
  { env, tell }: OpenRunOptions = {},
): Promise<OpenTrace> {
  const fleet = await openFleet(text, env);
  const { url, taken } = fleet;
  try {
    if (taken !== undefined) tell?.(taken);
    const { host, run } = await chosenRun(fleet);
    const reading = fleet.readRun(host, run, { signal: options.signal });
    const name = urlOfRun(url, { host, run });
    const trace = await openArrivingTrace(name, counted(reading, options), () => ({
      damage: reading.result.damage,
      interrupted: options.signal?.aborted === true,
    }));
    const { end, damage } = reading.result;
    if (end === undefined && damage === undefined && !trace.interrupted)
      tell?.(
        `${name} is under way, or its end was not sent yet: the answer is of what there is by now`,
      );
    return trace;
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
