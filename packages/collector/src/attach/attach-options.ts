/** The options of `collector attach`. */
import type { RecorderName } from '../plan-recording.js';
import type { PublishFlags } from '../fleet/publish-flags.js';
import type { Detail } from '../probe-plan/detail.js';
import type { ListenAddress } from './parse-listen-address.js';

/** As the command line gives them. */
export interface AttachFlags extends PublishFlags {
  /** `-` is standard output; absent where only a socket, or a server, was asked for. */
  readonly output?: string;
  /** Unix socket for live streams. */
  readonly socket?: string;
  /** Where to tell metrics by HTTP. */
  readonly metrics?: ListenAddress;
  /** Show it on a dashboard in this terminal. */
  readonly tui?: boolean;
  readonly force?: boolean;
  /** Milliseconds. */
  readonly duration?: number;
  readonly detail: Detail;
  /** MiB. */
  readonly buffer?: number;
  /** Nice value of what records and the collector while they record, 0 to 19; as they were started by default. */
  readonly nice?: number;
  /** For whom root is given up once the probes are attached: a name, or a number. */
  readonly user?: string;
  /** What records. */
  readonly with?: RecorderName;
  /** Programs to run. */
  readonly bpftrace: string;
  readonly perf: string;
  /** Print the program for bpftrace, or the probes of perf, and record nothing. */
  readonly dryRun?: boolean;
  readonly keepPointers?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

export interface AttachOptions extends AttachFlags {
  /** Whether a file that exists is written over. */
  readonly overwrite: boolean;
}
