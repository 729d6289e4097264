/** Recordings of stock hosts: what the commands make of them. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
} from '@vhostscope/trace';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../src/run-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf } from './traces.ts';

/** Printed by the recording program on Debian's 6.1, shortened. */
const TEXT = `Attaching 15 probes...
# vhostscope 1
V 40453849958 0 ffff8cc54f964ab0 ffff8cc54f960000 214 1 1
U 40453887747 0 ffff8cc54f964ab0 0 7fef24a07000 4096 -
I 40453897228 0 ffff8cc54f964ab0 0
M 40458132263 0 ffff8cc54f964ab0
E 40458732263 0 ffff8cc54f964ab0 2 256 1 4000000000000 4002e002e002e
K 40554156130 0 214 1 7fef24a01000 7fef24a02000 1 1 29 40554156000 ksmd\\x00
K 40554789540 0 214 0 7fef24a01000 7fef24a02000 1 1 29 - ksmd\\x00
H 42107562989 0 3 2 2 0 0 1099
`;

/** The same with busyloop_timeout set. */
const POLLING = TEXT.replace(' 4000000000000 ', ' 804000000000000 ');

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
      bpftrace: '0.21.2',
      bpftraceTested: false,
      recorderCapabilities: ['sys_admin', 'sys\u001blog'],
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
checksums   all agree
complete    not known: what was emitted was not counted
host        Linux 6.1.0-56-amd64 on Some\\x1b[2J CPU, bpftrace 0.21.2 (untested) with cap_sys_admin,
            cap_sys\\x1blog only
            THP always, 1 NUMA node, SMAP on (when the recording began)
detail      rounds
  recorded       how sure   by
  rounds         exact      vq_meta_prefetch
  invalidations  invisible  –
`);
    expect(out).toMatch(/round_end +1\n +core_range_start +1\n +core_range_end +1\n/);
    const { out: json } = await replay('info', live(), '--json');
    expect(JSON.parse(json)).toMatchObject({ format_version: 3, probes: { detail: 'rounds' } });
  });

  it('of what its program printed tells the same events', async () => {
    const { code, out } = await replay('info', text);
    expect(code).toBe(0);
    expect(out).toMatch(/round_end +1\n/);
    expect(out).not.toMatch(/^host /m);
  });
});

describe('run', () => {
  it.each([
    ['a live recording', live],
    ['what its program printed', () => text],
  ])('of %s tells what the design would have made of its rounds', async (_, path) => {
    const { code, out } = await replay('run', path(), '--json');
    const result = JSON.parse(out) as RunResult;
    expect(code).toBe(0);
    expect(result).toMatchObject({ host: 'stock', order: 'ranges', rounds: 1 });
    expect(result.assumptions.length).toBeGreaterThan(3);
    const [virtqueue] = result.virtqueues;
    // 46 packets at once: the indices tell of all but the descriptors and how often the index was read.
    expect(virtqueue?.accessors['get_avail_head']).toMatchObject({
      accesses: 46,
      counts: 'by rule',
      spans: null,
    });
    expect(virtqueue?.accessors['put_used']).toMatchObject({ counts: 'estimated' });
    expect(virtqueue?.accessors['put_used']?.spans?.accesses).toEqual([1, 46]);
    expect(result.totals.fallbacks + result.totals.hits).toBe(0);
  });

  it('says what it leaves out where a virtqueue polls busily', async () => {
    const path = join(folder, 'polling.txt');
    writeFileSync(path, POLLING);
    const { out } = await replay('run', path, '--json');
    const { assumptions, virtqueues } = JSON.parse(out) as RunResult;
    expect(assumptions.join()).toMatch(/what rounds of vq 0 accessed of the other virtqueue/);
    expect(assumptions.join()).not.toContain('does not poll busily');
    expect(virtqueues[0]?.accessors['get_avail_idx']?.spans?.accesses[1]).toBeNull();
  });

  it('tells what is likely where what is sure leaves accesses open', async () => {
    const looks = [0, 1, 2].map((area) => `L 40458132262 0 ffff8cc54f964ab0 ${area} 1 1 1 0 1\n`);
    const path = join(folder, 'likely.txt');
    const ring = [
      'U 40453887747 0 ffff8cc54f964ab0 1 7fef24a08000 518 -\n',
      'U 40453887747 0 ffff8cc54f964ab0 2 7fef24a09000 2054 -\n',
    ];
    // So soon after its set-up, a range may be under way over the ring that was not told.
    const lines = TEXT.replace('I 4045', `${ring.join('')}I 4045`).replace(
      'M 40458',
      `${looks.join('')}M 40458`,
    );
    writeFileSync(path, lines);
    const { out, code } = await replay('run', path, '--json');
    expect(code).toBe(0);
    const { likely, totals } = JSON.parse(out) as RunResult;
    expect(totals).toMatchObject({ hits: 0, fallbacks: 0 });
    expect(likely).toEqual({ hits: totals.ambiguous, fallbacks: 0, iotlb: 0, open: 0 });
    const { out: words } = await replay('run', path);
    expect(words).toMatch(/^likely: ≈100\.00 % direct-map hits, if calls, flushes and looks/m);
    const { out: copied } = await replay('run', path, '--design', 'copy', '--json');
    expect((JSON.parse(copied) as RunResult).likely).toBeNull();
  });

  it('counts every access as a fallback where the design maps nothing', async () => {
    const { out } = await replay('run', text, '--design', 'copy');
    expect(out).not.toContain('assumed');
    expect(out).toMatch(
      /were (at least \d+|\d+ to [\d,]+); the hit ratio is that of the estimates/,
    );
    expect(out).toMatch(
      /^≈\d+ accesses: 0 direct-map hits \(0\.00 %\), ≈\d+ fallbacks, 0 ambiguous$/m,
    );
  });

  it.each([
    ['--order', 'effects', 'it has no effects of callbacks'],
    ['--use-observations', undefined, 'it has no attempts to map'],
  ])('refuses %s', async (option, value, words) => {
    const { code, err } = await replay(
      'run',
      text,
      option,
      ...(value === undefined ? [] : [value]),
    );
    expect(code).toBe(2);
    expect(err).toContain(words);
  });

  it('refuses a trace that holds recordings of both kinds', async () => {
    const both = join(folder, 'both.txt');
    writeFileSync(both, `${textOf('u5').slice(0, 2_000)}\n${TEXT}`);
    const { code, err } = await replay('run', both);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('import them apart') });
  });
});

describe('levels that tell more than rounds', () => {
  const head = TEXT.slice(0, TEXT.indexOf('K '));
  const ring = '4000000000000 4002e002e002e';
  const run = async (name: string, body: string): Promise<RunResult> => {
    const path = join(folder, name);
    writeFileSync(path, `${head.slice(0, head.indexOf('M '))}${body}`);
    const { out } = await replay('run', path, '--json');
    return JSON.parse(out) as RunResult;
  };

  it('calls: counters are those of the round in which they grew', async () => {
    const vq = 'ffff8cc54f964ab0';
    const { totals, virtqueues, doubts } = await run(
      'calls.txt',
      `C 40458132200 0 ${vq} 2 0 0 0 0 0 0 0 0 0
M 40458132263 0 ${vq}
C 40458732200 0 ${vq} 5 46 1 0 0 92 0 1 2 1
E 40458732263 0 ${vq} 2 256 1 ${ring}
`,
    );
    expect(totals).toMatchObject({ accesses: 5 + 46 + 1 + 92 + 1 + 2 + 1, counts: 'by rule' });
    expect(virtqueues[0]?.accessors['get_desc']).toMatchObject({ accesses: 92, spans: null });
    // Two reads of the index were made before the round.
    expect(doubts?.['made outside of any round, and when is not in the trace']).toBe(2);
  });

  it('accesses: each is counted once, with its round', async () => {
    const vq = 'ffff8cc54f964ab0';
    const { totals, virtqueues } = await run(
      'accesses.txt',
      `M 40458132263 0 ${vq}
A 40458132264 0 ${vq} 9 - 1
A 40458132265 0 ${vq} 1 - 1
A 40458132266 0 ${vq} 2 - 1
A 40458132267 0 ${vq} 6 - 1
E 40458732263 0 ${vq} 2 256 1 ${ring}
`,
    );
    expect(totals).toMatchObject({ accesses: 4, counts: 'by rule' });
    expect(virtqueues[0]?.accessors['get_avail_head']?.accesses).toBe(1);
  });
});

describe('a recording of a real stock host under disturbances', () => {
  const storm = join(import.meta.dirname, 'golden/stock/storm-q256.arrows.gz');
  const run = async (...options: string[]): Promise<RunResult> => {
    const { code, out, err } = await replay('run', storm, '--json', ...options);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return JSON.parse(out) as RunResult;
  };

  it('has the heads that the load counted, and most of its accesses are judged', async () => {
    const result = await run();
    expect(result).toMatchObject({ complete: true, rounds: 182, preemption: 'voluntary' });
    expect(result.ranges).toEqual({
      start: 55,
      end: 55,
      overlapping: 47,
      nonblockable: 0,
      refused: 0,
    });
    for (const { accessors, invalidations } of result.virtqueues) {
      expect(invalidations).toBe(55);
      // What the load reports: entries_used of rx and tx.
      expect(accessors['get_avail_head']?.accesses).toBe(3000);
      // One descriptor per chain, as the first of each round shows.
      expect(accessors['get_desc']?.accesses).toBe(3000);
      expect(accessors['get_desc']?.spans?.accesses[0]).toBe(3000);
    }
    const { accesses, hits, fallbacks, ambiguous } = result.totals;
    expect(hits + fallbacks + ambiguous).toBe(accesses);
    // Of 2.4 s; in the first 100 ms of a ring nothing is known of its pages.
    expect(hits / accesses).toBeGreaterThan(0.45);
    const doubts = Object.values(result.doubts ?? {}).reduce((sum, count) => sum + count, 0);
    expect(doubts).toBe(ambiguous);
  });

  it.each(['merged', 'fixes-v5', 'mmdrop-fix', 'vmap-v3'])(
    'is likely to have no fewer hits under %s than are sure, and no more than may be',
    async (design) => {
      for (const options of [[], ['--from', '0.3s', '--to', '1.1s'], ['--preempt', 'unknown']]) {
        const { totals, likely } = await run('--design', design, ...options);
        if (likely === null) expect(totals.ambiguous).toBe(0);
        else {
          const { hits, fallbacks, open } = likely;
          expect(hits).toBeGreaterThanOrEqual(totals.hits);
          expect(hits).toBeLessThanOrEqual(totals.hits + totals.ambiguous);
          expect(fallbacks).toBeGreaterThanOrEqual(totals.fallbacks);
          expect(hits + fallbacks + open + likely.iotlb).toBe(totals.accesses);
        }
      }
    },
  );

  it('has no upper bound where only the size of the rings is one', async () => {
    const { totals, virtqueues } = await run();
    expect(totals.spans?.accesses).toEqual([13_013, null]);
    const spans = virtqueues.map(({ accessors }) => ({
      desc: accessors['get_desc']?.spans?.accesses,
      used: accessors['put_used_idx']?.spans?.accesses,
    }));
    // A round of the other virtqueue puts what it has used at once.
    expect(spans).toEqual([
      { desc: [3000, null], used: undefined },
      { desc: [3000, null], used: [88, 3000] },
    ]);
    const { out } = await replay('run', storm);
    expect(out).toContain('   were at least 13,013; the hit ratio is that of the estimates');
  });

  it('needs no word about preemption: calls are told when they return', async () => {
    const [voluntary, unknown] = [
      await run('--preempt', 'voluntary'),
      await run('--preempt', 'unknown'),
    ];
    expect(unknown.totals).toEqual(voluntary.totals);
  });

  it.each(['merged', 'fixes-v5'])(
    'gives the same answer twice, and text, for %s',
    async (design) => {
      expect(await run('--design', design)).toEqual(await run('--design', design));
      const { out } = await replay('run', storm, '--design', design);
      expect(out).toMatch(/^why ambiguous: ≈[\d,]+ accesses$/m);
      expect(out).toMatch(/^≈: concluded/m);
    },
  );
});

describe('an address space of which no invalidation was seen', () => {
  it('is told first of all that is assumed', async () => {
    const quiet = join(folder, 'quiet.txt');
    writeFileSync(quiet, TEXT.replaceAll(/^K .*\n/gm, ''));
    const { out } = await replay('run', quiet);
    expect(out.replaceAll(/\n +/g, ' ')).toMatch(
      /assumed +- no range came near the rings of vq 0: .* hits are what they would be without any/,
    );
  });
});

describe('what is assumed', () => {
  const assumed = async (name: string, body: string, ...args: string[]): Promise<string[]> => {
    const path = join(folder, name);
    writeFileSync(path, body);
    const { out } = await replay('run', path, '--json', ...args);
    return (JSON.parse(out) as RunResult).assumptions;
  };

  it('always holds that there was a notifier, that memory is ordinary, that clocks agree', async () => {
    const all = (await assumed('all.txt', TEXT)).join('\n');
    expect(all).toContain('the process of every ring had an MMU notifier all the time');
    expect(all).toContain('ordinary memory');
    expect(all).toContain('the zero page');
    expect(all).toContain('first seen or set up anew');
    expect(all).toContain('the clocks of all CPUs agree');
    expect(all).not.toContain('vsock');
  });

  it('begins with the rings whose process had no notifier when it was last looked at', async () => {
    const [first, ...others] = await assumed(
      'unseen.txt',
      TEXT.replace(' 214 1 1\n', ' 214 1 0\n'),
    );
    expect(first).toMatch(/^there was no range over the rings of vq 0: .* no MMU notifier/);
    expect(others.join('\n')).not.toContain('had an MMU notifier all the time');
  });

  it('says what vhost-vsock did when the designs were made', async () => {
    const body = TEXT.replace('ffff8cc54f964ab0 2 256', 'ffff8cc54f964ab0 3 256');
    const said =
      /vq 0 would have been mapped as others are: the vhost-vsock of Linux 5.3 never tried/;
    expect((await assumed('vsock.txt', body)).join('\n')).toMatch(said);
    const outside = await assumed('vsock.txt', body, '--to', '1ms');
    expect(outside.join('\n'), 'whatever is counted').toMatch(said);
  });
});

it('says where --preempt is not what the trace says', async () => {
  const said = 'kernel was full, as --preempt says; the trace says voluntary';
  const out = async (...args: string[]): Promise<string> =>
    (await replay('run', live(), ...args)).out.replaceAll(/\n +/g, ' ');
  expect(await out('--preempt', 'full')).toContain(said);
  expect(await out('--preempt', 'voluntary')).not.toContain('as --preempt says');
  expect(await out()).not.toContain('as --preempt says');
  const compared = await replay('compare', live(), '--preempt', 'full');
  expect(compared.out.replaceAll(/\n +/g, ' ')).toContain(said);
});

it('a recording of no vhost device says that there was none', async () => {
  const path = join(folder, 'nothing.txt');
  writeFileSync(path, '# vhostscope 1\nH 42107562989 0 0 0 0 0 0 0\n');
  expect((await replay('run', path)).out).toContain('no virtqueue: no vhost device was seen');
  expect((await replay('info', path)).out).toContain('no virtqueue: no vhost device was seen');
});

it('info tells programs that it is of a stock host', async () => {
  const { out } = await replay('info', '--json', text);
  expect(JSON.parse(out)).toMatchObject({ host_kind: 'stock' });
});

describe('explain', () => {
  it('tells of the end of a round', async () => {
    const { code, out } = await replay('explain', text, '--at', '40458732263');
    expect(code).toBe(0);
    expect(out).toMatch(/round_end/);
    expect(out).toMatch(/invalidate_count 0/);
  });

  it('names events of a live recording by their time, and of a text by their line', async () => {
    const at = ['--at', '40458732263'];
    const told = (await replay('explain', live(), ...at)).out;
    expect(told).toMatch(/^0\.004882305 s, 40458732263 ns, cpu 0, vq 0 \(dev 0\): round_end$/m);
    expect(told).toMatch(/^ +after \(s\) +time \(ns\)/m);
    expect(told).not.toMatch(/\bline \d/);
    const again = (await replay('explain', live(), '--at', '0.004882305s')).out;
    expect(again).toBe(told);
    const { out } = await replay('explain', text, ...at);
    expect(out).toMatch(/^line 7, 40458732263 ns, cpu 0, vq 0 \(dev 0\): round_end$/m);
    expect(out).toMatch(/^ +line +time \(ns\)/m);
  });

  it('refuses the number of an access', async () => {
    const { code, err } = await replay('explain', text, '--access', '1');
    expect(code).toBe(2);
    expect(err).toContain('have no numbers');
    expect(err).toContain('use --at');
  });
});

describe.each([
  ['verify', 'it has no decisions of a direct map to compare with', 'replay run says'],
  ['check', 'has no accesses one by one', '--detail accesses records them'],
])('%s', (command, words, advice) => {
  it.each([
    ['a live recording', live],
    ['what its program printed', () => text],
  ])('refuses %s, and says what can be done', async (_, path) => {
    const { code, out, err } = await replay(command, path());
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(words);
    expect(err).toContain(advice);
  });
});
