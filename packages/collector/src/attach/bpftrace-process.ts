/** bpftrace as a child process: started, ready, told to stop, ended, and what it complained about. */
import { spawn } from 'node:child_process';
import { createParser, type Message } from 'bpftrace-parser';
import { childEnvironment } from '../child-environment.js';
import { createDeferred } from './deferred.js';
import { gatherOutput } from './gathered-output.js';
import { countProbeMisses } from './probe-misses.js';
import type { RecorderEnd, RecorderProcess } from './recorder-process.js';
import { cannotStart, starting } from './starting.js';

/** How bpftrace is to be started. */
export interface BpftraceCommand {
  readonly recorder: 'bpftrace';
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Goes to its standard input. */
  readonly program: string;
}

/** Enough to see why it did not start, whatever it says. */
const KEPT_COMPLAINTS = 8;

/** Asks for a line when all probes are attached: on stderr up to bpftrace 0.22, on stdout from 0.23. */
const NOTIFY_READY = { __BPFTRACE_NOTIFY_PROBES_ATTACHED: '1' };

/** Starts bpftrace. Throws ProgramError when it cannot be started. */
export async function startBpftrace(command: BpftraceCommand): Promise<RecorderProcess> {
  const output = gatherOutput();
  const child = starting(command.path, INSTALL, () =>
    spawn(command.path, command.args, {
      env: childEnvironment({ ...command.env, ...NOTIFY_READY }),
      stdio: ['pipe', output.childEnd, 'pipe'],
      // A group of its own: Ctrl-C in the terminal is for us. It is told to stop when all has arrived,
      // as it forgets what it still holds when it is. Should we be killed, its next line kills it.
      detached: true,
    }),
  );
  output.handedOver();
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
    child.once('error', (error) => reject(cannotStart(command.path, error, INSTALL)));
  });
  const pid = child.pid ?? 0;
  return {
    name: 'bpftrace',
    pids: [pid],
    output,
    ready: ready.promise,
    ended: ended.promise,
    complaints,
    hear,
    skipped: () => Promise.resolve(countProbeMisses(`/proc/${pid}`)),
    interrupt: () => child.kill('SIGINT'),
    kill: () => child.kill('SIGKILL'),
    // The kernel takes its probes away with it.
    close: () => {
      child.kill('SIGKILL');
      return Promise.resolve();
    },
  };
}

const INSTALL = 'install bpftrace, or name it with --bpftrace';

/** Said by bpftrace 0.17 while everything works. */
const HARMLESS = /RLIMIT_MEMLOCK/;
