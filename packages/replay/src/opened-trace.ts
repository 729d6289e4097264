/** Opens a command's trace, says what is wrong with it, and closes it again. */
import { setImmediate } from 'node:timers/promises';
import { isFleetUrl } from '@vhostscope/fleet/url';
import { createProgressBar, EXIT, ProgramError, say } from '@vhostscope/terminal';
import {
  DamagedBatchError,
  InputError,
  NoEventsError,
  openTrace,
  recordingCounts,
  upToDamage,
  withName,
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
    trace = await openForReplay(path, {
      onProgress: (read, total) => bar.update(read, total),
      signal: abort.signal,
    });
    // What was signalled while this was busy is told in the next turn of the event loop, and dropped if nobody listens
    // any more; of the turn at hand it may be too late.
    for (let turn = 0; turn < 2; turn++) await setImmediate();
  } finally {
    bar.clear();
    process.removeListener('SIGINT', stop);
  }
  try {
    if (trace.interrupted || abort.signal.aborted) {
      say('replay', 'interrupted, nothing was replayed');
      return EXIT.interrupted;
    }
    const said = new Set<string>();
    return await usingWhatIsWhole(trace, async (whole) => {
      const completeness = completenessOf(whole);
      for (const problem of completeness.problems) {
        if (!said.has(problem)) say('replay', problem);
        said.add(problem);
      }
      checkHoldsEvents(whole, completeness);
      const exitCode = await use(whole, completeness);
      return exitCode === EXIT.done && strict && isFlawed(completeness) ? EXIT.no : exitCode;
    });
  } catch (error) {
    // Batches are read by what does not know in which file.
    throw withName(trace.name, error);
  } finally {
    trace.close();
  }
}

/**
 * Calls `use` with a trace, and again with what is left of it when a batch turns out to be damaged. It is to read all
 * that it needs before it gives anything away.
 */
export async function usingWhatIsWhole<Result>(
  trace: OpenTrace,
  use: (trace: OpenTrace) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(trace);
  } catch (error) {
    if (!(error instanceof DamagedBatchError)) throw error;
    return usingWhatIsWhole(upToDamage(trace, error), use);
  }
}

/** A file, a pipe, or a run on a server: what speaks with servers is loaded only for that. Where a file holds no event, the error says what was expected. */
export async function openForReplay(path: string, options: OpenOptions): Promise<OpenTrace> {
  try {
    if (!isFleetUrl(path)) return await openTrace(path, options);
    const { openRunTrace } = await import('@vhostscope/fleet');
    return await openRunTrace(path, options, { tell: (words) => say('replay', words) });
  } catch (error) {
    if (error instanceof NoEventsError) throw new ProgramError(error.message, { advice: ADVICE });
    throw error;
  }
}

/** @throws InputError for a trace that tells nothing: not that of a host which was recorded, and did nothing meanwhile */
export function checkHoldsEvents(trace: OpenTrace, { damage }: Completeness): void {
  if (trace.index.recordings.some(({ events }) => events.size > 0)) return;
  if (trace.index.recordings.some((one) => recordingCounts(trace.fd, one)?.ended !== undefined))
    return;
  throw new InputError(
    damage.length > 0
      ? `no events in what can be read of ${trace.name}`
      : `no events in ${trace.name}`,
  );
}

/** What `--strict` does not let pass. */
export function isFlawed({ complete, damage }: Pick<Completeness, 'complete' | 'damage'>): boolean {
  return complete === false || damage.length > 0;
}
