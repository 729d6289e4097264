/** What of a host matters to a recording: each finding says what it costs and what to change. Pure. */
import { byteSize, counted } from '@vhostscope/terminal';
import type { HostFacts } from '../host/host-facts.js';
import { judgeBpftrace } from './judge-bpftrace.js';
import { judgeDirectMap, judgeFunctions } from './judge-functions.js';
import { judgePerf, judgeStructsForPerf } from './judge-perf.js';
import { judgeBounding, judgeRoot } from './judge-privileges.js';
import { judgeVhost } from './judge-vhost.js';

/** `blocked`: nothing can be recorded; `limited`: something is lost or not known by it. */
export type Verdict = 'ok' | 'limited' | 'blocked';

export interface Finding {
  /** Stable name, for programs. */
  readonly id: string;
  readonly verdict: Verdict;
  /** What is the case. */
  readonly found: string;
  /** What that costs; absent where it is as it should be. */
  readonly cost?: string;
  /** What to change. */
  readonly change?: string;
}

/** All findings, in the order in which they are best put right. */
export function findingsOf(facts: HostFacts): Finding[] {
  return [
    ...(facts.perf === undefined
      ? [judgeBpftrace(facts.bpftrace, facts.askedBpftrace)]
      : [judgePerf(facts.perf)]),
    judgeRoot(facts),
    ...judgeBounding(facts),
    lockdown(facts),
    // Without vhost there is nothing to record, whatever else is the case.
    ...(facts.vhost.isLoaded ? [] : judgeVhost(facts)),
    // What no command can put right comes before what one can.
    ...kernelOptions(facts),
    ...testedKernel(facts),
    tracing(facts),
    ...(facts.vhost.isLoaded ? judgeVhost(facts) : []),
    ...judgeStructsForPerf(facts),
    ...judgeFunctions(facts),
    ...judgeDirectMap(facts),
    preemption(facts),
    ...memory(facts),
    ...returns(facts),
    devices(facts),
  ];
}

function lockdown({ kernel }: HostFacts): Finding {
  if (kernel.lockdown !== 'confidentiality')
    return {
      id: 'lockdown',
      verdict: 'ok',
      found: `kernel lockdown: ${kernel.lockdown ?? 'not in this kernel'}`,
    };
  return {
    id: 'lockdown',
    verdict: 'blocked',
    found: 'kernel lockdown: confidentiality',
    cost: 'the kernel lets nobody read its memory',
    change: 'boot with lockdown=integrity or lockdown=none',
  };
}

function tracing({ tracefs, isRoot, kernel }: HostFacts): Finding {
  if (tracefs !== undefined)
    return { id: 'tracefs', verdict: 'ok', found: `tracefs at ${tracefs}` };
  if (!isRoot)
    return {
      id: 'tracefs',
      verdict: 'limited',
      found: 'tracefs cannot be looked at: that needs root',
      cost: 'which functions can be probed is not known: those that the kernel has are taken for it',
      change: 'run it with sudo',
    };
  return {
    id: 'tracefs',
    verdict: 'blocked',
    found: 'no tracefs with kprobes at /sys/kernel/tracing',
    cost: 'no function can be probed',
    // Mounting cannot help where the kernel has no kprobes: its files would still be missing.
    change:
      kernel.config['KPROBES'] === 'n'
        ? 'use a kernel with CONFIG_KPROBES; mounting tracefs does not help on this one'
        : 'mount it: mount -t tracefs nodev /sys/kernel/tracing',
  };
}

const NEEDED_OPTIONS: Readonly<Record<string, string>> = {
  KPROBES: 'no function can be probed',
  BPF_SYSCALL: 'bpftrace cannot run',
  DEBUG_INFO_BTF: 'the fields of kernel structs cannot be found',
  DEBUG_INFO_BTF_MODULES: 'the fields of structs of modules cannot be found',
  // vhost_dev->mm->owner tells whose memory it is.
  MEMCG: 'the owner of an address space cannot be found',
};

function kernelOptions({ kernel: { config, release, architecture }, perf }: HostFacts): Finding[] {
  const kernel = `Linux ${release} on ${architecture}`;
  if (Object.keys(config).length === 0)
    return [{ id: 'kernel', verdict: 'ok', found: `${kernel}; its configuration cannot be read` }];
  const missing = Object.keys(NEEDED_OPTIONS).filter(
    (name) => config[name] === 'n' && (perf === undefined || name !== 'BPF_SYSCALL'),
  );
  const notifier: Finding[] =
    config['MMU_NOTIFIER'] === 'n'
      ? [
          {
            id: 'mmu_notifier',
            verdict: 'limited',
            found: 'CONFIG_MMU_NOTIFIER is off',
            cost: 'invalidations are invisible, and no design could map rings on this kernel',
            change: 'use a kernel that has it',
          },
        ]
      : [];
  if (missing.length === 0)
    return [
      { id: 'kernel', verdict: 'ok', found: `${kernel}, configured for tracing` },
      ...notifier,
    ];
  return [
    ...missing.map((name): Finding => ({
      id: `config_${name.toLowerCase()}`,
      verdict: 'blocked',
      found: `${kernel}: CONFIG_${name} is off`,
      cost: NEEDED_OPTIONS[name] ?? '',
      change: 'use a kernel that has it',
    })),
    ...notifier,
  ];
}

