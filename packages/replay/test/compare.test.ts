/** `replay compare`: the same answers as `replay run`, and whether a design is worse than another. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESIGNS } from '@vhostscope/model';
import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../src/run-result.ts';
import { compare, rowOf } from './compared.ts';
import { STOCK } from './export-cases.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const folder = temporaryFolder();

/** A trace as a trace file, for what reads it once per design: that is faster than to import its text. */
function asFile(name: string): string {
  const path = join(folder, `${name}.arrows`);
  if (!existsSync(path)) writeTrace(path, [textOf(name)]);
  return path;
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
    expect(missing.err).toMatch(
      /cannot be ruled out: events are missing, or may be, from .*lossy\.txt$/m,
    );
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
