/** What the hits of the designs that `replay compare` compares are worth. */
import { describe, expect, it } from 'vitest';
import { compareResultSchema } from '../src/compare-result.ts';
import { runResultSchema } from '../src/run-result.ts';
import { compare } from './compared.ts';
import { replay } from './in-process.ts';
import { trace } from './traces.ts';

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
