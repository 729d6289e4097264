/** `collector attach` on the test host, from the first word to the last. */
import { fileURLToPath } from 'node:url';
import { shellQuoted, type Host, type RunningCommand } from '../../src/index.js';
import { ATTACHED_MS } from './patience.js';

const PROGRAM = fileURLToPath(new URL('../../../collector/bin/collector.js', import.meta.url));

/** Another bpftrace than that of the system, to hold its version against the same truth. */
const OTHER_BPFTRACE = process.env['VHOSTSCOPE_BPFTRACE'];

/** What `--json` prints, as far as tests look at it. */
export interface AttachOutcome {
  readonly ended: string;
  readonly complete: boolean | null;
  readonly doubts: readonly string[];
  readonly lost: Readonly<Record<string, string>>;
  readonly missing: Readonly<Record<string, number>>;
}

export interface AttachSettings {
  /** File that node runs, in the guest. */
  readonly program?: string;
  /** How long it may take from its start to its end, ms. */
  readonly timeout?: number;
}

/** A collector whose probes are attached. */
export interface AttachedCollector {
  readonly command: RunningCommand;
  /** What it has said on stderr so far. */
  said(): string;
  /** Ends it by a signal, and waits for what it prints. */
  stop(signal?: 'SIGINT' | 'SIGTERM'): Promise<AttachOutcome>;
  /** Waits for an end that comes by itself. */
  readonly ended: Promise<{ status: number; stdout: string; stderr: string }>;
}

/**
 * Attaches; under emulation that takes half a minute.
 *
 * @param trace file in the guest
 */
export async function attachCollector(
  host: Host,
  trace: string,
  args: readonly string[] = [],
  { program = PROGRAM, timeout = ATTACHED_MS }: AttachSettings = {},
): Promise<AttachedCollector> {
  let said = '';
  let isAttached: () => void = () => undefined;
  const attached = new Promise<void>((resolve) => (isAttached = resolve));
  const other = OTHER_BPFTRACE === undefined ? [] : ['--bpftrace', OTHER_BPFTRACE];
  const words = [program, 'attach', '-o', trace, '--json', ...other, ...args];
  const command = host.start(`exec node ${words.map(shellQuoted).join(' ')}`, {
    onStderr: (bytes) => {
      said += bytes.toString();
      if (said.includes('attached; recording')) isAttached();
    },
    timeout,
  });
  const early = command.ended.then(({ status, stderr }) => {
    throw new Error(`collector attach ended with status ${status}: ${stderr}`);
  });
  early.catch(() => undefined);
  await Promise.race([attached, early]);
  return {
    command,
    said: () => said,
    ended: command.ended,
    stop: async (signal = 'SIGINT') => {
      command.signal(signal);
      const { status, stdout, stderr } = await command.ended;
      if (status !== 0) throw new Error(`collector attach: status ${status}: ${stderr}`);
      return JSON.parse(stdout) as AttachOutcome;
    },
  };
}
