import { describe, expect, it } from 'vitest';
import { WHOLE } from '../../test/direct-map-host.ts';
import { DEBIAN_12, pretendedHost, type PretendedHost } from '../../test/pretended-host.ts';
import { readHostFacts } from '../host/host-facts.js';
import { findingsOf, type Finding } from './findings.js';

async function findings(host?: PretendedHost): Promise<readonly Finding[]> {
  return findingsOf(await readHostFacts(pretendedHost(host), 'bpftrace'));
}

/** Those that are not as they should be, by name. */
async function troubles(host?: PretendedHost): Promise<Record<string, string>> {
  const all = await findings(host);
  for (const { verdict, cost, change } of all) {
    expect(cost === undefined).toBe(verdict === 'ok');
    expect(change === undefined).toBe(verdict === 'ok');
  }
  return Object.fromEntries(
    all.flatMap(({ id, verdict }) => (verdict === 'ok' ? [] : [[id, verdict]])),
  );
}

it('a host on which all is well', async () => {
  expect((await findings()).map(({ verdict, found }) => `${verdict} ${found}`)).toEqual([
    'ok bpftrace 0.17.0',
    'ok running as root',
    'ok bpftrace runs as root with at most cap_bpf, cap_perfmon, cap_syslog, cap_ipc_lock',
    'ok kernel lockdown: not in this kernel',
    'ok Linux 6.1.0-56-amd64 on x86_64, configured for tracing',
    'ok tracefs at /sys/kernel/tracing',
    'ok vhost is loaded, with vhost_net',
    'ok the kernel describes the structs of vhost (BTF)',
    'ok all 27 functions that matter here can be probed',
    'ok kernel code is not preempted: a replay can tell the most',
    'ok THP always, KSM off, NUMA balancing on (1 node), swap 1.0 MB',
    'ok open: /dev/vhost-net of qemu-system-x86 (417)',
  ]);
});

const functions = '/sys/kernel/tracing/available_filter_functions';
const config = '/boot/config-6.1.0-56-amd64';
const preempt = '/sys/kernel/debug/sched/preempt';

/** What /proc/kallsyms would say of functions, to who may not see addresses. */
function symbolsOf(list: string): string {
  return list.replace(/^(\S+)(.*)$/gm, '0000000000000000 t $1$2');
}

describe('many devices', () => {
  const processes = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [500 + at, 8]));
  const files = Object.fromEntries(
    Object.keys(processes).map((pid) => [`/proc/${pid}/comm`, 'qemu\n']),
  );
  const possible = '/sys/devices/system/cpu/possible';
  const of = (all: readonly Finding[], wanted: string) => all.find(({ id }) => id === wanted);

  it('are told by their owners, and of many owners the first', async () => {
    const all = await findings({ files, openDevices: processes });
    expect(of(all, 'devices')?.found).toBe(
      `open: /dev/vhost-net of qemu-system-x86 (417), ${Array.from({ length: 7 }, (_, at) => `8 × /dev/vhost-net of qemu (${500 + at})`).join(', ')}, and those of 5 more`,
    );
    expect(of(all, 'returns')).toBeUndefined();
  });

  it('may be more than the kernel follows returns of at a time', async () => {
    const host = { files: { ...files, [possible]: '0-7,16-23\n' }, openDevices: processes };
    expect(await troubles(host)).toEqual({ returns: 'limited' });
    expect(of(await findings(host), 'returns')?.found).toBe('97 vhost devices are open on 16 CPUs');
    const wide = { ...host, files: { ...files, [possible]: '0-127\n' } };
    expect(await troubles(wide)).toEqual({});
  });
});

