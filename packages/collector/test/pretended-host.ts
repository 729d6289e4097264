/** A folder that looks like a host, as far as `collector` looks at one. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hostSources, type HostSources } from '../src/host/host-sources.ts';
import { temporaryFolder } from './traces.ts';

const top = temporaryFolder();
let made = 0;

/** Text by path, or null for what is not there. */
export type HostFiles = Readonly<Record<string, string | null>>;

/** Debian 12 with vhost_net loaded and QEMU at work, as the testbed's host shows itself. */
export const DEBIAN_12: HostFiles = {
  '/proc/sys/kernel/osrelease': '6.1.0-56-amd64\n',
  '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu smep smap\n',
  '/proc/kallsyms': [
    'ffffffff82a12a40 D page_offset_base',
    'ffffffff82b0e4d8 D sme_me_mask',
    '',
  ].join('\n'),
  '/proc/meminfo': 'MemTotal:  2000 kB\nSwapTotal:       1024 kB\n',
  '/proc/sys/kernel/perf_event_paranoid': '2\n',
  '/proc/sys/kernel/numa_balancing': '1\n',
  '/sys/kernel/mm/transparent_hugepage/enabled': '[always] madvise never\n',
  '/sys/kernel/mm/ksm/run': '0\n',
  '/sys/devices/system/node/node0/x': '',
  '/sys/kernel/debug/sched/preempt': 'none (voluntary) full\n',
  '/sys/kernel/btf/vmlinux': '',
  '/sys/kernel/btf/vhost': '',
  '/sys/module/vhost/x': '',
  '/sys/module/vhost_net/x': '',
  '/sys/kernel/tracing/kprobe_events': '',
  '/sys/kernel/tracing/available_filter_functions': [
    'vfs_read',
    '__mmu_notifier_invalidate_range_start',
    '__mmu_notifier_invalidate_range_end',
    'exit_mmap',
    'flush_tlb_mm_range',
    'vq_meta_prefetch [vhost]',
    'vhost_vring_ioctl [vhost]',
    'vhost_dev_set_owner [vhost]',
    'vhost_dev_cleanup [vhost]',
    'vhost_init_device_iotlb [vhost]',
    'vhost_vq_init_access [vhost]',
    'vhost_get_vq_desc [vhost]',
    'vhost_discard_vq_desc [vhost]',
    'vhost_add_used_n [vhost]',
    'vhost_add_used_and_signal [vhost]',
    'vhost_add_used_and_signal_n [vhost]',
    'vhost_signal [vhost]',
    'vhost_enable_notify [vhost]',
    'vhost_disable_notify [vhost]',
    'vhost_vq_avail_empty [vhost]',
    'vhost_enqueue_msg [vhost]',
    'vhost_chr_read_iter [vhost]',
    'vhost_chr_write_iter [vhost]',
    'vhost_iotlb_add_range [vhost_iotlb]',
    'vhost_iotlb_del_range [vhost_iotlb]',
    'log_write [vhost]',
    'handle_rx [vhost_net]',
    'handle_tx [vhost_net]',
    '',
  ].join('\n'),
  '/boot/config-6.1.0-56-amd64': [
    'CONFIG_KPROBES=y',
    'CONFIG_BPF_SYSCALL=y',
    'CONFIG_MMU_NOTIFIER=y',
    'CONFIG_DEBUG_INFO_BTF=y',
    'CONFIG_DEBUG_INFO_BTF_MODULES=y',
    'CONFIG_MEMCG=y',
    'CONFIG_VHOST_NET=m',
    'CONFIG_VHOST_VSOCK=m',
    'CONFIG_PREEMPT_DYNAMIC=y',
    '',
  ].join('\n'),
  '/lib/modules/6.1.0-56-amd64/modules.dep': '',
  '/proc/417/comm': 'qemu-system-x86\n',
};

export interface PretendedHost {
  readonly files?: HostFiles;
  readonly uid?: number;
  /** What `bpftrace --version` prints; null when there is no bpftrace. */
  readonly bpftrace?: string | null;
  /** What `perf --version` prints; null when there is no perf. */
  readonly perf?: string | null;
  /** What becomes of setpriv; null when there is none. */
  readonly setpriv?: 'works' | 'refuses' | null;
  readonly architecture?: string;
  /** How often a process holds /dev/vhost-net open; 417 does so once. */
  readonly openDevices?: Readonly<Record<number, number>>;
}

export function pretendedHost({
  files = {},
  uid = 0,
  bpftrace = 'bpftrace v0.17.0\n',
  perf = 'perf version 6.1.187\n',
  setpriv = 'works',
  architecture = 'x86_64',
  openDevices = {},
}: PretendedHost = {}): HostSources {
  const root = join(top, String(made++));
  for (const [path, text] of Object.entries({ ...DEBIAN_12, ...files })) {
    if (text === null) continue;
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text, 'latin1');
  }
  for (const [pid, times] of Object.entries({ 417: 1, ...openDevices })) {
    const descriptors = join(root, `/proc/${pid}/fd`);
    mkdirSync(descriptors, { recursive: true });
    for (let fd = 9; fd < 9 + times; fd++)
      symlinkSync('/dev/vhost-net', join(descriptors, String(fd)));
    symlinkSync('/dev/null', join(descriptors, '0'));
  }
  return {
    ...hostSources(root),
    run: async (program, args) => {
      const said = (name: string) => (name.endsWith('perf') ? perf : bpftrace) ?? undefined;
      if (program !== 'setpriv') return Promise.resolve(said(program));
      if (setpriv === null) return Promise.resolve(undefined);
      const started = args.includes('--') ? said(args[args.indexOf('--') + 1] ?? '') : 'setpriv';
      return Promise.resolve(setpriv === 'works' || started === 'setpriv' ? started : undefined);
    },
    user: { uid },
    architecture,
  };
}
