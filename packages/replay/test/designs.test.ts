/** `replay designs`, and designs of one's own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESIGNS } from '@vhostscope/model';
import { describe, expect, it } from 'vitest';
import { designsResultSchema } from '../src/designs-command.ts';
import { runResultSchema } from '../src/run-result.ts';
import { compare, rowOf } from './compared.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, trace } from './traces.ts';

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
