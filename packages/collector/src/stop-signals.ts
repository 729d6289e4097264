/** Signals that end the reading of an import, and not the saving of what was read. */
import { STOP_SIGNALS } from '@vhostscope/terminal';

/** Some senders signal a process twice, itself and its group: that is not somebody in a hurry. */
export const SAME_REQUEST_MS = 200;

export interface HeardSignals {
  /** The first. */
  readonly signal: AbortSignal;
  /** Another, of somebody who does not want to wait. */
  readonly again: AbortSignal;
  ignoreNoLonger(): void;
}

/** The first signal of these stops the reading. More of them must not stop the saving. */
export function hearSignals(): HeardSignals {
  const abort = new AbortController();
  const hurry = new AbortController();
  let since = 0;
  const stop = (): void => {
    if (!abort.signal.aborted) {
      since = performance.now();
      abort.abort();
    } else if (performance.now() - since > SAME_REQUEST_MS) hurry.abort();
  };
  for (const name of STOP_SIGNALS) process.on(name, stop);
  return {
    signal: abort.signal,
    again: hurry.signal,
    ignoreNoLonger: () => {
      // After an interruption the process is about to end by itself, with its own exit code.
      if (abort.signal.aborted) return;
      for (const name of STOP_SIGNALS) process.removeListener(name, stop);
    },
  };
}

/** What ends the waiting for a server: a signal, and of what a signal has ended another. */
export function patience({ signal, again }: HeardSignals): AbortSignal {
  return signal.aborted ? again : signal;
}
