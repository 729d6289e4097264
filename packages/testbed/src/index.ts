/** A real Linux host in a virtual machine, and loads to run on it, for tests. */
export { bootHost, shellQuoted, type BootOptions, type Host } from './boot-host.js';
export type { KernelLine } from './kernel-image.js';
export type { RunningCommand, RunOptions, RunResult } from './running-commands.js';
export { kernelTroubles } from './guest-console.js';
export { DPDK_PACKAGES, startDpdk, type DpdkOptions, type DpdkResult } from './scenarios/dpdk.js';
export { startLoad, type LoadOptions, type LoadResult } from './scenarios/load.js';
export type { RunningScenario } from './scenarios/running-scenario.js';
