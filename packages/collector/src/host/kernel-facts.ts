/** The kernel of a host. */
import { cpus } from 'node:os';
import { PLANNED_SYMBOLS } from '../probe-plan/page-look-plan.js';
import type { HostSources } from './host-sources.js';

export interface KernelFacts {
  readonly release: string;
  readonly architecture: string;
  /** Whether kernel code is preempted; undefined when nothing tells. */
  readonly preemption: 'voluntary' | 'full' | undefined;
  /** Whether there is a folder of modules for it. */
  readonly hasModules: boolean;
  /** Of the options that matter those that are known: y, m or n. */
  readonly config: Readonly<Record<string, string>>;
  readonly lockdown: 'none' | 'integrity' | 'confidentiality' | undefined;
  readonly cpuModel: string | undefined;
  /** Supervisor mode access prevention: what makes copy_to/from_user dear (reference §3.5). */
  readonly smap: boolean | undefined;
  /** Of the symbols that a plan may ask for, those that the kernel has. */
  readonly symbols: readonly string[];
  /** Whether page tables have five levels (x86-64). */
  readonly hasFiveLevels: boolean;
  readonly isXenPv: boolean;
  /** CPUs that there may ever be; undefined when nothing tells. */
  readonly possibleCpus: number | undefined;
}

const OPTIONS = [
  'KPROBES',
  'BPF_SYSCALL',
  'MMU_NOTIFIER',
  'DEBUG_INFO_BTF',
  'DEBUG_INFO_BTF_MODULES',
  'MEMCG',
  'VHOST_NET',
  'VHOST_VSOCK',
];

export function readKernelFacts(sources: HostSources): KernelFacts {
  const release = sources.readText('/proc/sys/kernel/osrelease')?.trim() ?? 'unknown';
  const configText =
    sources.readText('/proc/config.gz') ??
    sources.readText(`/boot/config-${release}`) ??
    sources.readText(`/lib/modules/${release}/config`);
  const cpuInfo = sources.readText('/proc/cpuinfo');
  const flags = cpuInfo === undefined ? undefined : /^flags\s*: (.*)$/m.exec(cpuInfo)?.[1];
  return {
    release,
    architecture: sources.architecture,
    hasModules: sources.list(`/lib/modules/${release}`).length > 0,
    preemption: preemptionOf(sources, configText),
    config: configText === undefined ? {} : optionsOf(configText),
    lockdown: lockdownOf(sources.readText('/sys/kernel/security/lockdown')),
    cpuModel: /^model name\s*: (.*)$/m.exec(cpuInfo ?? '')?.[1] ?? cpus()[0]?.model,
    smap: flags?.split(' ').includes('smap'),
    symbols: symbolsOf(sources.readText('/proc/kallsyms') ?? ''),
    // A kernel that does not use the fifth level takes the flag away.
    hasFiveLevels: flags?.split(' ').includes('la57') ?? false,
    isXenPv: sources.readText('/sys/hypervisor/guest_type')?.trim() === 'PV',
    possibleCpus: cpusOf(sources.readText('/sys/devices/system/cpu/possible')),
  };
}

/** Ranges and numbers, as "0-3,8". */
function cpusOf(text: string | undefined): number | undefined {
  const ranges = [...(text ?? '').matchAll(/(\d+)(?:-(\d+))?/g)];
  if (ranges.length === 0) return undefined;
  return ranges.reduce((sum, [, first, last = first]) => sum + Number(last) - Number(first) + 1, 0);
}

/** "address type name" a line. */
function symbolsOf(text: string): string[] {
  return PLANNED_SYMBOLS.filter((name) => new RegExp(`^\\S+ \\S ${name}$`, 'm').test(text));
}

/** Options that are not named in the text are off. */
function optionsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    OPTIONS.map((name) => [
      name,
      new RegExp(`^CONFIG_${name}=(\\S+)$`, 'm').exec(text)?.[1] ?? 'n',
    ]),
  );
}

/**
 * What debugfs says, "none (voluntary) full", is what holds; without it (before 5.12, or where the mode is
 * built in) the configuration does.
 */
function preemptionOf(
  sources: HostSources,
  config: string | undefined,
): 'voluntary' | 'full' | undefined {
  const chosen = /\((\w+)\)/.exec(sources.readText('/sys/kernel/debug/sched/preempt') ?? '')?.[1];
  // "none" gives way where it asks for it itself, as "voluntary" does; "lazy" may be anywhere.
  if (chosen === 'none' || chosen === 'voluntary') return 'voluntary';
  if (chosen !== undefined) return 'full';
  if (config === undefined || /^CONFIG_PREEMPT_DYNAMIC=y$/m.test(config)) return undefined;
  if (/^CONFIG_PREEMPT(?:_RT|_LAZY)?=y$/m.test(config)) return 'full';
  return /^CONFIG_PREEMPT_(?:NONE|VOLUNTARY)=y$/m.test(config) ? 'voluntary' : undefined;
}

function lockdownOf(text: string | undefined): KernelFacts['lockdown'] {
  const chosen = /\[(\w+)\]/.exec(text ?? '')?.[1];
  return chosen === 'none' || chosen === 'integrity' || chosen === 'confidentiality'
    ? chosen
    : undefined;
}
