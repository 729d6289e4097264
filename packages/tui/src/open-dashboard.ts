/** The session that the command line asks for. */
import { DEFAULT_STORM_RATE, DESIGNS } from '@vhostscope/model';
import { chosenDesign, readCostOptions, readDesignFile } from '@vhostscope/replay';
import { createProgressBar, ProgramError } from '@vhostscope/terminal';
import { NoEventsError } from '@vhostscope/trace';
import type { DashboardOptions } from './dashboard-options.js';
import type { Session } from './dashboard.js';
import type { NamedSource } from './named-source.js';
import { createSession } from './session/create-session.js';
import { adviceOnText } from './source/followed-file.js';
import { isNoTrace } from './source/growing-file.js';
import {
  DEFAULT_KEEP,
  DEFAULT_WINDOW,
  type SessionOptions,
  type SourceOptions,
} from './session/session-options.js';

/**
 * @param signal of an interruption
 * @returns undefined when it was interrupted before there was anything to show
 * @throws ProgramError, InputError, TraceFormatError, OutputError when there is nothing that could be shown
 */
export async function openDashboard(
  source: NamedSource,
  options: DashboardOptions,
  signal: AbortSignal,
): Promise<Session | undefined> {
  const wanted = wantedSession(sourceOptions(source), options);
  if (source.kind === 'growing file' && isNoTrace(source.name))
    throw new ProgramError(`${source.name} is no trace, and --follow follows only a trace file`, {
      advice: adviceOnText(source.name),
    });
  const bar = createProgressBar('reading');
  try {
    const session = await createSession(wanted, {
      onProgress: (read, total) => bar.update(read, total),
      signal,
    });
    if (signal.aborted) {
      await session.close();
      return undefined;
    }
    if (options.speed !== undefined) {
      session.tell({ do: 'speed', speed: options.speed });
      // A finished trace opens at its end.
      session.tell({ do: 'play' });
    }
    return session;
  } catch (error) {
    // So little was read that there is nothing to show: that was wanted.
    if (signal.aborted) return undefined;
    if (error instanceof NoEventsError) throw new ProgramError(error.message, { advice: ADVICE });
    throw error;
  } finally {
    // Whoever ends it meanwhile finds the line of progress gone.
    bar.clear();
  }
}

/** @throws ProgramError where the options ask for what there is not */
export function wantedSession(source: SourceOptions, options: DashboardOptions): SessionOptions {
  const { design, beside, designFile, preempt } = options;
  const named = (name: string): ReturnType<typeof chosenDesign> =>
    chosenDesign({ design: name, ...(designFile !== undefined && { designFile }) });
  return {
    source,
    designs: [...DESIGNS, ...(designFile === undefined ? [] : readDesignFile(designFile))],
    design: chosenDesign({
      ...(design !== undefined && { design }),
      ...(designFile !== undefined && { designFile }),
    }),
    beside: beside === undefined ? undefined : named(beside),
    preemption: preempt,
    stormRate: options.stormRate ?? DEFAULT_STORM_RATE,
    window: options.window ?? DEFAULT_WINDOW,
    cost: readCostOptions(options),
    keep: options.keep ?? DEFAULT_KEEP,
  };
}

const ADVICE =
  'expected a trace file, or vhost events as bpftrace, perf script, ftrace or trace-cmd report print them (see examples/)';

function sourceOptions({ name, kind }: NamedSource): SourceOptions {
  return kind === 'stdin' ? { kind: 'pipe' } : { kind, path: name };
}
