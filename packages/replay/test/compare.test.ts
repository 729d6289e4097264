/** `replay compare` and `replay designs`: the same answers as `replay run`, and what a platform makes of them. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESIGNS } from '@vhostscope/model';
import { describe, expect, it } from 'vitest';
import { compareResultSchema, type ComparedDesign } from '../src/compare-result.ts';
import { designsResultSchema } from '../src/designs-command.ts';
import { runResultSchema } from '../src/run-result.ts';
import { STOCK } from './export-cases.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

async function compare(...args: string[]) {
  const { code, out, err } = await replay('compare', '--json', ...args);
  expect(err).toBe('');
  return { code, result: compareResultSchema.parse(JSON.parse(out)) };
}

const folder = temporaryFolder();

/** A trace as a trace file, for what reads it once per design: that is faster than to import its text. */
function asFile(name: string): string {
  const path = join(folder, `${name}.arrows`);
  if (!existsSync(path)) writeTrace(path, [textOf(name)]);
  return path;
}

function rowOf(rows: readonly ComparedDesign[] | undefined, name: string): ComparedDesign {
  const row = rows?.find(({ design }) => design === name);
  if (row === undefined) throw new Error(`no row ${name}`);
  return row;
}

describe('replay compare', { timeout: 60_000 }, () => {
  it.each(['s3', 'u5', 'f1', 'd1'])(
    '%s: every design comes out as replay run says',
    async (name) => {
      const path = asFile(name);
      const { result } = await compare(path);
      const rows = result.traces[0]?.designs;
      expect(rows?.map(({ design }) => design)).toEqual(DESIGNS.map((design) => design.name));
      const overRings = new Set<number>();
      for (const { name: design } of DESIGNS) {
        const { out } = await replay('run', '--json', '--design', design, path);
        const alone = runResultSchema.parse(JSON.parse(out));
        const row = rowOf(rows, design);
        expect(row.decisions).toEqual(alone.totals);
        if (row.decisions.ambiguous > 0) expect(row.order).toBe(alone.order);
        overRings.add(alone.ranges.overlapping);
      }
      expect(overRings.size, 'a range is over a ring or not, whatever the design').toBe(1);
    },
  );

  it.each(['s3', 'u5'])('%s: of a span it says what replay run says of it', async (name) => {
    const path = asFile(name);
    const span = ['--from', '400ms', '--to=-300ms'];
    const { result } = await compare(path, ...span);
    const { out: whole } = await replay('run', '--json', path);
    for (const design of DESIGNS) {
      const { out } = await replay('run', '--json', '--design', design.name, path, ...span);
      const alone = runResultSchema.parse(JSON.parse(out));
      expect(result.traces[0]?.span).toEqual(alone.span);
      expect(rowOf(result.traces[0]?.designs, design.name).decisions).toEqual(alone.totals);
      const { accesses } = runResultSchema.parse(JSON.parse(whole)).totals;
      expect(alone.totals.accesses).toBeLessThan(accesses);
    }
  });

  it('tells attempts as a span where the trace cannot tell whether they were made', async () => {
    const { path } = trace('s3');
    for (const design of ['fixes-v5', 'merged']) {
      const { result } = await compare(path, '--designs', design);
      const row = rowOf(result.traces[0]?.designs, design);
      const run = await replay('run', '--json', '--design', design, path);
      const alone = runResultSchema.parse(JSON.parse(run.out));
      const { ambiguous, ...ended } = alone.prefetch;
      const sure = Object.values(ended).reduce((sum, count) => sum + count, 0);
      expect(row.attempts_span).toEqual([sure, sure + ambiguous]);
      expect(row.attempts).toBe(sure + ambiguous);
      expect(alone.attempts_span).toEqual(row.attempts_span);
      expect(ambiguous > 0).toBe(design === 'fixes-v5');
      const { out } = await replay('compare', path, '--designs', design);
      const [least = '', most = ''] = row.attempts_span.map((count) => count.toLocaleString('en'));
      expect(out).toMatch(new RegExp(ambiguous > 0 ? ` (${least} …|≤) ${most} ` : ` ${most}  `));
      expect((await replay('run', '--design', design, path)).out).toContain(
        `attempts to map an area: ${ambiguous > 0 ? `${least} … ` : ''}${most}\n`,
      );
    }
  });

  it('bounds attempts by the rounds where nothing is known of maps', async () => {
    const { result } = await compare(STOCK, '--designs', 'mmdrop-fix');
    const [{ rounds, designs } = { rounds: 0, designs: [] }] = result.traces;
    expect(rounds).toBeGreaterThan(0);
    expect(rowOf(designs, 'mmdrop-fix').attempts_span).toEqual([0, 3 * rounds]);
    expect((await replay('run', '--design', 'mmdrop-fix', STOCK)).out).toContain(
      `attempts to map an area: ≤ ${(3 * rounds).toLocaleString('en')}\n`,
    );
  });

  it('marks how many accesses there were where that is estimated', async () => {
    expect((await replay('compare', STOCK, '--designs', 'merged')).out).toMatch(
      /^≈[\d,]+ accesses, [\d,]+ rounds$/m,
    );
    expect((await replay('compare', trace('s3').path, '--designs', 'merged')).out).toMatch(
      /^13,316 accesses, /m,
    );
  });

  it('takes all designs beside others', async () => {
    const { result } = await compare(trace('u5').path, '--designs', 'copy,all');
    const names = result.traces[0]?.designs.map(({ design }) => design);
    expect(names).toEqual([
      'copy',
      ...DESIGNS.map(({ name }) => name).filter((one) => one !== 'copy'),
    ]);
  });

  it('says its span, and that --preempt would leave less open', async () => {
    const path = join(temporaryFolder(), 'ranges.txt');
    // As a host without the driver's own functions would have recorded it.
    writeFileSync(path, textOf('s3').replaceAll(/^I[SE] .*\n/gm, ''));
    const args = ['compare', path, '--from', '0', '--designs', 'merged'];
    const { out } = await replay(...args);
    expect(out).toContain('if it is voluntary, --preempt voluntary tells more');
    expect(out).toMatch(/^span {8}from 0 ns to the end; state is known from the beginning on$/m);
    const told = await replay(...args, '--preempt', 'voluntary');
    expect(told.out).toMatch(/^preemption {2}voluntary in the recording kernel$/m);
  });

  it('takes several traces, and only the designs that are named, in their order', async () => {
    const { result } = await compare(
      trace('u5').path,
      trace('d1').path,
      '--designs',
      'copy,merged,copy',
    );
    expect(result.traces.map(({ designs }) => designs.map(({ design }) => design))).toEqual([
      ['copy', 'merged'],
      ['copy', 'merged'],
    ]);
  });

  it('prints a table for people', async () => {
    const { code, out } = await replay('compare', trace('d1').path, '--designs', 'merged,copy');
    expect(code).toBe(0);
    expect(out).toMatch(/^merged +99\.99 % +<0\.01 % +0\.00 % +6 +\+23 % +\+15 %$/m);
    expect(out).toMatch(/^copy +0\.00 % +100\.00 % +0\.00 % +0 +baseline +baseline$/m);
  });

  it.each(['s3', 'f1', 'd1'])('%s: has room in 100 columns for all of it', async (name) => {
    const { path } = trace(name);
    for (const options of [[], ['--arch', 'arm64'], ['--calibrate', '5,6'], ['--baseline', path]]) {
      const { out } = await replay('compare', path, ...options);
      // The table of verdicts names each trace.
      const [table = ''] = out.split('\nhit ratio against the baseline');
      const isLong = (line: string): boolean => line.length > 100 && !line.includes(path);
      expect(table.split('\n').filter(isLong)).toEqual([]);
    }
  });

  it('says by which order each design goes', async () => {
    const both = await replay('compare', trace('s3').path, '--designs', 'vmap-v3,merged,copy');
    expect(both.out).toMatch(/^order {7}effects for merged; ranges for vmap-v3, copy$/m);
    const one = await replay('compare', trace('d1').path, '--designs', 'merged,copy');
    expect(one.out).toMatch(/^order {7}ranges$/m);
  });

  it('says once what several traces take for granted', async () => {
    const path = trace('u5').path;
    const args = [path, '--designs', 'vmap-v1,mmdrop-fix,copy', '--baseline', path];
    const { out } = await replay('compare', ...args);
    expect(out.match(/vmap-v1 could pin the ring/g)).toHaveLength(1);
    expect(out).toMatch(/^baseline .*\n(?:.+\n)*assumed {5}as of .*u5-json-q256\.txt\.gz\n\n/m);
    const differs = await replay('compare', path, STOCK, '--designs', 'vmap-v1');
    expect(differs.out.match(/vmap-v1 could pin the ring/g)).toHaveLength(2);
    const { result } = await compare(...args);
    expect(result.baseline?.assumptions).toEqual(result.traces[0]?.assumptions);
  });

  it('tells what the hits of a design that pins cost', async () => {
    const { out } = await replay('compare', trace('s3').path, '--designs', 'vmap-v1,merged');
    expect(out).toMatch(/^vmap-v1 \(pins\) +100\.00 %/m);
    expect(out).toMatch(/^pins: the price of its hits is that the pages of every ring are pinned/m);
    const without = await replay('compare', trace('s3').path, '--designs', 'merged');
    expect(without.out).not.toContain('pins');
    const { result } = await compare(trace('s3').path);
    const pinning = result.traces[0]?.designs.filter((one) => one.pins_pages);
    expect(pinning?.map(({ design }) => design)).toEqual(['vmap-v1']);
    expect((await replay('designs')).out).toMatch(/^vmap-v1 \(pins\) /m);
    expect((await replay('designs', 'vmap-v1')).out).toMatch(/^pins {7}the price/m);
    expect((await replay('designs', 'merged')).out).not.toMatch(/^pins/m);
  });

  it('names the designs that there are', async () => {
    const { code, err } = await replay('compare', trace('d1').path, '--designs', 'merged,nope');
    expect(code).toBe(2);
    expect(err).toContain('no design is called "nope"');
    expect(err).toContain('vmap-rfc-v2');
  });
});

