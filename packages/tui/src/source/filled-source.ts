/** A source of which one reader fills the stream, and waits while the screen is behind. */
import type { Source } from './source.js';
import type { SpooledStream } from './spooled-stream.js';

/** What its reader is told. */
export interface Reading {
  /** Nobody wants to know any more. */
  readonly signal: AbortSignal;
  /** What comes from now on is not kept. */
  readonly isStopped: boolean;
  /** Resolves when more is to be read; undefined where it is to be at once. */
  readonly untilWanted: () => Promise<void> | undefined;
}

export interface Filling extends Pick<Source, 'name' | 'kind'> {
  readonly state: () => Source['state'];
  readonly problems: () => readonly string[];
  /** Ends with the stream, or when it is told to; it throws nothing. */
  readonly read: (reading: Reading) => Promise<void>;
  /** The source is refreshed, at `now`, ms. */
  readonly onRefresh?: (now: number) => void;
  /** Nothing is read any more. */
  readonly onClose?: () => Promise<void>;
}

export function filledSource(
  stream: SpooledStream,
  { name, kind, state, problems, read, onRefresh, onClose }: Filling,
): Source {
  const abort = new AbortController();
  let isStopped = false;
  let readOn: (() => void) | undefined;
  const reading = read({
    signal: abort.signal,
    get isStopped() {
      return isStopped;
    },
    untilWanted: () =>
      stream.isBehind && !abort.signal.aborted
        ? new Promise((resolve) => (readOn = resolve))
        : undefined,
  });
  return {
    name,
    kind,
    get state() {
      return state();
    },
    get problems() {
      return problems();
    },
    get isText() {
      return stream.report !== undefined;
    },
    get trace() {
      return stream.growing.trace;
    },
    lost: undefined,
    isFinished: false,
    get completeness() {
      return stream.growing.completeness;
    },
    get kept() {
      return stream.kept;
    },
    get keptBytes() {
      return stream.keptBytes;
    },
    get isBehind() {
      return stream.isBehind;
    },
    refresh: (now) => {
      onRefresh?.(now);
      stream.refresh(now);
      if (!stream.isBehind) readOn?.();
    },
    endAt: (damaged) => stream.growing.endAt(damaged),
    release: (upTo) => stream.release(upTo),
    // Whoever fills it is not held up: what they write may go elsewhere too.
    stop: () => {
      isStopped = true;
      stream.stop();
      readOn?.();
    },
    close: async () => {
      abort.abort();
      readOn?.();
      await reading;
      await onClose?.();
      stream.close();
    },
  };
}
