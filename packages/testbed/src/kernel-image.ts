/** Debian's stock kernels: downloaded and unpacked into the cache, never installed. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { aptGet, hasApt, lastLine, refreshLists, type Say } from './debian-packages.js';
import { hostError } from './host-error.js';

const execute = promisify(execFile);

/** Kernels that can be booted, by the package that always depends on the newest of its line. */
export const KERNELS = {
  '6.1': 'linux-image-amd64',
  '6.12': 'linux-image-6.12-amd64',
} as const;

export type KernelLine = keyof typeof KERNELS;

export interface KernelImage {
  /** As `uname -r` gives it. */
  readonly release: string;
  /** Folder with the package's `boot` and `lib`. */
  readonly folder: string;
  readonly image: string;
  readonly modulesFolder: string;
}

/**
 * The kernel of a line: what the cache has, else the newest that apt knows.
 *
 * @throws {ProgramError} with exit code 3 when it cannot be had
 */
export async function kernelImage(line: KernelLine, cache: string, say: Say): Promise<KernelImage> {
  const folder = join(cache, `linux-${line}`);
  if (!existsSync(folder)) await downloadKernel(line, folder, say);
  const [release] = readdirSync(join(folder, 'lib/modules'));
  if (release === undefined)
    throw hostError(`${folder} holds no kernel`, 'delete that folder and try again');
  return {
    release,
    folder,
    image: join(folder, 'boot', `vmlinuz-${release}`),
    modulesFolder: join(folder, 'lib/modules', release),
  };
}

async function downloadKernel(line: KernelLine, folder: string, say: Say): Promise<void> {
  if (!hasApt())
    throw hostError(`the kernel ${line} comes from Debian, and this machine has no apt-get`);
  const name = await newestPackage(line, say);
  say(`downloading ${name}`);
  // Beside its place, so that it gets there whole or not at all.
  const work = mkdtempSync(`${folder}.`);
  try {
    await download(name, work, say);
    const [archive = ''] = readdirSync(work).filter((file) => file.endsWith('.deb'));
    const unpacked = join(work, 'unpacked');
    await execute('dpkg', ['-x', join(work, archive), unpacked]);
    const [release = ''] = readdirSync(join(unpacked, 'lib/modules'));
    await execute('depmod', ['-b', unpacked, release]);
    // Another run may have been faster.
    if (!existsSync(folder)) renameSync(unpacked, folder);
  } catch (error) {
    throw hostError(`cannot get the kernel ${name}: ${lastLine(error)}`, undefined, error);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function download(name: string, folder: string, say: Say): Promise<void> {
  try {
    await aptGet(['download', name], folder);
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    // A list that is old names packages that are gone.
    await refreshLists(say);
    await aptGet(['download', name], folder);
  }
}

async function newestPackage(line: KernelLine, say: Say): Promise<string> {
  const meta = KERNELS[line];
  let name = await dependencyOf(meta);
  if (name === undefined && process.getuid?.() === 0) {
    await refreshLists(say);
    name = await dependencyOf(meta);
  }
  if (name === undefined) {
    throw hostError(
      `apt knows no package ${meta} with a kernel ${line}`,
      'this needs Debian 12, with its security archive among the sources of apt',
    );
  }
  return name;
}

async function dependencyOf(meta: string): Promise<string | undefined> {
  const { stdout } = await execute('apt-cache', ['depends', '--important', meta]).catch(() => ({
    stdout: '',
  }));
  return /Depends: (linux-image-\d\S+)/.exec(stdout)?.[1];
}
