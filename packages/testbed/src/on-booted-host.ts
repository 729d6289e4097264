/** A command of the program that needs a host: boots it, and lets nothing of it stay, whatever happens. */
import { EXIT, say, STOP_SIGNALS } from '@vhostscope/terminal';
import { bootHost, type Host } from './boot-host.js';
import type { KernelLine } from './kernel-image.js';

export interface HostOptions {
  readonly cpus: 1 | 2;
  readonly kernel: KernelLine;
  readonly preempt: 'voluntary' | 'full';
  readonly time?: 'real' | 'instructions';
  readonly packages?: readonly string[];
}

/** Signals from outside while a host is up. */
export interface Interruption {
  /** Says what the first is to do instead of ending everything. A second ends everything at once. */
  onFirst(act: () => void): void;
}

/**
 * Boots a host, works on it and closes it.
 *
 * @returns what the work returns, or 130 when it was interrupted
 */
export async function onBootedHost(
  options: HostOptions,
  work: (host: Host, interruption: Interruption) => Promise<number>,
): Promise<number> {
  const abort = new AbortController();
  let onFirst: (() => void) | undefined;
  const stop = (): void => {
    const act = onFirst ?? (() => abort.abort());
    onFirst = undefined;
    act();
  };
  for (const name of STOP_SIGNALS) process.on(name, stop);
  try {
    const host = await bootHost({
      ...options,
      signal: abort.signal,
      say: (message) => say('testbed', message),
    });
    try {
      return await work(host, { onFirst: (act) => (onFirst = act) });
    } finally {
      await host.close();
    }
  } catch (error) {
    if (abort.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    for (const name of STOP_SIGNALS) process.removeListener(name, stop);
  }
}
