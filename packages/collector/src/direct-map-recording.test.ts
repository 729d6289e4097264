/** The plan and the program for hosts whose vhost has the direct-map code. No such kernel was booted. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INLINED, TRACEABLE, WHOLE } from '../test/direct-map-host.ts';
import { STRUCTS } from '../test/direct-map-structs.ts';
import { pretendedHost, type HostFiles } from '../test/pretended-host.ts';
import { temporaryFolder } from '../test/traces.ts';
import { readHostFacts } from './host/host-facts.js';
import { planRecording, type BpftraceRecording } from './plan-recording.js';
import { DETAILS, type Detail } from './probe-plan/detail.js';
import { planText } from './probe-plan/plan-text.js';

async function planOf(files: HostFiles, detail: Detail): Promise<BpftraceRecording> {
  return planRecording(await readHostFacts(pretendedHost({ files }), 'bpftrace'), { detail });
}

const without = (files: HostFiles, ...names: readonly string[]): HostFiles => ({
  [TRACEABLE]: (files[TRACEABLE] ?? '')
    .split('\n')
    .filter((line) => !names.some((name) => line.split(' ')[0] === name))
    .join('\n'),
});

const probesOf = (program: string): string[] =>
  [...program.matchAll(/^(k(?:ret)?probe:\S+?)(?=,?$)/gm)].map(([, probe = '']) => probe);

const HOSTS: readonly (readonly [name: string, files: HostFiles, detail: Detail])[] = [
  ['direct-map', WHOLE, 'accesses'],
  ['direct-map-inlined', INLINED, 'rounds'],
];

describe.each(HOSTS)('%s, %s', (name, files, detail) => {
  it('has this program', async () => {
    const { command } = await planOf(files, detail);
    await expect(command.program).toMatchFileSnapshot(`../test/hosts/${name}-${detail}.bt`);
  });

  it('has this plan', async () => {
    const { plan, remarks } = await planOf(files, detail);
    const text = planText(plan, remarks);
    await expect(text).toMatchFileSnapshot(`../test/hosts/${name}-${detail}.txt`);
    expect(text).toContain('Untested');
  });
});

describe.each([
  ['each function stands on its own', WHOLE],
  ['all is inlined that can be', INLINED],
])('%s', (_, files) => {
  it.each(DETAILS)(
    '%s: no map is read that is never written, and all are cleared',
    async (detail) => {
      const { program } = (await planOf(files, detail)).command;
      for (const map of new Set(program.match(/@\w+/g))) {
        expect(program).toContain(`clear(${map});`);
        expect(program).toMatch(new RegExp(`${map}\\[[^\\]]+\\](?: = |\\+\\+| \\+= )`));
      }
    },
  );

  it.each(DETAILS)('%s: no function is probed that the host does not have', async (detail) => {
    const { program } = (await planOf(files, detail)).command;
    const there = new Set((files[TRACEABLE] ?? '').split('\n').map((line) => line.split(' ')[0]));
    for (const probe of probesOf(program)) expect(there).toContain(probe.split(':')[1]);
  });
});

describe('what is judged by what', () => {
  it('each access is told with its decision where each accessor is a function', async () => {
    const { header, command } = await planOf(WHOLE, 'accesses');
    expect(header.probes?.hostKind).toBe('direct-map');
    expect(command.program).toContain('# vhostscope 1 direct-map');
    expect(probesOf(command.program)).not.toContain('kprobe:vhost_get_vq_desc');
  });

  it.each([
    ['at another level', WHOLE, 'calls'],
    ['where one is inlined', without(WHOLE, 'vhost_get_desc'), 'accesses'],
    ['where all are', INLINED, 'accesses'],
  ] as const)('they are derived %s', async (_, files, detail) => {
    const { header, command, plan } = await planOf(files, detail);
    expect(header.probes?.hostKind).toBeUndefined();
    expect(command.program).toContain('# vhostscope 1');
    const probes = probesOf(command.program);
    expect(probes).toContain('kprobe:vhost_get_vq_desc');
    expect(probes).toContain('kprobe:vhost_invalidate_range_start');
    expect(probes.filter((probe) => probe === 'kprobe:vhost_put_used')).toEqual([]);
    expect(plan.views.find(({ what }) => what === "vhost's own callbacks")?.certainty).toBe(
      'exact',
    );
  });

  it('names the accessors that are inlined', async () => {
    const { plan } = await planOf(without(WHOLE, 'vhost_get_desc'), 'accesses');
    expect(plan.views.find(({ what }) => what === 'accesses by accessor')?.note).toMatch(
      /\. vhost_get_desc is inlined, so what became of an access is not told$/,
    );
  });

  it('a stock kernel is none, though it has notifiers and an accessor', async () => {
    const files = without(WHOLE, 'vhost_invalidate_range_start', 'vhost_invalidate_range_end');
    const { plan, command } = await planOf(files, 'accesses');
    expect(plan.directMap).toBeUndefined();
    expect(command.program).not.toContain('mmu_notifier_register');
  });

  it.each([
    ['vhost_map_prefetch', 'attempts to map', 'by rule'],
    ['get_user_pages_fast_only', 'attempts to map', 'invisible'],
    ['vhost_uninit_vq_maps', 'life of devices and their notifier', 'by rule'],
    ['vhost_vq_reset', 'life of devices and their notifier', 'by rule'],
  ])('without %s, %s: %s', async (name, view, certainty) => {
    const { plan } = await planOf(without(WHOLE, name), 'accesses');
    expect(plan.views.find(({ what }) => what === view)?.certainty).toBe(certainty);
  });
});

/** Version of the bpftrace of this machine. */
const bpftrace = /\d+\.\d+/.exec(
  spawnSync('bpftrace', ['--version']).stdout?.toString() ?? '',
)?.[0];

/** Root, for bpftrace looks at nothing otherwise; what it attaches to need not be there. */
describe.runIf(bpftrace === '0.17' && process.getuid?.() === 0)('bpftrace 0.17', () => {
  const folder = temporaryFolder();

  it.each([
    ['accesses', WHOLE],
    ['rounds', INLINED],
    ['calls', without(WHOLE, 'vhost_uninit_vq_maps', 'vhost_vq_reset')],
  ] as const)(
    'translates the program for %s, given structs of that shape',
    async (detail, files) => {
      const { program } = (await planOf(files, detail)).command;
      const path = join(folder, `${detail}.bt`);
      writeFileSync(path, STRUCTS + program);
      // A dry run. It ends with an error when the program has one.
      const options = { stdio: 'pipe', timeout: 60_000, maxBuffer: 1 << 28 } as const;
      expect(() => execFileSync('bpftrace', ['-d', path], options)).not.toThrow();
      writeFileSync(path, STRUCTS + program.replace('->maps[0]', '->nosuch[0]'));
      expect(() => execFileSync('bpftrace', ['-d', path], options)).toThrow(/nosuch/);
    },
    120_000,
  );
});
