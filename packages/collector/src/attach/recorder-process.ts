/** What records: bpftrace, or perf. It prints lines of the dialect, and says when it is ready. */
import type { Message } from 'bpftrace-parser';
import type { ProcessRights } from '../privileges/process-rights.js';
import type { PerfCommand } from '../perf-recording/perf-command.js';
import { startBpftrace, type BpftraceCommand } from './bpftrace-process.js';
import type { GatheredOutput } from './gathered-output.js';
import { startPerf } from './perf-process.js';

export interface RecorderEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RecorderProcess {
  /** What it is called. */
  readonly name: string;
  /** Its processes. */
  readonly pids: readonly number[];
  readonly output: Pick<
    GatheredOutput,
    'read' | 'pause' | 'resume' | 'discard' | 'failed' | 'failure'
  >;
  /** All probes are attached. May never come. */
  readonly ready: Promise<void>;
  /** It is gone and its output was read to the end. */
  readonly ended: Promise<RecorderEnd>;
  /** What it said went wrong, oldest first; a few lines. */
  readonly complaints: readonly string[];
  /** A message that stood in its standard output. */
  hear(message: Message): void;
  /** All probes are attached, and root is about to be given up: opens what only root can look at. */
  keepInSight?(): void;
  /** Probes that the kernel skipped; asked once, at the end of the recording, while they are attached. */
  skipped(): Promise<number>;
  /**
   * What the kernel counted and this has not printed, where nothing else tells that all has arrived; asked when it has
   * ended as it was told to.
   */
  readonly reckon?: () => { readonly lost: bigint; readonly doubts: readonly string[] };
  /** Asks it to detach, print what it still holds, and end. */
  interrupt(): void;
  /** Ends it at once. */
  kill(): void;
  /** Kills it, and takes away what it has put into the host. */
  close(): Promise<void>;
}

/** @throws ProgramError when it cannot be started */
export async function startRecorder(
  command: BpftraceCommand | PerfCommand,
  host: { readonly onlineCpus: () => readonly number[]; readonly now: () => bigint },
  rights: Pick<ProcessRights, 'asRoot'>,
): Promise<RecorderProcess> {
  return command.recorder === 'perf' ? startPerf(command, host) : startBpftrace(command, rights);
}

/** How it ended, in words. */
export function endInWords(name: string, { code, signal }: RecorderEnd): string {
  if (signal !== null) return `${name} was killed by ${signal}`;
  return `${name} ended by itself with status ${code ?? 'unknown'}`;
}
