import { ProgramError } from '@vhostscope/terminal';
import { describe, expect, it } from 'vitest';
import { btfOf, KERNEL_STRUCTS, VHOST_STRUCTS } from '../test/kernel-types-text.ts';
import { pretendedHost, type PretendedHost } from '../test/pretended-host.ts';
import { readHostFacts } from './host/host-facts.js';
import { planRecording, type BpftraceRecording } from './plan-recording.js';
import { DETAILS, type Detail } from './probe-plan/detail.js';

async function plan(
  host: PretendedHost = {},
  bufferMiB?: number,
  detail: Detail = 'rounds',
): Promise<BpftraceRecording> {
  const facts = await readHostFacts(pretendedHost(host), 'bpftrace');
  return planRecording(facts, {
    detail,
    ...(bufferMiB !== undefined && { bufferMiB }),
  });
}

const functions = '/sys/kernel/tracing/available_filter_functions';
const probesOf = (program: string): string[] =>
  program.match(/^(?:kprobe|kretprobe|profile):\S+?(?=,?$)/gm) ?? [];

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('the program', () => {
  it.each(DETAILS)('for Debian 12, %s', async (detail) => {
    const { command } = await plan({}, undefined, detail);
    await expect(command.program).toMatchFileSnapshot(`../test/hosts/debian-12-${detail}.bt`);
  });

  it.each(DETAILS)('uses no map that the heartbeat or the end forgets: %s', async (detail) => {
    const { command, classes } = await plan({}, undefined, detail);
    const maps = new Set(command.program.match(/@\w+/g));
    for (const map of maps) {
      expect(command.program).toContain(`clear(${map});`);
      // bpftrace refuses a map that is read and never written.
      expect(command.program).toMatch(new RegExp(`${map}\\[[^\\]]+\\](?: = |\\+\\+| \\+= )`));
    }
    for (const { name } of classes) expect(maps).toContain(`@${name}`);
  });

  // Newer versions of bpftrace may give a bare number as few bits as it needs (reference §3.14): a map that
  // begins with one could not count far.
  it.each(DETAILS)('gives no map a bare number: %s', async (detail) => {
    const { command } = await plan({}, undefined, detail);
    expect(command.program.match(/@\w+\[[^\]]+\] = -?\d+;/g)).toBeNull();
    expect(command.program).toMatch(/@state\[cpu\] = \(uint64\)0;/);
  });

  it('probes what the kernel has, and nothing else', async () => {
    const { command, plan: probes } = await plan({
      files: { [functions]: 'vq_meta_prefetch [vhost]\nhandle_tx [vhost_net]\n' },
    });
    expect(probesOf(command.program)).toEqual([
      'kprobe:vq_meta_prefetch',
      'kretprobe:handle_tx',
      'profile:ms:100',
    ]);
    const sure = Object.fromEntries(probes.views.map(({ what, certainty }) => [what, certainty]));
    expect(sure).toMatchObject({
      rounds: 'exact',
      'accesses by accessor': 'by rule',
      invalidations: 'invisible',
      'life of devices and their notifier': 'invisible',
    });
  });

  it('reads which translations of a ring are kept where the kernel tells its types, and says so where it does not', async () => {
    const types = {
      '/sys/kernel/btf/vmlinux': textOf(btfOf(KERNEL_STRUCTS)),
      '/sys/kernel/btf/vhost': textOf(btfOf(VHOST_STRUCTS, KERNEL_STRUCTS)),
    };
    const [told, untold] = await Promise.all([plan({ files: types }), plan()]);
    const [lines, before] = [told, untold].map(
      ({ command }) => new Set(command.program.split('\n').map((line) => line.trim())),
    );
    expect([...(lines ?? [])].filter((line) => !(before?.has(line) ?? false))).toEqual([
      '$ring |= (uint64)1 << 58;',
      'if (*(uint64 *)($address + 72) != 0) {',
      '$ring |= (uint64)1 << 55;',
      'if (*(uint64 *)($address + 80) != 0) {',
      '$ring |= (uint64)1 << 56;',
      'if (*(uint64 *)($address + 88) != 0) {',
      '$ring |= (uint64)1 << 57;',
    ]);
    const sure = ({ plan: probes }: BpftraceRecording): unknown =>
      probes.views.find(({ what }) => what.includes('meta-IOTLB'));
    expect(sure(told)).toMatchObject({ certainty: 'exact', by: ['vq_meta_prefetch'] });
    expect(sure(untold)).toMatchObject({ certainty: 'invisible' });
  });

  it('begins rounds where kernels up to 5.2 do', async () => {
    const { command } = await plan({ files: { [functions]: 'vq_iotlb_prefetch [vhost]\n' } });
    expect(probesOf(command.program)).toEqual(['kprobe:vq_iotlb_prefetch', 'profile:ms:100']);
  });
});

