/**
 * The signals that ask the program to end, heard from before anything is opened until all is closed. What arrives
 * while JavaScript is busy is told only when it is not, and Node drops it if nobody listens any more by then. So
 * there is one listener for all parts, and none has its own that goes before the next comes.
 */
import { EXIT, STOP_SIGNALS } from '@vhostscope/terminal';

/** Some senders signal a process twice, itself and its group: that is not somebody in a hurry. */
const SAME_REQUEST_MS = 200;

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  ignoreNoLonger(): void;
}

export function hearInterruption(): Interruption {
  const abort = new AbortController();
  let since = 0;
  const interrupt = (): void => {
    if (!abort.signal.aborted) {
      since = performance.now();
      abort.abort();
    } else if (performance.now() - since > SAME_REQUEST_MS) {
      // What is waited for is not worth it. A terminal is given back as the process exits.
      process.exit(EXIT.interrupted);
    }
  };
  for (const name of STOP_SIGNALS) process.on(name, interrupt);
  return {
    signal: abort.signal,
    ignoreNoLonger: () => {
      for (const name of STOP_SIGNALS) process.removeListener(name, interrupt);
    },
  };
}

/** Calls back when it is interrupted, at once where it was; returns what ends that. */
export function onInterruption(signal: AbortSignal, interrupt: () => void): () => void {
  if (signal.aborted) interrupt();
  else signal.addEventListener('abort', interrupt, { once: true });
  return () => signal.removeEventListener('abort', interrupt);
}
