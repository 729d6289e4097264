/** What `doctor` and `probes` print, on hosts that are pretended. */
import { vi, describe, expect, it } from 'vitest';
import { doctorCommand } from '../src/doctor/doctor-command.ts';
import { doctorResultSchema } from '../src/doctor/doctor-result-schema.ts';
import { probesCommand } from '../src/probe-plan/probes-command.ts';
import { probesResultSchema } from '../src/probe-plan/probes-result-schema.ts';
import { main } from '../src/program.ts';
import { pretendedHost, type PretendedHost } from './pretended-host.ts';

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
    '/sys/kernel/tracing/available_filter_functions': 'vfs_read\n',
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
      'about which too little is known: what blocks it',
      NO_VHOST,
      /hidden from tracing|vhost is not/,
    ],
  ])('of a host that is %s', async (_, facts, printedToo) => {
    const host = pretendedHost(facts);
    const request = { ...options, detail: 'rounds' } as const;
    const { code, out } = await printed(async () => probesCommand(request, host));
    expect(code).toBe(3);
    expect(out).toMatch(/^BLOCKED {2}.+: .+\n {9}change: .+\n/);
    expect(out).toMatch(printedToo);
    const json = await printed(async () => probesCommand({ ...request, json: true }, host));
    const { blockers } = probesResultSchema.parse(JSON.parse(json.out));
    expect(blockers).toHaveLength(1);
    expect(json.code).toBe(3);
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
