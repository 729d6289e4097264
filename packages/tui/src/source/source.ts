/** Where a session's events come from: a trace file that may grow, whatever fills it. */
import type { Completeness } from '@vhostscope/replay';
import type { DamagedBatchError, TraceBytes, TraceIndex } from '@vhostscope/trace';
import type { SourceView } from '../dashboard.js';

/** A trace that can be read again from its start. */
export interface SourceTrace {
  readonly name: string;
  readonly bytes: TraceBytes;
  /** The same object while it grows. */
  readonly index: TraceIndex;
}

export interface Kept {
  readonly bytes: number;
  readonly most: number;
}

export interface Source {
  readonly name: string;
  readonly kind: SourceView['kind'];
  readonly state: SourceView['state'];
  /** Worst first. */
  readonly problems: readonly string[];
  /** It is what some program printed, and the trace is one that was made of it. */
  readonly isText: boolean;
  /** Another one when the source began anew; undefined while there is none. */
  readonly trace: SourceTrace | undefined;
  /** Why what was read of the trace cannot be read again, in words; undefined while it can. */
  readonly lost: string | undefined;
  /** It is all there, and has been from the start. */
  readonly isFinished: boolean;
  /** Of a trace that has ended. */
  readonly completeness: Completeness | undefined;
  readonly kept: Kept;
  /** Beyond so many bytes nothing is kept; undefined while all is. */
  readonly keptBytes: number | undefined;
  /** So much beyond that waits to be replayed that no more is read until half of it was. */
  readonly isBehind: boolean;
  /**
   * Looks for what has come. Cheap when nothing has.
   *
   * @param isFollowed whether a source that went away may be tried again, and begin anew
   */
  refresh(now: number, isFollowed: boolean): void;
  /**
   * A batch turned out to be damaged when it was read. What is left of the trace takes its place, and nothing more
   * comes.
   *
   * @returns false where what is left cannot be read again
   */
  endAt(damaged: DamagedBatchError): boolean;
  /** All before this place was played: what of it is not kept may go. */
  release(upTo: number): void;
  /** Nothing of it is wanted any more: it is not kept, nor read where nobody is held up by that. */
  stop(): void;
  close(): Promise<void>;
}