describe('a baseline', () => {
  const [storm, dpdk] = [trace('s3').path, trace('d1').path];

  it('fails where a design is surely worse by more than is allowed', async () => {
    const { code, result } = await compare(
      storm,
      '--designs',
      'merged',
      '--baseline',
      dpdk,
      '--fail-if-worse',
      '80%',
    );
    expect(code).toBe(1);
    const [verdict] = result.against_baseline;
    expect(verdict).toMatchObject({ design: 'merged', is_worse: true });
    expect(verdict?.lower_by?.[0]).toBeCloseTo(88.97, 1);
  });

  it('does not where it is surely less, or better', async () => {
    const allowed = ['--designs', 'merged', '--baseline', dpdk, '--fail-if-worse', '89'];
    expect((await compare(storm, ...allowed)).code).toBe(0);
    const better = ['--designs', 'merged', '--baseline', storm, '--fail-if-worse', '0'];
    expect((await compare(dpdk, ...better)).code).toBe(0);
  });

  it('fails where ambiguous accesses may make it worse, and says that', async () => {
    const open = ['--designs', 'fixes-v5,copy', '--baseline', dpdk];
    const { code, out, err } = await replay('compare', storm, ...open, '--fail-if-worse', '50');
    expect(code).toBe(1);
    expect(err).toMatch(
      /^replay: .*: that fixes-v5 is worse than allowed cannot be ruled out: ambiguous accesses may make it 88\.97 percentage points lower$/m,
    );
    expect(err).not.toContain('copy');
    expect(out).toMatch(/fixes-v5 .* cannot be ruled out$/m);
    expect((await replay('compare', storm, ...open, '--fail-if-worse', '89')).code).toBe(0);
    expect((await replay('compare', storm, ...open)).code).toBe(0);
  });

  it('fails where there is nothing to compare, or events are missing', async () => {
    const silent = join(temporaryFolder(), 'silent.txt');
    writeFileSync(silent, '# vhost-oracle 1\nN 5 0 1000 1 0\nM 6 0 1010\n');
    const gate = ['--designs', 'merged', '--fail-if-worse', '100'];
    const nothing = await replay('compare', silent, ...gate, '--baseline', dpdk);
    expect(nothing.code).toBe(1);
    expect(nothing.err).toContain('silent.txt has no access');
    const lossy = join(temporaryFolder(), 'lossy.txt');
    writeFileSync(lossy, `${textOf('u5')}Lost 3 events\n`);
    const missing = await replay('compare', dpdk, ...gate, '--baseline', lossy);
    expect(missing.code).toBe(1);
    expect(missing.err).toMatch(/cannot be ruled out: events are missing from .*lossy\.txt$/m);
  });

  it('is worse than itself by nothing', async () => {
    const { result } = await compare(storm, '--designs', 'merged,copy', '--baseline', storm);
    expect(result.against_baseline.map(({ lower_by: by }) => by)).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it.each([
    [['--fail-if-worse', '1'], 'needs a --baseline'],
    [['--baseline', dpdk, '--fail-if-worse', '-1'], 'is no share'],
    [['--baseline', dpdk, '--fail-if-worse', 'much'], 'is no share'],
    [['--baseline', dpdk, '--fail-if-worse', '101'], 'is no share'],
  ])('%j is wrong usage', async (args, message) => {
    const { code, err } = await replay('compare', dpdk, ...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('a platform', () => {
  const { path } = trace('u5');

  it('switches a direct map off, and says why', async () => {
    const { out } = await replay('run', path, '--arch', 'aarch64');
    expect(out).toContain(
      'arm64 implements flush_dcache_page, for which the design is not compiled',
    );
    expect(out).toContain('the platform switches the design off');
    const { result } = await compare(path, '--arch', 'arm64');
    const rows = result.traces[0]?.designs;
    for (const name of ['merged', 'direct-rfc-v3', 'fixes-v5', 'mmdrop-fix', 'rework']) {
      const { decisions, switched_off: why } = rowOf(rows, name);
      expect(why).toContain('arm64');
      expect(decisions.fallbacks).toBe(decisions.accesses);
    }
    expect(rowOf(rows, 'vmap-v3').switched_off).toBeNull();
    expect(rowOf(rows, 'vmap-v3').decisions.hits).toBeGreaterThan(0);
  });

  it('counts the flushes that maps need where caches alias', async () => {
    const rowsOn = async (arch: string) =>
      (await compare(path, '--arch', arch, '--designs', 'vmap-v1,merged')).result.traces[0]
        ?.designs;
    const parisc = rowOf(await rowsOn('parisc'), 'vmap-v1');
    const { hits } = parisc.decisions;
    const { before_reads: reads = 0, after_writes: writes = 0 } = parisc.cache_flushes ?? {};
    expect(reads + writes).toBe(hits);
    expect(parisc.cache_flushes?.doubled_by_kunmap).toBe(writes);
    expect(rowOf(await rowsOn('parisc'), 'merged').cache_flushes?.after_writes).toBe(0);
    expect(rowOf(await rowsOn('sparc64'), 'vmap-v1').cache_flushes?.doubled_by_kunmap).toBe(0);
    expect(rowOf(await rowsOn('arm64'), 'vmap-v1').cache_flushes?.before_reads).toBe(0);
    expect(rowOf(await rowsOn('x86_64'), 'vmap-v1').cache_flushes).toBeNull();
  });

  it('leaves open how many flushes accesses need that may hit', async () => {
    const s3 = trace('s3').path;
    const options = ['--arch', 'parisc', '--designs', 'vmap-v3'];
    const { decisions, cache_flushes: flushes } = rowOf(
      (await compare(s3, ...options)).result.traces[0]?.designs,
      'vmap-v3',
    );
    const { hits, ambiguous } = decisions;
    expect(ambiguous).toBeGreaterThan(0);
    const { before_reads: reads = 0, after_writes: writes = 0, most } = flushes ?? {};
    expect(reads + writes).toBe(hits);
    expect((most?.before_reads ?? 0) + (most?.after_writes ?? 0)).toBe(hits + ambiguous);
    const { out } = await replay('compare', s3, ...options);
    expect(out).toMatch(/^vmap-v3 +[\d,]+ … [\d,]+ +[\d,]+ … [\d,]+ +[\d,]+ … [\d,]+ /m);
  });

  it('lets every access through a device IOTLB, whatever the design, at no known rate', async () => {
    const s3 = trace('s3').path;
    const { result } = await compare(s3, '--iotlb');
    const rows = result.traces[0]?.designs ?? [];
    expect(rows).toHaveLength(DESIGNS.length);
    for (const { decisions, cost } of rows) {
      const { accesses } = decisions;
      expect(decisions).toMatchObject({ accesses, hits: 0, fallbacks: 0, ambiguous: 0 });
      expect(decisions.iotlb).toBe(accesses);
      expect(cost).toMatchObject({
        rates: [],
        reason: 'every access goes through the device IOTLB, with which no rate was measured',
      });
    }
    expect((await replay('compare', s3, '--iotlb')).out).toMatch(
      /^merged \(off\) +0\.00 % +0\.00 % +100\.00 % +0\.00 % +0$/m,
    );
    for (const design of ['merged', 'vmap-v3', 'copy']) {
      const { out } = await replay('run', s3, '--iotlb', '--design', design, '--json');
      expect(runResultSchema.parse(JSON.parse(out)).totals).toEqual(rowOf(rows, design).decisions);
    }
    const { out } = await replay('run', s3, '--iotlb', '--calibrate', '5,6');
    expect(out).toContain(
      '13,316 accesses: 0 direct-map hits (0.00 %), 0 fallbacks, 13,316 by dev',
    );
    expect(out).toContain('packets per second: not known: every access goes through the device');
  });

  it('settles what a design asks of memory', async () => {
    const shareOf = async (...args: string[]) =>
      rowOf(
        (await compare(path, '--designs', 'vmap-v4,vmap-v3', ...args)).result.traces[0]?.designs,
        'vmap-v4',
      );
    expect((await shareOf()).decisions.hits).toBe(0);
    expect((await shareOf('--ring-memory', 'hugetlb')).decisions.hits).toBeGreaterThan(0);
    expect((await shareOf('--ring-memory', 'file')).switched_off).toContain('in a file');
    expect((await shareOf('--iotlb')).switched_off).toContain('device IOTLB');
    expect((await shareOf('--highmem')).switched_off).toBeNull();
  });

  it('of larger pages asks for fewer of them', async () => {
    const reasons = async (...args: string[]) =>
      rowOf(
        (await compare(trace('u2').path, '--designs', 'merged', ...args)).result.traces[0]?.designs,
        'merged',
      ).decisions.reasons;
    expect((await reasons())['not_contiguous']).toBeGreaterThan(0);
    expect((await reasons('--page-size', '64k'))['not_contiguous']).toBeUndefined();
    const { code, err } = await replay('compare', path, '--page-size', '3k');
    expect(code).toBe(2);
    expect(err).toContain('one of 4k, 16k, 64k');
  });

  it('is known by name only', async () => {
    const { code, err } = await replay('run', path, '--arch', 'vax');
    expect(code).toBe(2);
    expect(err).toContain('no architecture is called "vax"');
    expect(err).toContain('parisc');
  });
});

describe('what the hits of each design are worth', () => {
  it('is what run says of it', async () => {
    const path = trace('d1').path;
    const { out } = await replay(
      'compare',
      path,
      '--smap',
      'on',
      '--designs',
      'merged,rework,copy',
      '--json',
    );
    const { traces } = compareResultSchema.parse(JSON.parse(out));
    for (const { design, cost } of traces[0]?.designs ?? []) {
      const alone = await replay('run', path, '--smap', 'on', '--design', design, '--json');
      expect(cost).toEqual(runResultSchema.parse(JSON.parse(alone.out)).cost);
    }
    expect(traces[0]?.designs.map(({ cost }) => cost.rates.length)).toEqual([1, 1, 0]);
  });

  it('stands between the published rates, in the table', async () => {
    const { out } = await replay('compare', trace('d1').path, '--designs', 'merged,copy');
    expect(out).toMatch(/ SMAP on +SMAP off$/m);
    expect(out).toMatch(/^merged .* \+23 % +\+15 %$/m);
  });

  it('says that gains over other baselines are no measure of each other', async () => {
    const said = async (designs: string, ...options: string[]) =>
      (await replay('compare', trace('d1').path, '--designs', designs, ...options)).out
        .replaceAll(/\n +/g, ' ')
        .split('\n')
        .find((line) => line.startsWith('rows are not comparable'));
    expect(await said('merged,rework,vmap-v3,copy')).toContain(
      '(Mpps: SMAP on 4.9, 5.0, 5.2; SMAP off 6.9, 7.1)',
    );
    expect(await said('merged,copy')).toBeUndefined();
    expect(await said('merged,rework,copy', '--calibrate', '5,6')).toBeUndefined();
  });

  it.each(['arm64', 'parisc', 'sparc', 'm68k'])(
    'is not known on %s: the rates were measured on x86',
    async (arch) => {
      const { path } = trace('s3');
      const options = ['--arch', arch, '--designs', 'vmap-v3,merged'];
      const { result } = await compare(path, ...options);
      for (const { cost } of result.traces[0]?.designs ?? [])
        expect(cost).toMatchObject({ rates: [], reason: expect.stringContaining(`is ${arch};`) });
      const { out } = await replay('compare', path, ...options);
      expect(out).toMatch(
        /^packets per second: not known: the published rates were measured on x86/m,
      );
      const run = await replay('run', path, '--arch', arch);
      expect(run.out).toMatch(/^packets per second: not known: the published rates were/m);
      const { result: own } = await compare(path, ...options, '--calibrate', '5,6');
      expect(own.traces[0]?.designs.map(({ cost }) => cost.rates.length)).toEqual([1, 1]);
      expect((await compare(path, '--arch', 'x64')).result.traces[0]?.designs).toEqual(
        (await compare(path)).result.traces[0]?.designs,
      );
    },
  );
});

describe('rates of one’s own', () => {
  const { path } = trace('s3');

  it('are not those of a design that maps nothing', async () => {
    const { out } = await replay('compare', path, '--calibrate', '5,6', '--designs', 'merged,copy');
    expect(out).toMatch(/^copy .* baseline$/m);
    expect(out).toMatch(/ calibrated$/m);
    const { result } = await compare(path, '--calibrate', '5,6', '--designs', 'merged,copy');
    const rates = result.traces[0]?.designs.map(({ cost }) => cost.rates[0]);
    expect(rates?.map((rate) => rate?.mapped)).toEqual([6, null]);
    expect(rates?.[1]).toMatchObject({
      rate: [5, 5],
      saved_per_packet: 0,
      one_access_fewer: [5, 5],
      one_access_more: [5, 5],
    });
    const storms = await replay('storms', path, '--design', 'copy', '--calibrate', '5,6');
    expect(storms.out).not.toContain('Mpps');
  });

  it('by which maps are slower are taken, with a word', async () => {
    const slower = await replay('compare', path, '--calibrate', '6.4,5.2', '--designs', 'merged');
    expect(slower.code).toBe(0);
    expect(slower.err).toBe(
      'replay: --calibrate 6.4,5.2 says that maps are slower than copies: the first is the rate with every access copied\n',
    );
    expect((await replay('run', path, '--calibrate', '5,5')).err).toBe('');
  });
});

describe('replay designs', () => {
  it('tells all that there are, with switches, sources and published rates', async () => {
    const { out } = await replay('designs', '--json');
    const { designs } = designsResultSchema.parse(JSON.parse(out));
    expect(designs).toHaveLength(DESIGNS.length);
    const merged = designs.find(({ name }) => name === 'merged');
    expect(merged?.published_rates).toEqual({
      smap_on: { before: 5.2, after: 6.4 },
      smap_off: { before: 7.1, after: 8.2 },
    });
    expect(merged?.switches['counter']).toBe('virtqueue');
    const list = await replay('designs');
    for (const { name, source } of DESIGNS) {
      expect(list.out).toContain(name);
      expect(list.out).toContain(source);
    }
  });

  it('tells one of them in full', async () => {
    const { out } = await replay('designs', 'vmap-v2');
    expect(out).toMatch(/^ {2}overlap +start-only +ranges that concern a ring: /m);
    expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(out).toContain('SMAP on 5.0→6.1');
  });
});

describe('--design-file', () => {
  const write = (rows: unknown): string => {
    const path = join(temporaryFolder(), 'design.json');
    writeFileSync(path, typeof rows === 'string' ? rows : JSON.stringify(rows));
    return path;
  };

  it('takes the switches that replay designs tells of a design', async () => {
    const { out } = await replay('designs', 'fixes-v5', '--json');
    const [design] = designsResultSchema.parse(JSON.parse(out)).designs;
    const file = write({ ...design?.switches, name: 'mine' });
    const { result } = await compare(
      trace('u5').path,
      '--designs',
      'fixes-v5,mine',
      '--design-file',
      file,
    );
    const [theirs, mine] = result.traces[0]?.designs ?? [];
    expect(mine?.decisions).toEqual(theirs?.decisions);
  });

  it('takes what replay designs prints, as it is, and with a name and a switch changed', async () => {
    const { path } = trace('s3');
    const { out } = await replay('designs', 'fixes-v5', '--json');
    const asTold = write(out);
    const run = await replay('run', path, '--design-file', asTold, '--json');
    expect(runResultSchema.parse(JSON.parse(run.out)).design).toBe('fixes-v5');
    const all = await replay('designs', '--json', '--design-file', asTold);
    expect(designsResultSchema.parse(JSON.parse(all.out)).designs).toHaveLength(DESIGNS.length);
    const [told] = designsResultSchema.parse(JSON.parse(out)).designs;
    const changed = { ...told, switches: { ...told?.switches, resetsCountOnSetup: false } };
    const taken = await replay('run', path, '--design-file', write({ designs: [changed] }));
    expect(taken.err).toContain('there is a design called "fixes-v5" already; give yours another');
    const file = write({ designs: [{ ...changed, name: 'mine' }] });
    const like = write({ name: 'mine', like: 'fixes-v5', resetsCountOnSetup: false });
    const { err } = await replay('designs', 'mine', '--design-file', file);
    expect(err).toMatch(/^replay: mine: its published_rates are left out: .*\n$/);
    const mine = await compare(path, '--designs', 'mine', '--design-file', file);
    const theirs = await compare(path, '--designs', 'mine', '--design-file', like);
    const [row] = mine.result.traces[0]?.designs ?? [];
    expect(row?.decisions).toEqual(theirs.result.traces[0]?.designs[0]?.decisions);
    // Nobody measured what it would be worth.
    expect(row?.published_rates).toEqual({ smap_on: null, smap_off: null });
  });

  it('adds rows of one’s own, which are replayed', async () => {
    const file = write({ name: 'mine', like: 'merged', resetsCountOnSetup: true });
    const { path } = trace('s3');
    const { out } = await replay('run', path, '--design-file', file, '--json');
    const mine = runResultSchema.parse(JSON.parse(out));
    expect(mine.design).toBe('mine');
    const both = await compare(path, '--designs', 'mine,merged', '--design-file', file);
    const rows = both.result.traces[0]?.designs;
    expect(rowOf(rows, 'mine').decisions).toEqual(mine.totals);
    expect(rowOf(rows, 'mine').decisions).not.toEqual(rowOf(rows, 'merged').decisions);
    expect((await replay('designs', 'mine', '--design-file', file)).out).toMatch(
      /^ {2}resetsCountOnSetup +true +a set-up ioctl sets the count to 0$/m,
    );
  });

  it('lets pages be faulted in, and lie apart', async () => {
    const file = write([
      { name: 'faults', faultsPagesIn: true, needsContiguousPages: false },
      { name: 'other', like: 'vmap-v3' },
    ]);
    const { path } = trace('u1');
    const args = ['--designs', 'faults,other,merged,vmap-v3', '--design-file', file];
    const rows = (await compare(path, ...args)).result.traces[0]?.designs;
    const { reasons } = rowOf(rows, 'faults').decisions;
    expect(Object.keys(reasons)).not.toContain('gup_short');
    expect(Object.keys(rowOf(rows, 'merged').decisions.reasons)).toContain('gup_short');
    expect(rowOf(rows, 'other').decisions).toEqual(rowOf(rows, 'vmap-v3').decisions);
    const several = await replay('run', path, '--design-file', file);
    expect(several.code).toBe(2);
    expect(several.err).toContain('name one with --design: faults, other');
  });

  it.each([
    [{ name: 'x', overlap: 'half' }, 'overlap: has to be one of inclusive-end, start-only, always'],
    [{ name: 'x', faultsPagesIn: 'yes' }, 'faultsPagesIn: has to be true or false'],
    [{ name: 'x', mapped: true }, 'there is no switch called "mapped"'],
    [{ name: 'x', like: 'mine' }, 'like: has to be one of vmap-v1'],
    [{ name: 'a b' }, 'name: has to be up to 40 letters'],
    [{}, 'name: has to be a string'],
    [{ name: 'merged' }, 'there is a design called "merged" already'],
    [[{ name: 'x' }, { name: 'y', maps: 7 }], 'row 2: maps: has to be one of round, ioctl, never'],
    [{ name: 'x', overlap: 'always' }, 'overlap is "always"; it has to be "inclusive-end" where'],
    [{ name: 'x', like: 'vmap-v2', clears: 'start' }, 'clears is "start"; it has to be'],
    [{ name: 'x', publishedRates: { smapOn: { before: 5 } } }, 'publishedRates.smapOn.after'],
    [{ name: 'all' }, 'name: cannot be "all", which --designs takes for all of them'],
    [[], 'there is no row in it'],
    ['{', 'is not JSON'],
    ['7', 'a row has to be an object'],
  ])('%j: %s', async (rows, message) => {
    const { code, err } = await replay('designs', '--design-file', write(rows));
    expect(err.replaceAll(/\nreplay: +/g, ' ')).toContain(message);
    expect(
      err
        .split('\n')
        .slice(1)
        .filter((line) => line.length > 108),
    ).toEqual([]);
    expect(code).toBe(2);
    expect(err).not.toContain('at Object');
  });

  it('that is not there is said to be so', async () => {
    const { code, err } = await replay('designs', '--design-file', 'nowhere.json');
    expect(code).toBe(2);
    expect(err).toContain('nowhere.json: no such file');
  });
});
