/**
 * Plans for kernels newer than the tested ones, by the functions that they have. `linux-6.12.functions` are those of
 * Debian's vhost modules, and what a plan asks of the memory manager; what 6.18 has beside them is known from mails (reference §4.7), and was run nowhere.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pretendedHost, type HostFiles } from '../test/pretended-host.ts';
import { judgeFunctions } from './doctor/judge-functions.js';
import { readHostFacts, type HostFacts } from './host/host-facts.js';
import { planRecording, type BpftraceRecording } from './plan-recording.js';
import { DETAILS, type Detail } from './probe-plan/detail.js';

const FUNCTIONS = '/sys/kernel/tracing/available_filter_functions';
const V6_12 = readFileSync(join(import.meta.dirname, '../test/hosts/linux-6.12.functions'), 'utf8');
const V6_18 = `${V6_12}vhost_get_vq_desc_n [vhost]\n`;

const KERNELS = {
  '6.12': { '/proc/sys/kernel/osrelease': '6.12.117+deb12-amd64\n', [FUNCTIONS]: V6_12 },
  '6.18-rc4': { '/proc/sys/kernel/osrelease': '6.18.0-rc4\n', [FUNCTIONS]: V6_12 },
  '6.18': { '/proc/sys/kernel/osrelease': '6.18.1\n', [FUNCTIONS]: V6_18 },
  'with it taken back': { '/proc/sys/kernel/osrelease': '6.16.9-vendor\n', [FUNCTIONS]: V6_18 },
} satisfies Record<string, HostFiles>;

const factsOf = async (files: HostFiles): Promise<HostFacts> =>
  readHostFacts(
    pretendedHost({ files: { ...files, '/sys/module/vhost_vsock/x': '' } }),
    'bpftrace',
  );

async function plan(kernel: keyof typeof KERNELS, detail: Detail): Promise<BpftraceRecording> {
  return planRecording(await factsOf(KERNELS[kernel]), { detail });
}

/** Lines of the program that the one for 6.12 has not, each once. */
async function different(kernel: keyof typeof KERNELS, detail: Detail): Promise<string[]> {
  const lines = async (of: keyof typeof KERNELS): Promise<string[]> =>
    (await plan(of, detail)).command.program.split('\n').map((line) => line.trim());
  const known = new Set(await lines('6.12'));
  return [...new Set((await lines(kernel)).filter((line) => !known.has(line)))];
}

const view = ({ plan: { views } }: BpftraceRecording, what: string) =>
  views.find((one) => one.what === what);

describe('6.12', () => {
  it.each(DETAILS)('is recorded as 6.1 is, with vsock beside: %s', async (detail) => {
    const { command, plan: probes } = await plan('6.12', detail);
    const points = command.program.match(/^k(?:ret)?probe:\S+?(?=,?$)/gm);
    await expect(`${points?.join('\n')}\n`).toMatchFileSnapshot(
      `../test/hosts/linux-6.12-${detail}.points`,
    );
    expect(probes).toMatchObject({ mayBeInOrder: false, notifierField: 'notifier_subscriptions' });
  });
});

describe('6.18', () => {
  it('tells of each round whether its virtqueue is used in order', async () => {
    expect(await different('6.18', 'rounds')).toEqual(['$ring |= (($features >> 35) & 1) << 54;']);
    expect(view(await plan('6.18', 'rounds'), 'accesses by accessor')).toMatchObject({
      certainty: 'by rule',
      note: expect.stringMatching(/VIRTIO_F_IN_ORDER no heads are read.*Untested/) as string,
    });
  });

  it.each(['calls', 'accesses'] as const)(
    'fetches by another function, puts by another argument, and leaves those out that are in order: %s',
    async (detail) => {
      const lines = await different('6.18', detail);
      expect(lines).toContain('kprobe:vhost_get_vq_desc_n');
      expect(lines).toContain('$count = (uint64)arg3 & 0xffffffff;');
      await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(
        `../test/hosts/linux-6.18-${detail}.changes`,
      );
      expect(view(await plan('6.18', detail), 'accesses by accessor')).toMatchObject({
        by: expect.arrayContaining(['vhost_get_vq_desc_n', 'vhost_get_vq_desc']) as string[],
        note: expect.stringMatching(
          /VIRTIO_F_IN_ORDER they are not told at --detail \w+, and count as lost: --detail rounds tells them/,
        ) as string,
      });
    },
  );

  // They changed the arguments before they had the other function.
  it('puts by that argument in release candidates, too', async () => {
    const lines = await different('6.18-rc4', 'calls');
    expect(lines).toContain('$count = (uint64)arg3 & 0xffffffff;');
    expect(lines.join('\n')).not.toContain('vhost_get_vq_desc_n');
  });

  it('is known by what it has, whatever it is called', async () => {
    for (const detail of DETAILS)
      expect(await different('with it taken back', detail)).toEqual(
        await different('6.18', detail),
      );
  });

  it('lacks nothing, and older ones do not lack what is new', async () => {
    for (const [kernel, howMany] of [
      ['6.12', 29],
      ['6.18', 30],
    ] as const) {
      const facts = await factsOf(KERNELS[kernel]);
      expect(judgeFunctions(facts)).toMatchObject([
        { verdict: 'ok', found: `all ${howMany} functions that matter here can be probed` },
      ]);
    }
  });
});
