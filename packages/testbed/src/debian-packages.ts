/** Debian packages that this machine needs, and getting them. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { hostError } from './host-error.js';

const execute = promisify(execFile);

/** Told what is going on, in a short sentence. */
export type Say = (message: string) => void;

/** What every test host needs. */
export const HOST_PACKAGES = [
  'qemu-system-x86',
  'busybox-static',
  'gcc',
  'libc6-dev',
  'kmod',
  'iproute2',
  'bpftrace',
];

/** apt runs for nobody else at the same time; we wait for it so many seconds. */
const APT = ['-o', 'DPkg::Lock::Timeout=300'];

/**
 * Sees to it that packages are installed.
 *
 * @throws {ProgramError} with exit code 3 where that cannot be done
 */
export async function requirePackages(names: readonly string[], say: Say): Promise<void> {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const list = missing.join(' ');
  if (!hasApt())
    throw hostError(`this needs Debian's packages ${list}, and this machine has no apt-get`);
  if (process.getuid?.() !== 0)
    throw hostError(`missing packages: ${list}`, `run as root: apt-get install ${list}`);
  say(`installing ${list}`);
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  try {
    await aptGet(install);
  } catch {
    // The usual reason: the lists of packages are none, or old.
    await refreshLists(say);
    await aptGet(install).catch((error: unknown) => {
      throw hostError(`cannot install ${list}: ${lastLine(error)}`, undefined, error);
    });
  }
}

/** Fetches the lists of packages anew. Needs root. */
export async function refreshLists(say: Say): Promise<void> {
  say('fetching the lists of packages');
  await aptGet(['update']).catch((error: unknown) => {
    throw hostError(`apt-get update failed: ${lastLine(error)}`, undefined, error);
  });
}

/** Runs apt-get; what it prints is returned. */
export async function aptGet(args: readonly string[], folder?: string): Promise<string> {
  const { stdout } = await execute('apt-get', [...APT, ...args], {
    ...(folder === undefined ? {} : { cwd: folder }),
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    maxBuffer: 64 << 20,
  });
  return stdout;
}

/** The last line of what a failed program said: apt ends with what went wrong. */
export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  const said = (stderr ?? '').trim() === '' ? (message ?? String(error)) : (stderr ?? '');
  return said.trim().split('\n').at(-1) ?? '';
}

function isInstalled(name: string): boolean {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], {
    encoding: 'utf8',
  });
  return status === 0 && stdout.startsWith('install ok installed');
}

export function hasApt(): boolean {
  return spawnSync('apt-get', ['--version']).status === 0;
}
