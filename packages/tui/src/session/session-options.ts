/** What a session is opened with. */
import type { Design, Preemption } from '@vhostscope/model';
import type { CostBasis } from '@vhostscope/replay';

/** Where events come from, as the command line names it. */
export type SourceOptions =
  /** A finished trace, or text. */
  | { readonly kind: 'file'; readonly path: string }
  /** A trace file that is being written. */
  | { readonly kind: 'growing file'; readonly path: string }
  /** The socket of a recorder. */
  | { readonly kind: 'socket'; readonly path: string }
  /** Standard input: a trace, or what bpftrace prints. */
  | { readonly kind: 'pipe' }
  /** A run on the server of a fleet: its URL. */
  | { readonly kind: 'server'; readonly path: string };

export interface SessionOptions {
  readonly source: SourceOptions;
  /** All that can be chosen. */
  readonly designs: readonly Design[];
  readonly design: Design;
  readonly beside: Design | undefined;
  /** Of the recording kernel; undefined: what the trace says. */
  readonly preemption: Preemption | undefined;
  /** Ranges over rings of a device in a second that are a storm. */
  readonly stormRate: number;
  /** ns. */
  readonly window: number;
  readonly cost: CostBasis;
  /** Bytes of what comes by a socket or a pipe that are kept to go back. */
  readonly keep: number;
}

export const DEFAULT_WINDOW = 10e9;
export const DEFAULT_KEEP = 2 * 2 ** 30;
