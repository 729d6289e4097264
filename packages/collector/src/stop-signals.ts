/** Signals that end the reading of an import, and not the saving of what was read. */

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * The first signal of these stops the reading. More of them must not stop the saving: some senders
 * signal a process twice, itself and its group.
 */
export function hearSignals(): { readonly signal: AbortSignal; ignoreNoLonger(): void } {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  for (const name of STOPPING) process.on(name, stop);
  return {
    signal: abort.signal,
    ignoreNoLonger: () => {
      // After an interruption the process is about to end by itself, with its own exit code.
      if (abort.signal.aborted) return;
      for (const name of STOPPING) process.removeListener(name, stop);
    },
  };
}
