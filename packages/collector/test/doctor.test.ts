/** What `doctor` and `probes` print, on hosts that are pretended. */
import { vi, describe, expect, it } from 'vitest';
import { doctorCommand } from '../src/doctor/doctor-command.ts';
import { doctorResultSchema } from '../src/doctor/doctor-result-schema.ts';
import { probesCommand } from '../src/probe-plan/probes-command.ts';
import { probesResultSchema } from '../src/probe-plan/probes-result-schema.ts';
import { main } from '../src/program.ts';
import { TRACEABLE } from './direct-map-host.ts';
import { DEBIAN_12, pretendedHost, type PretendedHost } from './pretended-host.ts';

/** Exit code and standard output of a command. */
async function printed(command: () => Promise<number>): Promise<{ code: number; out: string }> {
  let out = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text, encoding, done) => {
    out += String(text);
    (typeof encoding === 'function' ? encoding : done)?.();
    return true;
  });
  try {
    return { code: await command(), out };
  } finally {
    write.mockRestore();
  }
}

const options = { bpftrace: 'bpftrace' };

const NO_VHOST: PretendedHost = {
  files: {
    '/sys/module/vhost/x': null,
    '/sys/module/vhost_net/x': null,
    '/sys/kernel/btf/vhost': null,
    [TRACEABLE]: 'vfs_read\n',
  },
};

/** The same with the functions that such a kernel has without vhost. */
const NOT_LOADED: PretendedHost = {
  files: {
    ...NO_VHOST.files,
    [TRACEABLE]: (DEBIAN_12[TRACEABLE] ?? '').replaceAll(/^.*\[vhost.*\n/gm, ''),
  },
};

describe('doctor', () => {
  it('says yes', async () => {
    const host = pretendedHost();
    const { code, out } = await printed(async () => doctorCommand(options, host));
    expect(code).toBe(0);
    expect(out).toMatch(/^ok {7}bpftrace 0\.17\.0\n/);
    expect(out).toMatch(/\n\nyes: collector attach can record this host\n$/);
  });

  it('says no, what it costs and what to change', async () => {
    const host = pretendedHost({ bpftrace: null });
    const { code, out } = await printed(async () => doctorCommand(options, host));
    expect(code).toBe(3);
    expect(out).toContain(`BLOCKED  no bpftrace
         costs: nothing can be recorded
         change: install the package bpftrace, 0.17 or newer
`);
    expect(out).toMatch(/\n\nno: collector attach cannot record this host\n$/);
  });

  it('as JSON, and a name from the host does nothing to a terminal', async () => {
    const host = pretendedHost({ files: { '/proc/417/comm': 'qemu\u001b[2J\nok  all\n' } });
    const json = await printed(async () => doctorCommand({ ...options, json: true }, host));
    const result = doctorResultSchema.parse(JSON.parse(json.out));
    expect(result).toMatchObject({ can_record: true, devices: [{ pid: 417 }] });
    expect(result.devices[0]?.comm).toBe('qemu\u001b[2J\nok  all');
    const text = await printed(async () => doctorCommand(options, host));
    expect(text.out).toContain('open: /dev/vhost-net of qemu\\x1b[2J\\x0aok  all (417)\n');
    expect(json.out + text.out).not.toContain('\u001b');
  });
});

it.each(['attach', 'doctor', 'import', 'probes'])('there is a schema of %s', async (name) => {
  const { code, out } = await printed(async () => main(['node', 'collector', 'schema', name]));
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ type: 'object' });
});

describe('probes', () => {
  it('says what is seen, by what, and how surely', async () => {
    const host = pretendedHost({ bpftrace: 'bpftrace v0.21.2\n' });
    const { code, out } = await printed(async () =>
      probesCommand({ ...options, detail: 'rounds' }, host),
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^detail rounds +how sure +by\n/);
    expect(out).toMatch(/\nrounds +exact +vq_meta_prefetch\n/);
    expect(out).toMatch(/\ninvalidations: of address spaces that have a notifier, /);
    expect(out).toMatch(/\n! bpftrace 0\.21\.2, untested: .* tested with 0\.17 only\.\n$/);
  });

  it.each([
    ['not ready: the plan, and what blocks it', { uid: 7 }, /\n\ndetail rounds +how sure +by\n/],
    [
      'without vhost: what blocks it, and the plan of the rest',
      NOT_LOADED,
      /\n\nno whole plan: .* is not known before vhost is loaded; .*\n\ndetail rounds +how sure +by\ninvalidations +exact +__mmu_notifier_invalidate_range_start, /,
    ],
    [
      'one of which nothing is known: what blocks it',
      NO_VHOST,
      /\n\nno whole plan: .* is not known before vhost is loaded, and nothing of it can be told\n$/,
    ],
  ])('of a host that is %s', async (_, facts, printedToo) => {
    const host = pretendedHost(facts);
    const request = { ...options, detail: 'rounds' } as const;
    const { code, out } = await printed(async () => probesCommand(request, host));
    expect(code).toBe(3);
    expect(out).toMatch(/^BLOCKED {2}.+: .+\n {9}change: .+\n/);
    expect(out).toMatch(printedToo);
    const json = await printed(async () => probesCommand({ ...request, json: true }, host));
    const { blockers, no_plan, program, views } = probesResultSchema.parse(JSON.parse(json.out));
    expect(blockers).toHaveLength(1);
    expect(program === null).toBe(no_plan !== null);
    for (const { what } of views) expect(out).toContain(`\n${what}: `);
    expect(json.code).toBe(3);
  });

  it('says what a level would see without what it asks for', async () => {
    const host = pretendedHost({
      files: { [TRACEABLE]: (DEBIAN_12[TRACEABLE] ?? '').replace(/^vhost_add_used_n .*\n/m, '') },
    });
    const request = { ...options, detail: 'calls' } as const;
    const { code, out } = await printed(async () => probesCommand(request, host));
    expect(code).toBe(3);
    expect(out).toMatch(/^BLOCKED {2}--detail calls needs vhost_get_vq_desc and vhost_add_used_n/);
    expect(out).toMatch(/\nrounds +exact +vq_meta_prefetch\n/);
    expect(out).not.toContain('accesses by accessor');
  });

  it('prints the program, alone and in JSON', async () => {
    const host = pretendedHost();
    const request = { ...options, detail: 'rounds' } as const;
    const text = await printed(async () => probesCommand({ ...request, program: true }, host));
    expect(text.out).toMatch(/^BEGIN\n\{\n {2}printf\("# vhostscope 1\\n"\);\n/);
    const json = await printed(async () => probesCommand({ ...request, json: true }, host));
    const result = probesResultSchema.parse(JSON.parse(json.out));
    expect(result.program).toBe(text.out);
    expect(result.remarks).toEqual([]);
    expect(result.arguments).toEqual(['-B', 'line', '-']);
  });
});
