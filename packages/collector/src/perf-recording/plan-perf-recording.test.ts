import { expect, it, describe } from 'vitest';
import { PERF_HOST } from '../../test/perf-host.ts';
import { pretendedHost, type PretendedHost } from '../../test/pretended-host.ts';
import { readHostFacts } from '../host/host-facts.js';
import type { Detail } from '../probe-plan/detail.js';
import { recordingOrBlocked, type RecordingOutlook } from '../plan-recording.js';
import { perfOutlookOf } from './plan-perf-recording.js';

async function outlook(
  host: PretendedHost = {},
  detail: Detail = 'rounds',
): Promise<RecordingOutlook> {
  const sources = pretendedHost({ ...host, files: { ...PERF_HOST, ...host.files } });
  return perfOutlookOf(await readHostFacts(sources, 'bpftrace', 'perf'), { detail });
}

describe('a host without bpftrace', () => {
  it('is recorded by probes that are made of its structs and its code', async () => {
    const { blockers, recording } = await outlook({ bpftrace: null });
    expect(blockers).toEqual([]);
    expect(recording?.command.program).toMatchSnapshot();
  });

  it('tells who recorded it, and what perf does not see', async () => {
    const { header, lookedAtPages, remarks } = recordingOrBlocked(await outlook());
    expect(header.host).toMatchObject({ perf: '6.1.187' });
    expect(header.host).not.toHaveProperty('bpftraceTested');
    expect(lookedAtPages).toEqual([0, 0, 0]);
    expect(remarks).toEqual([]);
    const views = new Map(header.probes?.views.map((view) => [view.what, view]));
    expect(views.get('heads and used entries')).toMatchObject({
      certainty: 'exact',
      by: ['vhost_net:handle_rx+290', 'vhost_net:handle_tx+74', 'vhost_net:handle_tx+183'],
    });
    expect(views.get('accesses by accessor')?.note).toContain('get_desc is estimated');
    expect(views.get('changes where no notifier listens')).toMatchObject({
      certainty: 'invisible',
      by: [],
    });
    expect(views.get('pages')).toMatchObject({ certainty: 'estimated' });
  });
});

describe('cannot be recorded with perf, and says why:', () => {
  const reasonsOf = async (host: PretendedHost, detail?: Detail): Promise<string[]> =>
    (await outlook(host, detail)).blockers.map(({ reason }) => reason);

  it.each(['calls', 'accesses'] as const)('--detail %s', async (detail) => {
    const [reason, ...others] = await reasonsOf({}, detail);
    expect(reason).toContain(`--detail ${detail} cannot be recorded with perf`);
    expect(others).toEqual([]);
  });

  it.each([
    ['no perf', { perf: null }, 'no perf: nothing can be recorded with it'],
    ['an old perf', { perf: 'perf version 4.19.1' }, 'perf 4.19.1: it lacks'],
    ['another architecture', { architecture: 'aarch64' }, 'code of aarch64 is not looked through'],
    ['no kcore', { files: { '/proc/kcore': null } }, '/proc/kcore cannot be read'],
    [
      'addresses that are hidden',
      { files: { '/proc/kallsyms': '0000000000000000 T mutex_unlock\n' } },
      '/proc/kallsyms does not tell where mutex_unlock is',
    ],
    [
      'code that does not let go',
      { files: { '/proc/kcore': PERF_HOST['/proc/kcore']?.replaceAll('\u00e8', '\u0090') ?? '' } },
      'no place is found where a handler of vhost lets go of its virtqueue',
    ],
    [
      'other structs',
      { files: { '/sys/kernel/btf/vhost': 'x' } },
      'cannot be understood: it is no BTF',
    ],
    [
      'structs without a field',
      {
        files: {
          '/sys/kernel/btf/vhost':
            PERF_HOST['/sys/kernel/btf/vhost']?.replace('private_data', 'private_date') ?? '',
        },
      },
      'struct vhost_virtqueue of this kernel has no private_data',
    ],
  ])('%s', async (_what, host, reason) => {
    expect((await reasonsOf(host)).join('\n')).toContain(reason);
  });

  const unloaded: PretendedHost['files'] = {
    '/sys/module/vhost/x': null,
    '/sys/module/vhost_net/x': null,
    '/sys/kernel/btf/vhost': null,
    '/sys/kernel/tracing/available_filter_functions': 'vfs_read\n',
  };

  it('vhost is not loaded, and nothing that follows from it', async () => {
    expect(await reasonsOf({ files: unloaded })).toEqual([
      'vhost is not loaded: its functions cannot be probed before they are there',
    ]);
    const withoutKprobes = {
      ...unloaded,
      '/boot/config-6.1.0-56-amd64': 'CONFIG_KPROBES=n\nCONFIG_VHOST_NET=m\n',
    };
    const [first, ...others] = await reasonsOf({ files: withoutKprobes });
    expect(first).toMatch(/^vhost is not loaded/);
    expect(others.join('\n')).toMatch(/CONFIG_KPROBES is off/);
    expect(others.join('\n')).not.toMatch(/vhost/);
  });

  it('nothing of BPF is needed', async () => {
    const config = '/boot/config-6.1.0-56-amd64';
    const { blockers } = await outlook({
      files: {
        [config]:
          'CONFIG_KPROBES=y\nCONFIG_DEBUG_INFO_BTF=y\nCONFIG_DEBUG_INFO_BTF_MODULES=y\nCONFIG_MEMCG=y\nCONFIG_MMU_NOTIFIER=y\n',
      },
    });
    expect(blockers).toEqual([]);
  });
});
