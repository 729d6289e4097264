/** What a recording of this host is to be: the bpftrace program, and what is known at the start. */
import type { TraceHeader } from '@vhostscope/trace';
import type { Detail } from './attach-options.js';
import type { BpftraceCommand } from './bpftrace-process.js';
import type { CountedClass } from './recording-run.js';

export interface RecordingPlan {
  readonly command: BpftraceCommand;
  readonly classes: readonly CountedClass[];
  readonly header: Omit<TraceHeader, 'sources' | 'writer' | 'clock' | 'keepsPointers'>;
  /** What the user is to know before the recording begins, one sentence each. */
  readonly remarks: readonly string[];
}

/** The host that is recorded, as far as `attach` asks it. */
export interface RecordedHost {
  /** @throws ProgramError with exit code 3 when the host cannot be recorded */
  plan(options: { readonly detail: Detail }): Promise<RecordingPlan>;
  /** How long bpftrace may take to end: it detaches its probes one by one, and hands over what it holds. */
  readonly patienceMs: number;
  /** CPUs that are online now. */
  onlineCpus(): readonly number[];
}
