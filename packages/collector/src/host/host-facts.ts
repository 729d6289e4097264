/** What is known of a host, as far as a recording depends on it. */
import { lackedCapabilities } from '../privileges/own-capabilities.js';
import { capabilitiesFor } from '../privileges/planned-privileges.js';
import { launch } from '../privileges/recorder-privileges.js';
import { PLANNED_FUNCTIONS } from '../probe-plan/probe-plan.js';
import type { HostSources } from './host-sources.js';
import { readKernelFacts, type KernelFacts } from './kernel-facts.js';
import { readPerfFacts, type PerfFacts } from './perf-facts.js';
import { readMemoryFacts, type MemoryFacts } from './memory-facts.js';
import { findVhostDevices, type VhostDevice } from './vhost-devices.js';
import { findMetaIotlb } from './vhost-types.js';

export interface HostFacts {
  readonly kernel: KernelFacts;
  readonly memory: MemoryFacts;
  readonly isRoot: boolean;
  /** Capabilities that what would record needs. */
  readonly neededCapabilities: readonly string[];
  /** Of these, those that this process lacks; undefined where that is not known. */
  readonly lackedCapabilities: readonly string[] | undefined;
  /** Whether the recorder can be started with fewer of them than root has; undefined without a recorder, or root. */
  readonly bounding: Bounding | undefined;
  /** The setting kernel.perf_event_paranoid; undefined when it cannot be read. */
  readonly perfEventParanoid: number | undefined;
  /** Folder of the tracing file system; undefined when there is none that can be read. */
  readonly tracefs: string | undefined;
  /** Of the functions that a plan may ask for, those that can be probed. */
  readonly functions: readonly string[];
  /** As the user named it: a path, or a name. */
  readonly askedBpftrace: string;
  readonly bpftrace: BpftraceFacts | undefined;
  /** Where it is perf that is to record: undefined else. */
  readonly perf: PerfFacts | undefined;
  readonly vhost: VhostFacts;
}

/** `possible`, or what is in the way of it. */
export type Bounding = 'possible' | 'refused' | 'no setpriv';

export interface BpftraceFacts {
  /** Program to run. */
  readonly path: string;
  /** As it says it, without the leading v; undefined when it does not say a version. */
  readonly version: string | undefined;
}

export interface VhostFacts {
  /** Whether the code of vhost is in the kernel, as a module or built in. */
  readonly isLoaded: boolean;
  /** Whether the kernel describes vhost's structs (module BTF). */
  readonly hasBtf: boolean;
  /** Where a virtqueue has what the device IOTLB keeps for it; undefined when that is not known. */
  readonly metaIotlb: number | undefined;
  /** Modules and what they drive. */
  readonly modules: readonly string[];
  readonly devices: readonly VhostDevice[];
}

const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/**
 * Looks at a host. Never fails: what cannot be read is absent.
 *
 * @param bpftrace program to run
 * @param perf program to run, where it is to record
 */
export async function readHostFacts(
  sources: HostSources,
  bpftrace: string,
  perf?: string,
): Promise<HostFacts> {
  const tracefs = TRACEFS.find((folder) => sources.list(folder).includes('kprobe_events'));
  const modules = sources.list('/sys/module').filter((name) => /^vhost(_|$)/.test(name));
  const isRoot = sources.user.uid === 0;
  const foundBpftrace = perf === undefined ? await findBpftrace(sources, bpftrace) : undefined;
  const foundPerf = perf === undefined ? undefined : await readPerfFacts(sources, perf);
  const recorder = foundBpftrace ?? foundPerf?.program;
  const perfEventParanoid = paranoia(sources);
  const needed = capabilitiesFor({ bpftrace: foundBpftrace, perf: foundPerf, perfEventParanoid });
  return {
    kernel: readKernelFacts(sources),
    memory: readMemoryFacts(sources),
    isRoot,
    neededCapabilities: needed,
    lackedCapabilities: lackedCapabilities(sources.readText('/proc/self/status'), needed),
    bounding:
      isRoot && recorder !== undefined
        ? await findBounding(sources, recorder.path, needed)
        : undefined,
    perfEventParanoid,
    tracefs,
    functions: probeable(sources, tracefs),
    askedBpftrace: bpftrace,
    bpftrace: foundBpftrace,
    perf: foundPerf,
    vhost: {
      isLoaded: modules.includes('vhost'),
      hasBtf: ['vhost', 'vmlinux'].every((name) => sources.list('/sys/kernel/btf').includes(name)),
      metaIotlb: findMetaIotlb(sources),
      modules,
      devices: findVhostDevices(sources),
    },
  };
}

/** Functions that may be probed. Where there is no list of them, those that the kernel has. */
function probeable(sources: HostSources, tracefs: string | undefined): string[] {
  const traceable =
    tracefs === undefined ? undefined : sources.readText(`${tracefs}/available_filter_functions`);
  // "name [module]", or of kallsyms "address type name [module]".
  const names = new Set(
    traceable?.match(/^\S+/gm) ??
      [...(sources.readText('/proc/kallsyms') ?? '').matchAll(/^\S+ [tT] (\S+)/gm)].map(
        ([, name]) => name,
      ),
  );
  return PLANNED_FUNCTIONS.filter((name) => names.has(name));
}

/** Tried with a program that only says its version: it may lie where root without its capabilities does not get. */
async function findBounding(
  sources: HostSources,
  path: string,
  capabilities: readonly string[],
): Promise<Bounding> {
  const { program, args } = launch({ capabilities, realUser: undefined }, path, ['--version']);
  if ((await sources.run(program, args)) !== undefined) return 'possible';
  return (await sources.run(program, ['--version'])) === undefined ? 'no setpriv' : 'refused';
}

function paranoia(sources: HostSources): number | undefined {
  const text = sources.readText('/proc/sys/kernel/perf_event_paranoid')?.trim() ?? '';
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

async function findBpftrace(
  sources: HostSources,
  path: string,
): Promise<BpftraceFacts | undefined> {
  const said = await sources.run(path, ['--version']);
  if (said === undefined) return undefined;
  return { path, version: /\bv?(\d+\.\d+(?:\.\d+)?)/.exec(said)?.[1] };
}
