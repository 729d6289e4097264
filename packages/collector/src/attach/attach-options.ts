/** The options of `collector attach`. */

export const DETAILS = ['rounds', 'calls', 'accesses'] as const;
export type Detail = (typeof DETAILS)[number];

/** As the command line gives them. */
export interface AttachFlags {
  /** `-` is standard output; absent where only a socket was asked for. */
  readonly output?: string;
  /** Unix socket for live streams. */
  readonly socket?: string;
  readonly force?: boolean;
  /** Milliseconds. */
  readonly duration?: number;
  readonly detail: Detail;
  readonly keepPointers?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export interface AttachOptions extends AttachFlags {
  /** Whether a file that exists is written over. */
  readonly overwrite: boolean;
}
