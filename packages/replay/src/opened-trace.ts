/** Opens a command's trace, says what is wrong with it, and closes it again. */
import { isFleetUrl } from '@vhostscope/fleet/url';
import { createProgressBar, EXIT, ProgramError, say } from '@vhostscope/terminal';
import {
  InputError,
  NoEventsError,
  openTrace,
  TraceFormatError,
  type OpenOptions,
  type OpenTrace,
} from '@vhostscope/trace';
import { completenessOf, type Completeness } from './completeness.js';

const ADVICE =
  'expected a trace file, or vhost events as bpftrace, perf script, ftrace or trace-cmd report print them (see examples/)';

/**
 * Calls `use` with the open trace and its completeness. What is damaged or incomplete is said on
 * stderr; with `strict` it turns exit code 0 into 1.
 */
export async function withOpenTrace(
  path: string,
  strict: boolean,
  use: (trace: OpenTrace, completeness: Completeness) => Promise<number>,
): Promise<number> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop);
  const bar = createProgressBar('reading');
  let trace: OpenTrace;
  try {
    trace = await openAnywhere(path, {
      onProgress: (read, total) => bar.update(read, total),
      signal: abort.signal,
    });
  } catch (error) {
    if (error instanceof NoEventsError) throw new ProgramError(error.message, { advice: ADVICE });
    throw error;
  } finally {
    bar.clear();
    process.removeListener('SIGINT', stop);
  }
  try {
    if (trace.interrupted) {
      say('replay', 'interrupted, nothing was replayed');
      return EXIT.interrupted;
    }
    const completeness = completenessOf(trace);
    for (const problem of completeness.problems) say('replay', problem);
    if (trace.index.recordings.every(({ events }) => events.size === 0))
      throw new InputError(
        completeness.damage.length > 0
          ? `no events in what can be read of ${trace.name}`
          : `no events in ${trace.name}`,
      );
    const exitCode = await use(trace, completeness);
    const flawed = completeness.complete === false || completeness.damage.length > 0;
    return exitCode === EXIT.done && strict && flawed ? EXIT.no : exitCode;
  } catch (error) {
    // Batches are read while the trace is in use; only here is it known in which file.
    if (error instanceof TraceFormatError)
      throw new TraceFormatError(`${trace.name}: ${error.message}`);
    throw error;
  } finally {
    trace.close();
  }
}

/** A file, a pipe, or a run on a server: what speaks with servers is loaded only for that. */
async function openAnywhere(path: string, options: OpenOptions): Promise<OpenTrace> {
  if (!isFleetUrl(path)) return openTrace(path, options);
  const { openRunTrace } = await import('@vhostscope/fleet');
  return openRunTrace(path, options);
}