/** The newest of which the functions and structs are known here. */
const NEWEST_TESTED = [6, 12] as const;

function testedKernel({ kernel: { release } }: HostFacts): Finding[] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release)?.map(Number) ?? [];
  if (major === undefined || minor === undefined) return [];
  const [newestMajor, newestMinor] = NEWEST_TESTED;
  if (major < newestMajor || (major === newestMajor && minor <= newestMinor)) return [];
  return [
    {
      id: 'untested_kernel',
      verdict: 'limited',
      found: `Linux ${release}: not tested on this kernel`,
      cost: `the newest that was tested is ${NEWEST_TESTED.join('.')}: what a recording sees goes by the functions that this kernel has, and what they do since is not known`,
      change: 'nothing, but hold a first recording against a load of which the accesses are known',
    },
  ];
}

function preemption({ kernel }: HostFacts): Finding {
  if (kernel.preemption !== undefined)
    return {
      id: 'preemption',
      verdict: 'ok',
      found:
        kernel.preemption === 'voluntary'
          ? 'kernel code is not preempted: a replay can tell the most'
          : 'kernel code is preempted: a replay can tell less of what happens at the same time',
    };
  return {
    id: 'preemption',
    verdict: 'limited',
    found: 'whether kernel code is preempted is not known',
    cost: 'a replay has to assume that it is, and more of its answers are ambiguous',
    change: 'mount debugfs: mount -t debugfs nodev /sys/kernel/debug',
  };
}

/** Nothing of this stops a recording: it says what invalidations are to be expected. */
function memory({ memory: facts }: HostFacts): Finding[] {
  const words = (on: boolean | undefined): string =>
    on === undefined ? 'not in this kernel' : on ? 'on' : 'off';
  const swap = facts.swapBytes === undefined ? 'not known' : byteSize(facts.swapBytes);
  return [
    {
      id: 'memory',
      verdict: 'ok',
      found: `THP ${facts.thp ?? 'not in this kernel'}, KSM ${words(facts.ksm)}, NUMA balancing ${words(facts.numaBalancing)} (${counted(facts.numaNodes, 'node')}), swap ${swap}`,
    },
  ];
}

/** Owners of devices that are named; a host may have hundreds. */
const NAMED_OWNERS = 8;

function ownersOf({ devices: open }: HostFacts['vhost']): string {
  const howMany = new Map<string, number>();
  for (const { path, pid, comm } of open) {
    const owner = `${path} of ${comm} (${pid})`;
    howMany.set(owner, (howMany.get(owner) ?? 0) + 1);
  }
  const owners = [...howMany].map(([owner, times]) =>
    times === 1 ? owner : `${times} × ${owner}`,
  );
  const others = owners.length - NAMED_OWNERS;
  const named = owners.slice(0, NAMED_OWNERS).join(', ');
  return others > 0 ? `${named}, and those of ${others} more` : named;
}

/** A worker that is preempted in a round keeps one of the places in which the kernel follows its return. */
function returns({ vhost, kernel: { possibleCpus } }: HostFacts): Finding[] {
  const open = vhost.devices.length;
  if (possibleCpus === undefined || open <= possibleCpus) return [];
  return [
    {
      id: 'returns',
      verdict: 'limited',
      found: `${open} vhost devices are open on ${counted(possibleCpus, 'CPU')}`,
      cost: 'the kernel follows about as many returns of a function at a time as there are CPUs: where more workers than that are preempted in a round at once, ends of rounds are not seen. They are counted as lost, and the trace is not complete',
      change:
        'nothing, unless a trace says that rounds are lost: then record while fewer devices work',
    },
  ];
}

function devices({ vhost, isRoot }: HostFacts): Finding {
  const found =
    vhost.devices.length === 0
      ? 'no vhost device is open now; those that are opened during a recording would be in it'
      : `open: ${ownersOf(vhost)}`;
  if (isRoot) return { id: 'devices', verdict: 'ok', found };
  return {
    id: 'devices',
    verdict: 'limited',
    found,
    cost: "other users' devices are not seen",
    change: 'run it with sudo',
  };
}