describe('what is not as it should be', () => {
  it.each<[string, PretendedHost, Record<string, string>]>([
    ['no bpftrace', { bpftrace: null }, { bpftrace: 'blocked' }],
    [
      'a driver whose virtqueues never map',
      { files: { '/sys/module/vhost_scsi/x': '' } },
      { scsi: 'limited' },
    ],
    ['an old one', { bpftrace: 'bpftrace v0.16.0\n' }, { bpftrace: 'blocked' }],
    ['one that was not tested', { bpftrace: 'bpftrace v0.21.2\n' }, { bpftrace: 'limited' }],
    ['one that is newer', { bpftrace: 'bpftrace v1.0.0\n' }, { bpftrace: 'limited' }],
    ['one of which nothing is known', { bpftrace: 'hello\n' }, { bpftrace: 'limited' }],
    ['not root', { uid: 1000 }, { root: 'blocked', devices: 'limited' }],
    [
      'not root, so that tracefs cannot be looked at',
      {
        uid: 1000,
        files: {
          '/sys/kernel/tracing/kprobe_events': null,
          [functions]: null,
          '/proc/kallsyms': symbolsOf(DEBIAN_12[functions] ?? ''),
        },
      },
      { root: 'blocked', tracefs: 'limited', devices: 'limited' },
    ],
    ['no setpriv', { setpriv: null }, { privileges: 'limited' }],
    ['a setpriv that is refused', { setpriv: 'refuses' }, { privileges: 'limited' }],
    [
      'root without its capabilities',
      { files: { '/proc/self/status': 'CapEff:\t00000000a80425fb\n' } },
      { root: 'limited' },
    ],
    ['no structs', { files: { '/sys/kernel/btf/vhost': null } }, { btf: 'blocked' }],
    [
      'functions of another driver that is loaded',
      { files: { '/sys/module/vhost_vsock/x': '' } },
      { functions: 'limited' },
    ],
    ['the direct-map code', { files: WHOLE }, { direct_map: 'limited' }],
    ['no round', { files: { [functions]: 'handle_tx [vhost_net]\n' } }, { functions: 'blocked' }],
    [
      'lockdown',
      { files: { '/sys/kernel/security/lockdown': 'none integrity [confidentiality]\n' } },
      { lockdown: 'blocked' },
    ],
    [
      'milder lockdown',
      { files: { '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n' } },
      {},
    ],
    [
      'no tracefs',
      { files: { '/sys/kernel/tracing/kprobe_events': null, [functions]: null } },
      { tracefs: 'blocked', functions: 'blocked' },
    ],
    [
      'a kernel without probes',
      { files: { [config]: 'CONFIG_BPF_SYSCALL=y\n' } },
      {
        config_kprobes: 'blocked',
        config_debug_info_btf: 'blocked',
        config_debug_info_btf_modules: 'blocked',
        config_memcg: 'blocked',
        mmu_notifier: 'limited',
      },
    ],
    ['a configuration that cannot be read', { files: { [config]: null } }, {}],
    [
      'no vhost',
      {
        files: {
          '/sys/module/vhost/x': null,
          '/sys/module/vhost_net/x': null,
          '/sys/kernel/btf/vhost': null,
          [functions]: 'vfs_read\n',
        },
      },
      { vhost: 'blocked' },
    ],
    ['no driver', { files: { '/sys/module/vhost_net/x': null } }, { vhost: 'limited' }],
    ['preemption that nothing tells', { files: { [preempt]: null } }, { preemption: 'limited' }],
  ])('%s', async (_, host, expected) => {
    expect(await troubles(host)).toEqual(expected);
  });
});

describe('what it would run with', () => {
  const paranoid = '/proc/sys/kernel/perf_event_paranoid';
  const found = async (host: PretendedHost, id: string): Promise<string | undefined> =>
    (await findings(host)).find((finding) => finding.id === id)?.found;

  it.each<[string, PretendedHost, string | undefined]>([
    [
      'as Debian sets it',
      { files: { [paranoid]: '3\n' } },
      'bpftrace runs as root with at most cap_sys_admin, cap_syslog, cap_ipc_lock (cap_sys_admin as kernel.perf_event_paranoid is 3: with 2, cap_perfmon does)',
    ],
    [
      'a bpftrace that was not tested',
      { bpftrace: 'bpftrace v0.21.2\n' },
      'bpftrace runs as root with at most cap_sys_admin, cap_syslog, cap_ipc_lock',
    ],
    ['no setpriv', { setpriv: null }, 'no setpriv'],
    ['refused', { setpriv: 'refuses' }, 'setpriv cannot start bpftrace with fewer capabilities'],
    ['not root', { uid: 1000 }, undefined],
    ['no bpftrace', { bpftrace: null }, undefined],
  ])('%s', async (_, host, expected) => {
    expect(await found(host, 'privileges')).toBe(expected);
  });

  it('who has the capabilities and is not root is told why that is not enough', async () => {
    const files = { '/proc/self/status': 'CapEff:\t000000c400004000\n' };
    const [root] = (await findings({ uid: 1000, files })).filter(({ id }) => id === 'root');
    expect(root).toEqual({
      id: 'root',
      verdict: 'blocked',
      found: 'not running as root, though with the capabilities that tracing takes',
      cost: 'bpftrace asks for user 0, whatever its capabilities are, and ends without it',
      change: 'run it with sudo: bpftrace gets no other capabilities then',
    });
  });

  it('who has some of them is told which are missing', async () => {
    const files = { '/proc/self/status': 'CapEff:\t000000c000000000\n' };
    const [root] = (await findings({ uid: 1000, files })).filter(({ id }) => id === 'root');
    expect(root?.found).toBe(
      'not running as root, with cap_bpf, cap_perfmon of the capabilities that tracing takes, and without cap_syslog, cap_ipc_lock',
    );
    const without = { '/proc/self/status': 'CapEff:\t0000000000000000\n' };
    expect(await found({ uid: 1000, files: without }, 'root')).toBe('not running as root');
    expect(await found({ files: without }, 'root')).toBe(
      'running as root, without cap_bpf, cap_perfmon, cap_syslog, cap_ipc_lock',
    );
  });
});

describe('a kernel that is newer than those that were tested', () => {
  const release = '/proc/sys/kernel/osrelease';
  it.each([
    ['5.18.0', false],
    ['6.12.117+deb12-amd64', false],
    ['6.13.0-rc1', true],
    ['7.0.1', true],
    ['10.1', true],
    ['hello', false],
  ])('%s', async (version, isNewer) => {
    const all = await findings({ files: { [release]: `${version}\n` } });
    expect(all.find(({ id }) => id === 'untested_kernel')).toEqual(
      isNewer
        ? expect.objectContaining({
            verdict: 'limited',
            found: `Linux ${version}: not tested on this kernel`,
          })
        : undefined,
    );
  });
});

