/** A real Linux host in a virtual machine, for tests. */
export { bootHost, shellQuoted, type BootOptions, type Host } from './boot-host.js';
export type { KernelLine } from './kernel-image.js';
export type { RunningCommand, RunOptions, RunResult } from './running-commands.js';
