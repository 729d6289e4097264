/** Runs `collector` within the test's own process, as its main module would. */
import { runProgram } from '@vhostscope/terminal';
import { vi } from 'vitest';
import type { RecordedHost } from '../src/attach/recorded-host.ts';
import { main } from '../src/program.ts';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Not for concurrent use: it takes over the process's output. */
export async function collector(...args: string[]): Promise<Outcome> {
  return collectorOn(undefined, ...args);
}

/** The same on another host than this machine. */
export async function collectorOn(
  host: RecordedHost | undefined,
  ...args: string[]
): Promise<Outcome> {
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(accept);
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(accept);
  const listeners = process.stdout.listeners('error');
  try {
    process.exitCode = undefined;
    await runProgram('collector', async () => main(['node', 'collector', ...args], host));
    const written = (spy: typeof out): string => spy.mock.calls.map(([text]) => text).join('');
    return { code: process.exitCode ?? 0, out: written(out), err: written(err) };
  } finally {
    process.exitCode = undefined;
    out.mockRestore();
    err.mockRestore();
    for (const listener of process.stdout.listeners('error')) {
      if (!listeners.includes(listener))
        process.stdout.removeListener('error', listener as () => void);
    }
  }
}

type Written = (error?: Error | null) => void;

/** As `write`: tells its caller that the text was handed over. */
function accept(_text: unknown, encoding?: unknown, written?: Written): boolean {
  const callback = typeof encoding === 'function' ? (encoding as Written) : written;
  callback?.();
  return true;
}
