/** A real Linux host in a virtual machine, without hardware virtualisation. */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.js';
import { compile } from './compile.js';
import { HOST_PACKAGES, requirePackages, type Say } from './debian-packages.js';
import { lastWords } from './guest-console.js';
import { hostError } from './host-error.js';
import { buildInitramfs } from './initramfs.js';
import { kernelImage, type KernelImage, type KernelLine } from './kernel-image.js';
import { AGENT_FD, CONSOLE_FD, qemuCommand } from './qemu-command.js';
import {
  createRunningCommands,
  type RunningCommand,
  type RunningCommands,
  type RunOptions,
  type RunResult,
} from './running-commands.js';
import { makeWorkFolder, removeWorkFolder } from './work-folder.js';

export interface BootOptions {
  /** Two CPUs are two NUMA nodes. Default 1: a total order of what happens. */
  readonly cpus?: 1 | 2;
  /** Default 6.1. */
  readonly kernel?: KernelLine;
  /** Whether the guest's kernel preempts its own code. Default voluntary, as Debian's does. */
  readonly preempt?: 'voluntary' | 'full';
  /**
   * How time passes in the guest. Default `real`; where it passes with the `instructions` that the guest executes,
   * rates come out alike in every run, whatever else this machine does.
   */
  readonly time?: 'real' | 'instructions';
  /** Default 2048. */
  readonly memoryMiB?: number;
  /** Debian packages that must be there beside those that every test host needs. */
  readonly packages?: readonly string[];
  /** Milliseconds that the boot may take. Default 120,000: the machine may be busy. */
  readonly bootTimeout?: number;
  /** Told about what takes long: installing, downloading. Default: nobody. */
  readonly say?: Say;
  /** Ends the boot, or the host, at once. */
  readonly signal?: AbortSignal;
}

export interface Host {
  /** As `uname -r` gives it. */
  readonly kernelRelease: string;
  /** Folder of this machine, and so of the guest, where built programs are kept. */
  readonly cache: string;
  /** A folder that both sides can write: its path here, and its path in the guest. */
  readonly exchange: { readonly here: string; readonly guest: string };
  /** Runs a shell command, as root, and waits for its end. It has no input. */
  run(command: string, options?: RunOptions): Promise<RunResult>;
  /** Starts a shell command; any number may run beside each other (64 at most). */
  start(command: string, options?: RunOptions): RunningCommand;
  /** @throws {ProgramError} when the guest cannot read it */
  readFile(path: string): Promise<Buffer>;
  /** The last of what the guest's kernel wrote to its console: a warning, a panic. */
  console(): string;
  /** Stops the host at once and removes what it left. May be called again. */
  close(): Promise<void>;
}

const GUEST_FOLDER = fileURLToPath(new URL('../guest/', import.meta.url));
const BUSYBOX = '/bin/busybox';
const CONSOLE_BYTES = 64 * 1024;

/**
 * Boots a host whose root folder is this machine's, read-only, with all changes kept in its memory.
 * What is missing for it is installed and downloaded. Programs, paths and users are the same inside.
 *
 * @throws {ProgramError} with exit code 3 when this machine cannot do it, or the host does not come up
 */
export async function bootHost(options: BootOptions = {}): Promise<Host> {
  const { signal, say = () => undefined } = options;
  await requirePackages([...HOST_PACKAGES, ...(options.packages ?? [])], say);
  const cache = cacheFolder();
  const kernel = await kernelImage(options.kernel ?? '6.1', cache, say);
  const agent = await compile('agent', join(GUEST_FOLDER, 'agent'), cache);
  signal?.throwIfAborted();

  const folder = makeWorkFolder();
  const machine = startMachine(options, kernel, agent, folder);
  const abort = (): void => machine.stop();
  signal?.addEventListener('abort', abort);
  const late = setTimeout(() => {
    machine.commands.fail(
      hostError(`the test host did not boot within ${bootTimeout(options) / 1000} s`),
    );
  }, bootTimeout(options));
  try {
    await machine.commands.ready;
  } catch (error) {
    await machine.end();
    signal?.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(late);
  }
  return {
    kernelRelease: kernel.release,
    exchange: { here: join(folder, 'exchange'), guest: '/exchange' },
    cache,
    run: async (command, runOptions) => machine.commands.start(command, runOptions).ended,
    start: (command, runOptions) => machine.commands.start(command, runOptions),
    readFile: async (path) => readGuestFile(machine.commands, path),
    console: () => machine.console(),
    close: async () => {
      signal?.removeEventListener('abort', abort);
      await machine.end();
    },
  };
}

function bootTimeout(options: BootOptions): number {
  return options.bootTimeout ?? 120_000;
}

interface RunningMachine {
  readonly commands: RunningCommands;
  console(): string;
  /** Kills QEMU. */
  stop(): void;
  /** Kills QEMU, waits for its end, and removes the work folder. */
  end(): Promise<void>;
}

function startMachine(
  options: BootOptions,
  kernel: KernelImage,
  agent: string,
  folder: string,
): RunningMachine {
  const initramfs = join(folder, 'initramfs');
  writeFileSync(
    initramfs,
    buildInitramfs({
      modulesFolder: kernel.modulesFolder,
      busybox: BUSYBOX,
      init: join(GUEST_FOLDER, 'init'),
      agent,
    }),
  );
  const [program = '', ...args] = qemuCommand({
    cpus: options.cpus ?? 1,
    memoryMiB: options.memoryMiB ?? 2048,
    preempt: options.preempt ?? 'voluntary',
    time: options.time ?? 'real',
    kernelImage: kernel.image,
    initramfs,
    shares: {
      root: { path: '/', access: 'read-only' },
      kernel: { path: kernel.folder, access: 'read-only' },
      exchange: { path: join(folder, 'exchange'), access: 'read-write' },
    },
  });
  const qemu = spawn(program, args, {
    // Node's pipes are sockets, which is what QEMU is told that they are.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    // Out of reach of the terminal's Ctrl-C, which is for the command inside.
    detached: true,
  });
  const consoleText = lastBytes(qemu.stdio[CONSOLE_FD] as Duplex);
  const qemuText = lastBytes(qemu.stdio[2] as Readable);
  const commands = createRunningCommands(qemu.stdio[AGENT_FD] as Duplex);

  // The work folder must not stay behind when this process ends early.
  const atExit = (): void => {
    qemu.kill('SIGKILL');
    removeWorkFolder(folder);
  };
  process.once('exit', atExit);
  const ended = (async () => {
    const how = await endOf(qemu);
    const said = lastWords(`${qemuText()}\n${consoleText()}`);
    commands.fail(hostError(`the test host ended (${how})${said === '' ? '' : `: ${said}`}`));
  })();
  return {
    commands,
    console: consoleText,
    stop: () => void qemu.kill('SIGKILL'),
    end: async () => {
      qemu.kill('SIGKILL');
      await ended;
      process.removeListener('exit', atExit);
      removeWorkFolder(folder);
    },
  };
}

async function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`cannot start it: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/** Keeps the last of what a stream brings. */
function lastBytes(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-CONSOLE_BYTES);
  });
  stream.on('error', () => undefined);
  return () => kept.toString();
}

async function readGuestFile(commands: RunningCommands, path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const { status, stderr } = await commands.start(`cat -- ${shellQuoted(path)}`, {
    onStdout: (bytes) => chunks.push(bytes),
    cwd: '/',
  }).ended;
  if (status !== 0) throw hostError(`the test host cannot read ${path}: ${stderr.trim()}`);
  return Buffer.concat(chunks);
}

/** A word for a shell, whatever is in it. */
export function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
