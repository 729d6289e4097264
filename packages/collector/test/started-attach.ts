/** `collector attach` of the built program, as a process of its own, on the host of the fake bpftrace. */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RecorderPrivileges } from '../src/privileges/recorder-privileges.ts';
import { fakeHost, type Scenario } from './fake-host.ts';
import { temporaryFolder } from './traces.ts';

const top = temporaryFolder();
// Of other users, too: what lies in it has rights of its own.
chmodSync(top, 0o711);
let made = 0;

export function emptyFolder(): string {
  const folder = join(top, String(made++));
  mkdirSync(folder);
  return folder;
}

export interface Started {
  readonly child: ChildProcess;
  readonly output: string;
  readonly truth: string;
}

/** Starts the program. */
export async function start(
  scenario: Scenario,
  options: {
    readonly output?: string;
    readonly duration?: number;
    readonly nice?: number;
    readonly user?: string;
    readonly socket?: string;
    readonly publish?: string;
    readonly publishAs?: string;
    readonly spool?: string;
    /** Of what records. */
    readonly privileges?: RecorderPrivileges;
    /** Files of types that it is given. */
    readonly types?: readonly [kernel: string, module: string];
    /** Greatest size of a file, in blocks of 512 bytes. */
    readonly maxBlocks?: number;
    /** In a terminal, whose keyboard is the child's standard input. */
    readonly terminal?: boolean;
    /** What becomes of reading bpftrace, from so long after its first line on. */
    readonly faultyReads?: { readonly code: string; readonly afterMs: number };
    /** So many files it may open, and no more, when it begins. */
    readonly spareFiles?: number;
    /** For temporary files. */
    readonly temporary?: string;
  } = {},
): Promise<Started> {
  const folder = emptyFolder();
  const truth = join(folder, 'truth.json');
  const { privileges, types, ...given } = options;
  const host = fakeHost({ truth, ...scenario });
  const plan = await host.plan({ detail: 'rounds' });
  const command = { ...plan.command, ...(privileges && { privileges }), ...(types && { types }) };
  const output = options.output ?? join(folder, 'trace.arrows');
  const description = {
    plan: { ...plan, command },
    cpus: host.onlineCpus(),
    options: { detail: 'rounds', overwrite: true, ...given, output },
  };
  const limits = `ulimit -f ${options.maxBlocks ?? 'unlimited'}; ulimit -n 100`;
  const words = `${limits}; exec "$NODE" "$CHILD"`;
  const [program, ...args] =
    options.terminal === true
      ? ['script', '-qec', `stty cols 100; ${words}`, '/dev/null']
      : ['/bin/sh', '-c', words];
  const child = spawn(program, args, {
    env: {
      ...process.env,
      NODE: process.execPath,
      ATTACH_COMMAND: join(import.meta.dirname, '../dist/attach-command.js'),
      CHILD: join(import.meta.dirname, 'attach-child.mjs'),
      RECORDED_HOST: JSON.stringify(description),
      ...(options.spareFiles !== undefined && { SPARE_FILES: String(options.spareFiles) }),
      ...(options.temporary !== undefined && { TMPDIR: options.temporary }),
      ...(options.faultyReads && { FAULTY_READS: JSON.stringify(options.faultyReads) }),
    },
    cwd: folder,
    stdio: [options.terminal === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  return { child, output, truth };
}

export async function untilExists(file: string): Promise<void> {
  while (!existsSync(file)) await pause(10);
}

/** Processes of the fake bpftrace that write this truth. */
export function leftovers(truth: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return (
          command.includes('fake-bpftrace.mjs') &&
          readFileSync(`/proc/${pid}/environ`, 'utf8').includes(truth)
        );
      } catch {
        // It is gone by now, or not ours.
        return false;
      }
    })
    .map(Number);
}