describe('the program for other versions of bpftrace', () => {
  /** Lines that are not in the program for 0.17.0, each once, without what is in both. */
  async function different(version: string): Promise<string[]> {
    const lines = async (of: string): Promise<string[]> =>
      (await plan({ bpftrace: `bpftrace v${of}\n` })).command.program.split('\n');
    const known = new Set(await lines('0.17.0'));
    return [...new Set((await lines(version)).filter((line) => !known.has(line)))].map((line) =>
      line.trim().replace(/^printf\("[KF].*, (pid[^,]*),.* buf\(comm, 16\)\);$/, 'printf … $1'),
    );
  }

  const kfunc = ['// Names the module whose structs are read.', 'kfunc:vhost:vhost_dev_cleanup'];
  it.each([
    ['0.17.1', kfunc],
    ['0.18.1', kfunc],
    ['0.20.4', kfunc],
    ['0.21.0', ['kprobe:vhost:vq_meta_prefetch']],
    ['0.23.2', ['kprobe:vhost:vq_meta_prefetch']],
    ['0.24.0', ['printf … pid(init)']],
    ['0.27.0', ['printf … pid(init)']],
    ['1.0.0', ['printf … pid(init)']],
  ])('%s', async (version, lines) => {
    expect(new Set(await different(version))).toEqual(new Set(lines));
  });

  it.each([
    ['0.17.0', true],
    // Reads the structs of modules in another way than 0.17.0.
    ['0.17.1', false],
    ['0.22.1', false],
    ['0.23.5', false],
    ['0.27.1', false],
    ['0.28.0', false],
  ])('the trace says whether %s was tested: %s', async (version, isTested) => {
    const { header, remarks } = await plan({ bpftrace: `bpftrace v${version}\n` });
    expect(header.host?.bpftraceTested).toBe(isTested);
    expect(remarks.filter((remark) => remark.includes('untested'))).toHaveLength(isTested ? 0 : 1);
  });
});

describe('looks at page tables', () => {
  const pages = ({ plan: { views } }: BpftraceRecording) =>
    views.find(({ what }) => what === 'pages');

  it('are made by the program where it can walk them', async () => {
    const recording = await plan();
    expect(pages(recording)).toMatchObject({ certainty: 'exact' });
    expect(recording.lookedAtPages).toEqual([8, 2, 5]);
    expect(recording.command.program).toContain('kaddr("page_offset_base")');
    expect(recording.header.probes?.views.at(-1)).toMatchObject({ what: 'pages' });
  });

  it('know no encrypted memory where the kernel does not', async () => {
    const { command } = await plan({
      files: { '/proc/kallsyms': 'ffffffff82a12a40 D page_offset_base\n' },
    });
    expect(command.program).toContain('kaddr("page_offset_base")');
    expect(command.program).not.toContain('sme_me_mask');
  });

  it.each<[string, PretendedHost, RegExp]>([
    ['arm64', { architecture: 'aarch64' }, /page tables of aarch64 are not walked$/],
    [
      'five levels',
      { files: { '/proc/cpuinfo': 'flags\t\t: fpu la57 smap\n' } },
      /page tables of five levels are not walked$/,
    ],
    ['Xen', { files: { '/sys/hypervisor/guest_type': 'PV\n' } }, /under Xen/],
    ['no symbols', { files: { '/proc/kallsyms': null } }, /page_offset_base/],
  ])('are left to the collector: %s', async (_, host, note) => {
    const recording = await plan(host);
    expect(pages(recording)).toMatchObject({
      certainty: 'estimated',
      by: ['/proc/PID/pagemap'],
      note: expect.stringMatching(note) as string,
    });
    expect(recording.lookedAtPages).toEqual([0, 0, 0]);
    expect(recording.command.program).not.toMatch(/kaddr|@changed|@lookedAt/);
  });
});

describe('the buffer', () => {
  it.each([
    ['0.17.0', undefined, '1024'],
    ['0.17.0', 3, '512'],
    ['0.17.0', 0.001, '1'],
    ['0.18.1', undefined, '1024'],
    ['0.19.0', undefined, '16384'],
    ['0.20.4', undefined, '16384'],
  ])('of bpftrace %s, %s MiB', async (version, bufferMiB, pages) => {
    const { command } = await plan({ bpftrace: `bpftrace v${version}\n` }, bufferMiB);
    expect(command.env['BPFTRACE_PERF_RB_PAGES']).toBe(pages);
  });
});

describe('what the trace keeps', () => {
  it('host, plan and program', async () => {
    const { header, command } = await plan();
    expect(header).toMatchObject({
      preemption: 'voluntary',
      host: { kernel: '6.1.0-56-amd64', bpftrace: '0.17.0', smap: true, thp: 'always', ksm: false },
      probes: { detail: 'rounds' },
      program: command.program,
    });
  });
});

describe('what cannot be recorded', () => {
  it.each<[string, PretendedHost, RegExp]>([
    ['no bpftrace', { bpftrace: null }, /^no bpftrace: nothing can be recorded$/],
    ['not root', { uid: 7 }, /^not running as root: /],
    ['no module', { files: { '/sys/module/vhost/x': null } }, /^vhost is not loaded: /],
    ['no round', { files: { [functions]: 'handle_tx [vhost_net]\n' } }, /^vq_meta_prefetch, /],
  ])('%s', async (_, host, message) => {
    const error: unknown = await plan(host).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ProgramError);
    expect(error).toMatchObject({ exitCode: 3, message: expect.stringMatching(message) as string });
  });

  it('names all that is in the way', async () => {
    const host = { uid: 7, bpftrace: null, files: { '/sys/module/vhost/x': null } };
    await expect(plan(host)).rejects.toMatchObject({
      exitCode: 3,
      message: '3 things are in the way of recording this host',
      details: [
        'BLOCKED  no bpftrace: nothing can be recorded',
        'BLOCKED  not running as root: the kernel cannot be traced',
        'BLOCKED  vhost is not loaded: its functions cannot be probed before they are there',
      ],
      advice: 'collector doctor says what to change',
    });
  });

  it.each(['calls', 'accesses'] as const)(
    '--detail %s of a kernel that hides calls',
    async (detail) => {
      const files = { [functions]: 'vq_meta_prefetch [vhost]\nvhost_get_vq_desc [vhost]\n' };
      const error: unknown = await plan({ files }, undefined, detail).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        exitCode: 3,
        message: expect.stringMatching(/needs vhost_get_vq_desc and vhost_add_used_n/) as string,
      });
      expect((await plan({ files })).plan.calls).toBeUndefined();
    },
  );

  it('says so where accesses of some calls are missing', async () => {
    const files = {
      [functions]:
        'vq_meta_prefetch [vhost]\nvhost_get_vq_desc [vhost]\nvhost_add_used_n [vhost]\n',
    };
    const { plan: probes } = await plan({ files }, undefined, 'accesses');
    expect(probes.views.find(({ what }) => what === 'accesses by accessor')).toMatchObject({
      certainty: 'estimated',
      by: ['vhost_get_vq_desc', 'vhost_add_used_n'],
      note: expect.stringContaining('their accesses are missing') as string,
    });
  });
});
