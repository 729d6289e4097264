/** Recordings of stock hosts: what `info` tells of them, and that nothing is made of what is not read. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
} from '@vhostscope/trace';
import { describe, expect, it } from 'vitest';
import { replay } from './in-process.ts';
import { temporaryFolder } from './traces.ts';

/** Printed by the recording program on Debian's 6.1, shortened. */
const TEXT = `Attaching 15 probes...
# vhostscope 1
V 40453849958 0 ffff8cc54f964ab0 ffff8cc54f960000 214 1
U 40453887747 0 ffff8cc54f964ab0 0 7fef24a07000 4096 -
I 40453897228 0 ffff8cc54f964ab0 0
M 40458132263 0 ffff8cc54f964ab0
E 40458732263 0 ffff8cc54f964ab0 2 256 1 4000000000000 4002e002e002e
K 40554156130 0 214 1 7fef24a01000 7fef24a02000 1 1 29 ksmd\\x00
K 40554789540 0 214 0 7fef24a01000 7fef24a02000 1 1 29 ksmd\\x00
H 42107562989 0 3 2 2 0 0 1099
`;

const folder = temporaryFolder();
const text = join(folder, 'lines.txt');
writeFileSync(text, TEXT);

function live(): string {
  const path = join(folder, 'live.arrows');
  const fd = openSync(path, 'w');
  const writer = createTraceWriter(fd, {
    sources: ['collector attach'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: false,
    preemption: 'voluntary',
    host: {
      kernel: '6.1.0-56-amd64',
      architecture: 'x86_64',
      cpu: 'Some\u001b[2J CPU',
      bpftrace: '0.17.0',
      smap: true,
      thp: 'always',
      numaNodes: 1,
    },
    probes: {
      detail: 'rounds',
      views: [
        { what: 'rounds', certainty: 'exact', by: ['vq_meta_prefetch'], note: 'one each' },
        { what: 'invalidations', certainty: 'invisible', by: [], note: 'none' },
      ],
    },
    program: 'BEGIN { }',
  });
  const importer = createTextImporter(writer, createImportReport());
  importer.push(Buffer.from(TEXT));
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return path;
}

describe('info', () => {
  it('of a live recording tells the host, and how sure what is seen', async () => {
    const { code, out } = await replay('info', live());
    expect(code).toBe(0);
    expect(out).toContain(`preemption  voluntary
complete    not known: what was emitted was not counted
host        Linux 6.1.0-56-amd64 on Some\\x1b[2J CPU, bpftrace 0.17.0
            THP always, 1 NUMA node, SMAP on
detail      rounds
  recorded       how sure   by
  rounds         exact      vq_meta_prefetch
  invalidations  invisible  –
`);
    expect(out).toMatch(/round_end +1\n +core_range_start +1\n +core_range_end +1\n/);
    const { out: json } = await replay('info', live(), '--json');
    expect(JSON.parse(json)).toMatchObject({ format_version: 2, probes: { detail: 'rounds' } });
  });

  it('of what its program printed tells the same events', async () => {
    const { code, out } = await replay('info', text);
    expect(code).toBe(0);
    expect(out).toMatch(/round_end +1\n/);
    expect(out).not.toMatch(/^host /m);
  });
});

describe.each([['run'], ['verify'], ['check'], ['explain', '--at', '40458132263']])(
  '%s',
  (command, ...options) => {
    it.each([
      ['a live recording', live],
      ['what its program printed', () => text],
    ])('refuses %s, and says what can be done with it', async (_, path) => {
      const { code, out, err } = await replay(command, path(), ...options);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/is a recording of a stock host, which cannot be replayed yet\n/);
      expect(err).toMatch(/replay info says what it holds\n$/);
    });
  },
);