it('advises only what can help', async () => {
  const change = async (host: PretendedHost, name: string): Promise<string | undefined> =>
    (await findings(host)).find(({ id }) => id === name)?.change;
  const noTracefs = { '/sys/kernel/tracing/kprobe_events': null, [functions]: null };
  expect(await change({ files: noTracefs }, 'tracefs')).toMatch(/^mount it/);
  const noKprobes = { ...noTracefs, [config]: 'CONFIG_BPF_SYSCALL=y\n' };
  expect(await change({ files: noKprobes }, 'tracefs')).toMatch(/mounting tracefs does not help/);
  const noVhost = { '/sys/module/vhost/x': null };
  expect(await change({ files: noVhost }, 'vhost')).toBe('modprobe vhost_net');
  const noModules = { ...noVhost, '/lib/modules/6.1.0-56-amd64/modules.dep': null };
  expect(await change({ files: noModules }, 'vhost')).toMatch(
    /^install the modules of this kernel/,
  );
});

describe('a driver that the kernel is built without', () => {
  const unloaded = { '/sys/module/vhost/x': null, '/sys/module/vhost_net/x': null };
  const options = 'CONFIG_KPROBES=y\nCONFIG_BPF_SYSCALL=y\n';
  it.each([
    [
      unloaded,
      'CONFIG_VHOST_VSOCK=m\n# CONFIG_VHOST_NET is not set\n',
      'vhost is not loaded; this kernel is built without vhost_net (not set: CONFIG_VHOST_NET)',
      'modprobe vhost_vsock',
    ],
    [
      unloaded,
      '# CONFIG_VHOST_NET is not set\n',
      'vhost is not loaded; this kernel is built without vhost_net and vhost_vsock (not set: CONFIG_VHOST_NET, CONFIG_VHOST_VSOCK)',
      'use a kernel that is built with vhost_net',
    ],
    [
      { '/sys/module/vhost_net/x': null },
      '',
      'vhost is loaded, and no driver that uses it; this kernel is built without vhost_net and vhost_vsock (not set: CONFIG_VHOST_NET, CONFIG_VHOST_VSOCK)',
      'use a kernel that is built with vhost_net',
    ],
    [
      unloaded,
      'CONFIG_VHOST_NET=m\nCONFIG_VHOST_VSOCK=m\n',
      'vhost is not loaded',
      'modprobe vhost_net',
    ],
  ])('%j, %s', async (files, drivers, found, change) => {
    const host = { files: { ...files, [config]: options + drivers } };
    const finding = (await findings(host)).find(({ id }) => id === 'vhost');
    expect(finding).toMatchObject({ found, change });
  });

  it('is not missed where the configuration cannot be read', async () => {
    const host = { files: { ...unloaded, [config]: null } };
    const finding = (await findings(host)).find(({ id }) => id === 'vhost');
    expect(finding).toMatchObject({ found: 'vhost is not loaded', change: 'modprobe vhost_net' });
  });
});

it('names the functions that cannot be probed', async () => {
  const list = (DEBIAN_12[functions] ?? '').replace(/^(?:vhost_signal|exit_mmap).*\n/gm, '');
  const { found } = (await findings({ files: { [functions]: list } })).find(
    ({ id }) => id === 'functions',
  ) ?? { found: '' };
  expect(found).toBe(
    '25 of the 27 functions that matter here can be probed, not vhost_signal, exit_mmap',
  );
});

describe('preemption', () => {
  it.each([
    ['none voluntary (full)', undefined, 'full'],
    ['(none) voluntary full', undefined, 'voluntary'],
    ['full (lazy)', undefined, 'full'],
    [null, 'CONFIG_PREEMPT_VOLUNTARY=y\n', 'voluntary'],
    [null, 'CONFIG_PREEMPT=y\n', 'full'],
    [null, 'CONFIG_PREEMPT=y\nCONFIG_PREEMPT_DYNAMIC=y\n', undefined],
  ] as const)('%s, %s', async (mode, configured, expected) => {
    const files = { [preempt]: mode, ...(configured !== undefined && { [config]: configured }) };
    const { kernel } = await readHostFacts(pretendedHost({ files }), 'bpftrace');
    expect(kernel.preemption).toBe(expected);
  });
});

it('functions of a kernel whose list cannot be read are those of its symbols', async () => {
  const symbols =
    'ffffffffc0000000 T vq_meta_prefetch\t[vhost]\n0000000000000000 t handle_tx [vhost_net]\n0000000000000000 d vhost_vring_ioctl\n0000000000000000 t __pfx_handle_rx [vhost_net]\n';
  const sources = pretendedHost({ files: { [functions]: null, '/proc/kallsyms': symbols } });
  expect((await readHostFacts(sources, 'bpftrace')).functions).toEqual([
    'vq_meta_prefetch',
    'handle_tx',
  ]);
});
