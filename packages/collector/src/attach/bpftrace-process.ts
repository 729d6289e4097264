/** bpftrace as a child process: started, ready, told to stop, ended, and what it complained about. */
import { spawn } from 'node:child_process';
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { EXIT, runOut } from '@vhostscope/terminal';
import { openTemporary, reasonOf } from '@vhostscope/trace';
import { createParser, type Message } from 'bpftrace-parser';
import { childEnvironment } from '../child-environment.js';
import { wholeTypes } from '../host/whole-types.js';
import { OWN_RIGHTS, type ProcessRights } from '../privileges/process-rights.js';
import { launch, type RecorderPrivileges } from '../privileges/recorder-privileges.js';
import { createDeferred } from './deferred.js';
import { gatherOutput } from './gathered-output.js';
import { countProbeMisses, keepProbeMisses, type KeptProbeMisses } from './probe-misses.js';
import { NoTypesError } from './lacked-rights.js';
import type { RecorderEnd, RecorderProcess } from './recorder-process.js';
import { refusedByHost } from './refused-by-host.js';
import { cannotStart, starting } from './starting.js';

/** How bpftrace is to be started. */
export interface BpftraceCommand {
  readonly recorder: 'bpftrace';
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly privileges: RecorderPrivileges;
  /** Files with the types of the kernel and of a module, where it is not to ask the kernel for them. */
  readonly types: readonly [kernel: string, module: string] | undefined;
  /** Goes to its standard input. */
  readonly program: string;
}

/** Enough to see why it did not start, whatever it says. */
const KEPT_COMPLAINTS = 8;

/** Asks for a line when all probes are attached: on stderr up to bpftrace 0.22, on stdout from 0.23. */
const NOTIFY_READY = { __BPFTRACE_NOTIFY_PROBES_ATTACHED: '1' };

/** Starts bpftrace. Throws ProgramError when it cannot be started. */
export async function startBpftrace(
  command: BpftraceCommand,
  { asRoot }: Pick<ProcessRights, 'asRoot'> = OWN_RIGHTS,
): Promise<RecorderProcess> {
  const { types } = command;
  // bpftrace opens it once more, and without its capabilities root may open what is root's only.
  const typesFd = types === undefined ? undefined : asRoot(() => openTypes(types));
  const output = gatherOutput();
  const typesAt = typesFd !== undefined && { BPFTRACE_BTF: `/proc/self/fd/${TYPES_FD}` };
  const { program, args } = launch(command.privileges, command.path, command.args);
  const child = starting(program, INSTALL, () =>
    asRoot(() =>
      spawn(program, args, {
        env: childEnvironment({ ...command.env, ...NOTIFY_READY, ...typesAt }),
        stdio: ['pipe', output.childEnd, 'pipe', ...(typesFd === undefined ? [] : [typesFd])],
        // A group of its own: Ctrl-C in the terminal is for us. It is told to stop when all has arrived,
        // as it forgets what it still holds when it is. Should we be killed, its next line kills it.
        detached: true,
      }),
    ),
  );
  output.handedOver();
  if (typesFd !== undefined) closeSync(typesFd);
  const ready = createDeferred();
  const ended = createDeferred<RecorderEnd>();
  const complaints: string[] = [];

  function hear(message: Message): void {
    if (message.type === 'probes_ready') ready.resolve();
    else if (message.type === 'no_probes') complain('no probe could be attached');
    else if (message.type === 'log' && message.level !== 'WARNING' && message.level !== 'HINT')
      complain(message.text);
  }

  function complain(text: string): void {
    if (complaints.length < KEPT_COMPLAINTS && !HARMLESS.test(text)) complaints.push(text);
  }

  const errors = createParser({
    format: 'text',
    onMessage: (message) => {
      if (message.type === 'text') complain(message.text);
      else hear(message);
    },
  });
  child.stderr?.on('data', (bytes: Buffer) => errors.push(bytes));
  child.stderr?.on('end', () => errors.end());
  // It may be gone before it has read its program; its exit status says why.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(command.program);
  child.on('close', (code, signal) => {
    void output.end().then(() => ended.resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(cannotStart(program, error, INSTALL)));
  });
  const pid = child.pid ?? 0;
  let misses: KeptProbeMisses | undefined;
  return {
    name: 'bpftrace',
    pids: [pid],
    output,
    ready: ready.promise,
    ended: ended.promise,
    complaints,
    hear,
    keepInSight: () => {
      misses = keepProbeMisses(`/proc/${pid}`);
    },
    skipped: () => Promise.resolve(misses?.count() ?? countProbeMisses(`/proc/${pid}`)),
    interrupt: () => child.kill('SIGINT'),
    kill: () => child.kill('SIGKILL'),
    // The kernel takes its probes away with it.
    close: () => {
      child.kill('SIGKILL');
      misses?.close();
      return Promise.resolve();
    },
  };
}

const INSTALL = 'install bpftrace, or name it with --bpftrace';

/** Where it finds them: behind its standard files. */
const TYPES_FD = 3;

/**
 * A file without a name, so that nothing of it stays.
 *
 * @throws ProgramError; NoTypesError where it may do to ask the kernel
 */
function openTypes([kernel, module]: readonly [string, string]): number {
  const what = 'the types of vhost cannot be put together for bpftrace';
  let types: Buffer;
  try {
    types = wholeTypes(readFileSync(kernel), readFileSync(module));
  } catch (error) {
    if (runOut(error) !== undefined) throw refusedByHost(what, error);
    throw new NoTypesError(`${what}: ${reasonOf(error)}`, { exitCode: EXIT.host });
  }
  let fd: number | undefined;
  try {
    fd = openTemporary(tmpdir());
    for (let done = 0; done < types.length;) done += writeSync(fd, types, done);
    return fd;
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    throw refusedByHost(what, error, `it takes some MB in ${tmpdir()}: TMPDIR names another`);
  }
}

/** Said by bpftrace 0.17 while everything works. */
const HARMLESS = /RLIMIT_MEMLOCK/;
