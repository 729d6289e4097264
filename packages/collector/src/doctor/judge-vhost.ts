import type { HostFacts } from '../host/host-facts.js';
import type { KernelFacts } from '../host/kernel-facts.js';
import type { Finding } from './findings.js';

/** Whether vhost is there, with a driver, and describes its structs. */
export function judgeVhost(facts: HostFacts): Finding[] {
  return [vhostModule(facts), ...structs(facts), ...withoutRounds(facts)];
}

/** A driver that never calls vq_meta_prefetch (reference §5.1). */
function withoutRounds({ vhost }: HostFacts): Finding[] {
  if (!vhost.modules.includes('vhost_scsi')) return [];
  return [
    {
      id: 'scsi',
      verdict: 'limited',
      found: 'vhost_scsi is loaded, whose virtqueues begin no rounds',
      cost: 'they are not in a recording. No design that maps in rounds would ever have mapped them: all of their accesses are copies',
      change: 'take what is recorded as that of the other drivers',
    },
  ];
}

/** Drivers that use vhost, and the option without which a kernel has none. The first is the usual one. */
const DRIVERS: Readonly<Record<string, string>> = {
  vhost_net: 'VHOST_NET',
  vhost_vsock: 'VHOST_VSOCK',
};

function vhostModule({ vhost, kernel }: HostFacts): Finding {
  const drivers = vhost.modules.filter((name) => !/^vhost(_iotlb|_vdpa)?$/.test(name));
  const id = 'vhost';
  if (vhost.isLoaded && drivers.length > 0)
    return { id, verdict: 'ok', found: `vhost is loaded, with ${drivers.join(', ')}` };
  const verdict = vhost.isLoaded ? 'limited' : 'blocked';
  const found = vhost.isLoaded
    ? 'vhost is loaded, and no driver that uses it'
    : 'vhost is not loaded';
  // What is not known of the kernel's configuration may be there.
  const isMissing = (name: string): boolean => kernel.config[DRIVERS[name] ?? ''] === 'n';
  const missing = Object.keys(DRIVERS).filter(isMissing);
  const driver = Object.keys(DRIVERS).find((name) => !isMissing(name));
  const options = missing.map((name) => `CONFIG_${DRIVERS[name] ?? ''}`).join(', ');
  const without =
    missing.length === 0
      ? ''
      : `; this kernel is built without ${missing.join(' and ')} (not set: ${options})`;
  return {
    id,
    verdict,
    found: found + without,
    cost: costOf(vhost.isLoaded, driver !== undefined),
    change: howToLoad(driver, kernel),
  };
}

function costOf(isLoaded: boolean, canBeLoaded: boolean): string {
  if (isLoaded) return 'the return of handlers cannot be probed: no access is seen';
  return canBeLoaded
    ? 'its functions cannot be probed before they are there'
    : 'there are no rings to record';
}

function howToLoad(driver: string | undefined, { hasModules, release }: KernelFacts): string {
  if (driver === undefined) return 'use a kernel that is built with vhost_net';
  return hasModules
    ? `modprobe ${driver}`
    : `install the modules of this kernel (there is no /lib/modules/${release}), then modprobe ${driver}; or use a kernel with vhost`;
}

/** A module that is not loaded is said to be missing once. */
function structs({ vhost }: HostFacts): Finding[] {
  if (!vhost.isLoaded) return [];
  if (vhost.hasBtf)
    return [{ id: 'btf', verdict: 'ok', found: 'the kernel describes the structs of vhost (BTF)' }];
  return [
    {
      id: 'btf',
      verdict: 'blocked',
      found: 'no /sys/kernel/btf/vhost beside /sys/kernel/btf/vmlinux',
      cost: 'the fields of struct vhost_virtqueue cannot be found',
      change: 'use a kernel with CONFIG_DEBUG_INFO_BTF_MODULES',
    },
  ];
}
