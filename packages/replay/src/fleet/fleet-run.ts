/** A run of a fleet: a trace with a name, and where it comes from. What replays it knows no more than this. */
import type { OpenOptions, OpenTrace } from '@vhostscope/trace';
import { openForReplay } from '../opened-trace.js';

/** Plain data: a run is given to another process. */
export interface FleetRun {
  readonly host: string;
  /** Tells it from others of the host. */
  readonly run: string;
  readonly source: RunSource;
}

export interface RunSource {
  /** Of a file, or the URL of a run on a server. */
  readonly path: string;
  /** Size, for how long it will take; 0 where nobody knows. */
  readonly bytes: number;
  /** Of a run on a server: tells what is in it from whatever else might be. */
  readonly digest?: string;
}

/** @throws what the opening of a trace throws */
export async function openRun({ source }: FleetRun, options: OpenOptions): Promise<OpenTrace> {
  return openForReplay(source.path, options);
}
