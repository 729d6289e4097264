/** What the guest's kernel needs before it can see this machine's root folder. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cpioArchive, type ArchiveEntry } from './cpio.js';

/** Modules without which guest/init and the agent cannot work. What they need comes with them. */
export const BOOT_MODULES = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay'];

/**
 * Puts the modules and what they depend on in the order in which they are to be loaded.
 *
 * @param wanted - names of modules
 * @param dependencies - text of modules.dep: `path: path path…`, each before those that it needs
 * @param builtin - text of modules.builtin: a path a line
 * @returns paths under the modules folder
 * @throws {Error} when there is no such module
 */
export function loadOrder(
  wanted: readonly string[],
  dependencies: string,
  builtin: string,
): string[] {
  const needs = new Map<string, string[]>();
  const pathOf = new Map<string, string>();
  for (const line of dependencies.split('\n')) {
    const [path = '', rest = ''] = line.split(':');
    if (path === '') continue;
    pathOf.set(moduleName(path), path);
    needs.set(path, rest.split(' ').filter(Boolean));
  }
  const inKernel = new Set(builtin.split('\n').map(moduleName));
  const order = new Set<string>();
  for (const name of wanted) {
    const path = pathOf.get(moduleName(name));
    if (path === undefined) {
      if (inKernel.has(moduleName(name))) continue;
      throw new Error(`the kernel has no module ${name}`);
    }
    // depmod lists what a module needs, whole, the deepest last.
    for (const needed of (needs.get(path) ?? []).toReversed()) order.add(needed);
    order.add(path);
  }
  return [...order];
}

/** A module's name has underscores where its file may have hyphens. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

export interface InitramfsParts {
  readonly modulesFolder: string;
  readonly busybox: string;
  readonly init: string;
  readonly agent: string;
}

/** Builds the initramfs: busybox, the modules in order, guest/init as its first program. */
export function buildInitramfs({ modulesFolder, busybox, init, agent }: InitramfsParts): Buffer {
  const paths = loadOrder(
    BOOT_MODULES,
    readFileSync(join(modulesFolder, 'modules.dep'), 'utf8'),
    readFileSync(join(modulesFolder, 'modules.builtin'), 'utf8'),
  );
  const modules = paths.map((path) => ({
    name: `${moduleName(path)}.ko`,
    content: readModule(join(modulesFolder, path), busybox),
  }));
  const entries: ArchiveEntry[] = [
    { path: 'bin' },
    { path: 'bin/busybox', content: readFileSync(busybox), executable: true },
    { path: 'init', content: readFileSync(init), executable: true },
    { path: 'agent', content: readFileSync(agent), executable: true },
    { path: 'modules' },
    { path: 'modules/order', content: lines(modules.map(({ name }) => name)) },
    ...modules.map(({ name, content }) => ({ path: `modules/${name}`, content })),
  ];
  return cpioArchive(entries);
}

function readModule(path: string, busybox: string): Uint8Array {
  if (!path.endsWith('.xz')) return readFileSync(path);
  return execFileSync(busybox, ['xzcat', path], { maxBuffer: 64 << 20 });
}

function lines(names: readonly string[]): Buffer {
  return Buffer.from(names.map((name) => `${name}\n`).join(''));
}
