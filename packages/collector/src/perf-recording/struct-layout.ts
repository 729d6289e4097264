/** Where what is recorded lies in the kernel's structs, by its own description of them. */
import type { HostSources } from '../host/host-sources.js';
import { findMember, type KernelTypes, type Member } from '../host/kernel-types.js';
import { readVhostTypes } from '../host/vhost-types.js';

/** Members that are read; of one with several names, by kernel, the first that is there. */
const MEMBERS = {
  virtqueue: {
    dev: ['dev'],
    mutex: ['mutex'],
    num: ['num'],
    desc: ['desc'],
    avail: ['avail'],
    used: ['used'],
    lastAvailIdx: ['last_avail_idx'],
    availIdx: ['avail_idx'],
    lastUsedIdx: ['last_used_idx'],
    usedFlags: ['used_flags'],
    features: ['acked_features'],
    signalledUsedValid: ['signalled_used_valid'],
    callEventfd: ['call_ctx.ctx', 'call_ctx'],
    iotlb: ['iotlb'],
    polls: ['busyloop_timeout'],
    backend: ['private_data'],
  },
  device: { mm: ['mm'], virtqueues: ['vqs'], count: ['nvqs'] },
  // Renamed for Linux 5.6.
  memory: { owner: ['owner'], notifiers: ['notifier_subscriptions', 'mmu_notifier_mm'] },
  task: { process: ['tgid'] },
  range: { mm: ['mm'], start: ['start'], end: ['end'], flags: ['flags'], cause: ['event'] },
} as const;

const STRUCTS = {
  virtqueue: 'vhost_virtqueue',
  device: 'vhost_dev',
  memory: 'mm_struct',
  task: 'task_struct',
  range: 'mmu_notifier_range',
} as const;

export type StructLayout = {
  readonly [Struct in keyof typeof MEMBERS]: {
    readonly [Name in keyof (typeof MEMBERS)[Struct]]: Member;
  };
};

/** @returns the reason, to end a sentence with, where it is not known */
export function readLayout(sources: Pick<HostSources, 'readText'>): StructLayout | string {
  const types = readVhostTypes(sources);
  return typeof types === 'string' ? types : layoutOf(types);
}

function layoutOf(types: KernelTypes): StructLayout | string {
  const layout: Record<string, Record<string, Member>> = {};
  for (const [struct, members] of Object.entries(MEMBERS)) {
    const name = STRUCTS[struct as keyof typeof STRUCTS];
    const places: Record<string, Member> = {};
    for (const [member, names] of Object.entries(members)) {
      const place = (names as readonly string[])
        .map((path) => findMember(types, name, path))
        .find((found) => found !== undefined && found.offset <= 0xffff_ffff);
      if (place === undefined) return `struct ${name} of this kernel has no ${names[0]}`;
      places[member] = place;
    }
    layout[struct] = places;
  }
  return layout as StructLayout;
}
